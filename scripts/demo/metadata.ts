/** Reads the part of the app's server metadata (RFC 8414) that is needed to set up a GPT. */

export interface Metadata {
  readonly issuer: string;
  readonly authorizationUrl: string;
  readonly tokenUrl: string;
}

/**
 * Reads the metadata.
 * @returns `undefined` if no server responds, or if it is not this app
 */
export const readMetadata = async (origin: string): Promise<Metadata | undefined> => {
  const answer = await fetch(`${origin}/.well-known/oauth-authorization-server`).catch(() => undefined);
  const body: unknown = answer?.ok === true ? await answer.json().catch(() => undefined) : undefined;
  const read = (name: string): string => String(Reflect.get(Object(body), name));
  const issuer = read('issuer');
  if (issuer !== origin) return undefined;
  return { issuer, authorizationUrl: read('authorization_endpoint'), tokenUrl: read('token_endpoint') };
};
