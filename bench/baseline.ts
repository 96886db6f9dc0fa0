/**
 * The lower bound for the cost of a sealed token: a base64 bearer token, one decryption with a cached key,
 * and JSON. No key ring, no purposes, no revocation.
 */

interface BaselineToken {
  readonly sub: string;
  readonly scopes: readonly string[];
  readonly exp: number;
}

/** Opens the bearer token of a request. */
export const openBaselineToken = async (request: Request): Promise<BaselineToken> => {
  const bearer = request.headers.get('authorization')?.slice('Bearer '.length) ?? '';
  const binaryString = atob(bearer);
  const bytes = new Uint8Array(binaryString.length);
  for (let index = 0; index < binaryString.length; index++) bytes[index] = binaryString.charCodeAt(index);
  const iv = bytes.subarray(0, 12);
  const plaintext = await crypto.subtle.decrypt(
    { name: 'AES-GCM', iv },
    await importKey(),
    bytes.subarray(12),
  );
  return JSON.parse(new TextDecoder().decode(plaintext));
};

/** Creates a token of about the same length as the broker's. */
export const sealBaselineToken = async (): Promise<string> => {
  const token: BaselineToken = { sub: 'u'.repeat(66), scopes: ['words', 'score'], exp: 4_000_000_000 };
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const plaintext = new TextEncoder().encode(JSON.stringify(token));
  const sealed = await crypto.subtle.encrypt({ name: 'AES-GCM', iv }, await importKey(), plaintext);
  return btoa(String.fromCharCode(...iv, ...new Uint8Array(sealed)));
};

let key: CryptoKey | undefined;

const importKey = async (): Promise<CryptoKey> => {
  key ??= await crypto.subtle.importKey('raw', new Uint8Array(32).fill(7), 'AES-GCM', false, [
    'encrypt',
    'decrypt',
  ]);
  return key;
};
