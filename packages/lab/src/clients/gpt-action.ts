/**
 * Emulates ChatGPT as the client of a custom GPT with an Action: what it sends, in which order, and how it
 * reads responses. It sends no PKCE parameters, nonce or resource, sends its credentials in the form body or
 * as Basic, and starts a new sign-in only after a 401. The caller passes the `state`, which is a UUID.
 */

export interface GptAction {
  readonly authorizationUrl: string;
  readonly tokenUrl: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** As entered in the GPT editor, which accepts an empty value, spaces and commas. */
  readonly scope: string;
  /** ChatGPT's callback. `buildGptCallbackUrl` returns a real one. */
  readonly redirectUri: string;
  /** The editor's "Default (POST request)" or "Basic authorization header". */
  readonly tokenExchange: 'post' | 'basic';
}

/** A sign-in that has started: the URL that the user opens, and the expected state. */
export interface StartedSignIn {
  readonly url: URL;
  readonly state: string;
}

/** What ChatGPT's callback received. */
export type CallbackResult =
  | { readonly kind: 'code'; readonly code: string }
  | { readonly kind: 'error'; readonly error: string }
  /** The state is not the one that was sent, so ChatGPT drops the response. */
  | { readonly kind: 'state-mismatch' };

/**
 * The token response. For an error status other than 401, ChatGPT shows an error and does not offer to sign
 * in again.
 */
export type TokenResult =
  | {
      readonly kind: 'tokens';
      readonly accessToken: string;
      readonly refreshToken?: string;
      readonly expiresIn?: number;
    }
  | { readonly kind: 'error'; readonly status: number; readonly body: unknown };

/**
 * The API response. After a 401, ChatGPT asks the user to sign in again; after a 400 or 403, it does not.
 */
export type ApiResult =
  | { readonly kind: 'response'; readonly status: number; readonly body: unknown }
  | { readonly kind: 'unauthorized' };

/** Returns ChatGPT's callback for one GPT. `id` is `g-` and 4 to 128 more characters. */
export const buildGptCallbackUrl = (
  id: string,
  host: 'chat.openai.com' | 'chatgpt.com' = 'chatgpt.com',
): string => `https://${host}/aip/${id}/oauth/callback`;

/**
 * Builds the Action of a GPT, as it is configured for the broker at `origin`: no scopes, credentials in the
 * form body.
 * @param redirectUri Default: the callback of a GPT at ChatGPT, which is not on loopback, so no test opens it
 */
export const buildGptAction = (
  origin: string,
  { clientId, clientSecret }: Pick<GptAction, 'clientId' | 'clientSecret'>,
  redirectUri = buildGptCallbackUrl('g-0123456789abcdef0123456789abcdef'),
): GptAction => ({
  authorizationUrl: `${origin}/authorize`,
  tokenUrl: `${origin}/token`,
  clientId,
  clientSecret,
  scope: '',
  redirectUri,
  tokenExchange: 'post',
});

/** Builds the authorization request that the user's browser opens. */
export const startSignIn = (action: GptAction, state: string): StartedSignIn => {
  const url = new URL(action.authorizationUrl);
  url.searchParams.set('response_type', 'code');
  url.searchParams.set('client_id', action.clientId);
  url.searchParams.set('redirect_uri', action.redirectUri);
  url.searchParams.set('state', state);
  url.searchParams.set('scope', action.scope);
  return { url, state };
};

/** Reads the authorization response from the callback URL. */
export const readCallback = (startedSignIn: StartedSignIn, location: URL): CallbackResult => {
  const { state, error, code } = Object.fromEntries(location.searchParams);
  if (state !== startedSignIn.state) return { kind: 'state-mismatch' };
  if (code !== undefined) return { kind: 'code', code };
  return { kind: 'error', error: error ?? '' };
};

/** Exchanges a code for tokens. */
export const redeemCode = (action: GptAction, code: string, send: typeof fetch): Promise<TokenResult> =>
  requestTokens(action, { grant_type: 'authorization_code', code, redirect_uri: action.redirectUri }, send);

/** Exchanges a refresh token for a new access token. */
export const refreshTokens = (
  action: GptAction,
  refreshToken: string,
  send: typeof fetch,
): Promise<TokenResult> =>
  requestTokens(action, { grant_type: 'refresh_token', refresh_token: refreshToken }, send);

/** A call of one operation of the API. */
export interface ApiRequest {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  /** The fields that are sent as JSON. Default: the request has no body. */
  readonly body?: Readonly<Record<string, unknown>>;
}

/** Calls one operation of the API. */
export const callApi = async (
  { method, url, body }: ApiRequest,
  accessToken: string,
  send: typeof fetch,
): Promise<ApiResult> => {
  const response = await send(url, {
    method,
    headers: {
      authorization: `Bearer ${accessToken}`,
      accept: 'application/json',
      ...(body && { 'content-type': 'application/json' }),
    },
    ...(body && { body: JSON.stringify(body) }),
  });
  if (response.status === 401) return { kind: 'unauthorized' };
  return { kind: 'response', status: response.status, body: await readBody(response) };
};

const requestTokens = async (
  action: GptAction,
  grant: Readonly<Record<string, string>>,
  send: typeof fetch,
): Promise<TokenResult> => {
  const credentials = { client_id: action.clientId, client_secret: action.clientSecret };
  const basic = `Basic ${btoa(`${encodeURIComponent(action.clientId)}:${encodeURIComponent(action.clientSecret)}`)}`;
  const response = await send(action.tokenUrl, {
    method: 'POST',
    headers: {
      accept: 'application/json',
      ...(action.tokenExchange === 'basic' ? { authorization: basic } : {}),
    },
    body: new URLSearchParams(action.tokenExchange === 'basic' ? grant : { ...grant, ...credentials }),
  });
  const body = await readBody(response);
  return (response.ok ? readTokens(body) : undefined) ?? { kind: 'error', status: response.status, body };
};

const readTokens = (body: unknown): TokenResult | undefined => {
  if (typeof body !== 'object' || body === null || !('access_token' in body)) return undefined;
  const { access_token: accessToken } = body;
  if (typeof accessToken !== 'string') return undefined;
  const refreshToken = 'refresh_token' in body ? body.refresh_token : undefined;
  const expiresIn = 'expires_in' in body ? body.expires_in : undefined;
  return {
    kind: 'tokens',
    accessToken,
    ...(typeof refreshToken === 'string' ? { refreshToken } : {}),
    ...(typeof expiresIn === 'number' ? { expiresIn } : {}),
  };
};

/** Parses JSON by its content type, and returns any other body as text. */
const readBody = async (response: Response): Promise<unknown> => {
  const text = await response.text();
  return /^application\/([\w.-]+\+)?json\b/i.test(response.headers.get('content-type') ?? '')
    ? JSON.parse(text)
    : text;
};
