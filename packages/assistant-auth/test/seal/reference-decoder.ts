/**
 * A second implementation of docs/explanation/sealed-tokens.md, written from the document and not from the
 * code. It imports none of our code, so that a mistake in either one makes a test fail.
 */

export const fromHex = (hex: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));

export const toHex = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');

/** Seven bits per byte, the least significant first. */
export const uint = (value: number): string => {
  const low = value % 128;
  return value < 128
    ? toHex(Uint8Array.of(low))
    : toHex(Uint8Array.of(low + 128)) + uint((value - low) / 128);
};

export const text = (value: string): string => {
  const bytes = new TextEncoder().encode(value);
  return uint(bytes.length) + toHex(bytes);
};

export const list = (values: readonly string[]): string => uint(values.length) + values.map(text).join('');

export const optional = (value: string | undefined): string =>
  value === undefined ? '00' : `01${text(value)}`;

/** Nothing for false. */
export const trailingFlag = (value: boolean): string => (value ? '01' : '');

export const optionalUint = (value: number | undefined): string =>
  value === undefined ? '00' : `01${uint(value)}`;

export const flag = (value: boolean): string => (value ? '01' : '00');

/** The HKDF `info` of a derived key, in hexadecimal. */
export const info = (purpose: {
  readonly name: string;
  readonly issuer: string;
  readonly audience?: string;
}): string => text('sealed-v1') + text(purpose.name) + text(purpose.issuer) + optional(purpose.audience);

/** The 32 bytes of a derived key: HKDF (RFC 5869) with one block of output. */
export const derive = async (rootKey: Uint8Array<ArrayBuffer>, infoHex: string): Promise<string> => {
  const pseudoRandomKey = await hmac(new Uint8Array(32), rootKey);
  return toHex(await hmac(pseudoRandomKey, fromHex(`${infoHex}01`)));
};

/** Opens a message with a derived key. */
export const open = async (sealed: string, derivedKey: string, context: string): Promise<string> => {
  const characters = atob(sealed.replaceAll('-', '+').replaceAll('_', '/'));
  const bytes = Uint8Array.from(characters, (character) => character.charCodeAt(0));
  const [version, length = 0] = bytes;
  if (version !== 1) throw new Error(`version ${version}`);
  const additionalData = fromHex(toHex(bytes.subarray(0, 2 + length)) + context);
  const key = await crypto.subtle.importKey('raw', fromHex(derivedKey), 'AES-GCM', false, ['decrypt']);
  const iv = bytes.subarray(2 + length, 14 + length);
  const algorithm = { name: 'AES-GCM', iv, additionalData, tagLength: 128 };
  return toHex(new Uint8Array(await crypto.subtle.decrypt(algorithm, key, bytes.subarray(14 + length))));
};

const hmac = async (
  key: Uint8Array<ArrayBuffer>,
  message: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array<ArrayBuffer>> => {
  const imported = await crypto.subtle.importKey('raw', key, { name: 'HMAC', hash: 'SHA-256' }, false, [
    'sign',
  ]);
  return new Uint8Array(await crypto.subtle.sign('HMAC', imported, message));
};
