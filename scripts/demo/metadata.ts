/** Reads the part of the app's server metadata (RFC 8414) that the demo uses. */

export interface Metadata {
  readonly issuer: string;
  readonly authorizationUrl: string;
  readonly tokenUrl: string;
  /** Whether clients can register themselves. */
  readonly canRegister: boolean;
}

/**
 * Reads the metadata.
 * @returns `undefined` if no server responds, or if it is not this app
 */
export const readMetadata = async (origin: string): Promise<Metadata | undefined> => {
  const response = await fetch(`${origin}/.well-known/oauth-authorization-server`).catch(() => undefined);
  const body: unknown = response?.ok === true ? await response.json().catch(() => undefined) : undefined;
  const readMember = (name: string): string => String(Reflect.get(Object(body), name));
  const issuer = readMember('issuer');
  if (issuer !== origin) return undefined;
  return {
    issuer,
    authorizationUrl: readMember('authorization_endpoint'),
    tokenUrl: readMember('token_endpoint'),
    canRegister: Object.hasOwn(Object(body), 'registration_endpoint'),
  };
};
