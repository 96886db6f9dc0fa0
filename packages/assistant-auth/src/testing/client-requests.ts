/**
 * What the emulated client sends to the broker's endpoints, and how it reads their responses: metadata (RFC
 * 8414), client authentication (RFC 6749 §2.3.1), tokens (§5.1) and errors (§5.2).
 */
import type { Seconds } from '../oauth/identifiers.ts';

/** The tokens that the broker issued (RFC 6749 §5.1). */
export interface IssuedTokens {
  /** Distinguishes them from an error. */
  readonly kind: 'tokens';
  /** The access token. Secret. */
  readonly accessToken: string;
  /** The refresh token. Absent if the broker issued none. Secret. */
  readonly refreshToken?: string;
  /** How long the access token is valid, in seconds. Absent if the response does not contain it. */
  readonly expiresIn?: Seconds;
  /** The granted scopes, separated by spaces. Absent if the response does not contain it. */
  readonly scope?: string;
}

/** The tokens, or the error of the token endpoint (RFC 6749 §5.2). */
export type TokenResult =
  | IssuedTokens
  | {
      /** Distinguishes it from tokens. */
      readonly kind: 'error';
      /** The status of the response. */
      readonly status: number;
      /** The error code, such as `invalid_grant`; empty if the response has none. */
      readonly error: string;
      /** The description for developers. */
      readonly description?: string;
    };

export type Form = Readonly<Record<string, string>>;

export type Endpoint = 'authorization_endpoint' | 'token_endpoint' | 'revocation_endpoint';

/** Reads the endpoints of the broker (RFC 8414 §3). */
export const readMetadata = async (
  issuer: string,
  send: (request: Request) => Promise<Response>,
): Promise<Readonly<Record<Endpoint, string>>> => {
  const { origin, pathname } = new URL(issuer);
  const url = `${origin}/.well-known/oauth-authorization-server${pathname.replace(/\/$/, '')}`;
  const response = await send(
    new Request(url, { redirect: 'manual', headers: { accept: 'application/json' } }),
  );
  const metadata = await readObject(response);
  // Otherwise, the metadata could be that of another server (§3.3).
  if (!response.ok || metadata.issuer !== issuer)
    throw new Error(
      `${url} responded with status ${response.status}, and not with the metadata of ${issuer}`,
    );
  return {
    authorization_endpoint: String(metadata.authorization_endpoint),
    token_endpoint: String(metadata.token_endpoint),
    revocation_endpoint: String(metadata.revocation_endpoint),
  };
};

/** Builds the form and the header with the credentials (RFC 6749 §2.3.1). */
export const authenticate = (
  method: 'client_secret_post' | 'client_secret_basic' | 'none',
  clientId: string,
  clientSecret: string,
  form: Form,
): { readonly body: URLSearchParams; readonly headers: Readonly<Record<string, string>> } => {
  const accept = { accept: 'application/json' };
  switch (method) {
    case 'none':
      return { body: new URLSearchParams({ ...form, client_id: clientId }), headers: accept };
    case 'client_secret_post': {
      const credentials = { client_id: clientId, client_secret: clientSecret };
      return { body: new URLSearchParams({ ...form, ...credentials }), headers: accept };
    }
    case 'client_secret_basic': {
      const credentials = btoa(`${encodeURIComponent(clientId)}:${encodeURIComponent(clientSecret)}`);
      return {
        body: new URLSearchParams(form),
        headers: { ...accept, authorization: `Basic ${credentials}` },
      };
    }
  }
};

/** @throws Error for a success without a Bearer token */
export const readTokenResult = async (response: Response): Promise<TokenResult> => {
  if (!response.ok) return { kind: 'error', ...(await readError(response)) };
  const body = await readObject(response);
  const { access_token: accessToken, refresh_token: refreshToken, expires_in: expiresIn, scope } = body;
  if (typeof accessToken !== 'string' || String(body.token_type).toLowerCase() !== 'bearer')
    throw new Error('The response of the token endpoint has no Bearer token.');
  return {
    kind: 'tokens',
    accessToken,
    ...(typeof refreshToken === 'string' && { refreshToken }),
    ...(typeof expiresIn === 'number' && { expiresIn }),
    ...(typeof scope === 'string' && { scope }),
  };
};

/** Reads the error of a response, which may have no body. */
export const readError = async (response: Response) => {
  const { error, error_description: description } = await readObject(response);
  return {
    status: response.status,
    error: typeof error === 'string' ? error : '',
    ...(typeof description === 'string' && { description }),
  };
};

/** The members of a response that are used. Their values can be anything. */
type JsonObject = Readonly<
  Partial<
    Record<
      | Endpoint
      | ('issuer' | 'access_token' | 'refresh_token' | 'token_type' | 'expires_in' | 'scope')
      | ('error' | 'error_description'),
      unknown
    >
  >
>;

/** Returns the members of a JSON object; none if the body is something else, such as an error page. */
const readObject = async (response: Response): Promise<JsonObject> =>
  /^application\/json\b/i.test(response.headers.get('content-type') ?? '')
    ? Object(await response.json())
    : {};
