/** Returns Google's `hash_base64_sha512_sha512` identifier of a refresh token. */
export const doubleHash = async (token: string): Promise<string> => {
  const once = await crypto.subtle.digest('SHA-512', new TextEncoder().encode(token));
  const twice = new Uint8Array(await crypto.subtle.digest('SHA-512', once));
  return btoa(String.fromCharCode(...twice));
};
