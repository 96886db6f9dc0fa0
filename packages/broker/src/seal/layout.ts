/** The bytes of a sealed message: `version ‖ length of key id ‖ key id ‖ IV ‖ ciphertext and tag`. */

/** Format version; a change of layout or derivation is a new number, and a new number is a new set of keys. */
export const version = 1;
export const ivLength = 12;
const tagLength = 16;

/** All bytes before the IV: in the clear, and authenticated. */
export const headerFor = (keyId: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.of(version, keyId.length, ...new TextEncoder().encode(keyId));

export const join = (...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> => {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
};

/** Tells whether the bytes are of this version and long enough to be a message. */
export const isMessage = (bytes: Uint8Array): boolean =>
  bytes[0] === version && bytes.length >= 2 + (bytes[1] ?? 0) + ivLength + tagLength;

/** Tells whether a message begins with this header; as headers bear their length, with no other. */
export const bears = (message: Uint8Array, header: Uint8Array): boolean => {
  for (let at = 0; at < header.length; at++) if (message[at] !== header[at]) return false;
  return true;
};
