/**
 * An OAuth client for tests, with a browser that has no JavaScript: it signs a user in, redeems the code,
 * refreshes and revokes tokens, and calls an API as ChatGPT and other clients do (RFC 6749 §4.1, §6).
 */
import { ConfigurationError, rejectUnknownOptions } from '../oauth/errors.ts';
import { computeDigest, randomSecret, systemRandom } from '../oauth/secrets.ts';
import { type Browser, clickButtons, createBrowser, NavigationError } from './browser.ts';
import {
  authenticate,
  type Endpoint,
  type Form,
  type IssuedTokens,
  readError,
  readMetadata,
  readTokenResult,
  type TokenResult,
} from './client-requests.ts';
import { isLoopbackHost } from './cookies.ts';

/** The options of `emulateGptAction`. */
export interface GptActionCredentials {
  /** The issuer of the broker, such as `https://words.example`. */
  readonly issuer: string;
  /** The client ID. */
  readonly clientId: string;
  /** The client secret. */
  readonly clientSecret: string;
  /**
   * Sends every request of the client and of its browser, and follows no redirects. It must handle requests
   * to the broker and to the provider. Default: the global `fetch`.
   */
  readonly fetch?: (request: Request) => Promise<Response>;
  /**
   * The origins that can be used besides loopback and the issuer's, such as that of a fake provider or of an
   * API. The sign-in fails at every other URL, so that no test contacts a real server by mistake. Default:
   * none.
   */
  readonly origins?: readonly string[];
}

/** The options of `createEmulatedClient`. */
export interface EmulatedClientOptions extends Omit<GptActionCredentials, 'clientSecret'> {
  /** The client secret. Default: none, for a public client. */
  readonly clientSecret?: string;
  /** The redirect URI, to which the broker sends the code. The browser never opens it. */
  readonly redirectUri: string;
  /** The scopes to request, separated by spaces. Default: the parameter is not sent. */
  readonly scope?: string;
  /** The API that the tokens are for (RFC 8707). Default: the parameter is not sent. */
  readonly resource?: string;
  /**
   * Whether the client uses PKCE (RFC 7636): `S256` for a code challenge, or `none`, as ChatGPT does for a
   * custom GPT. Default: `S256`.
   */
  readonly pkce?: 'S256' | 'none';
  /**
   * How the client authenticates at the token and revocation endpoints: with `client_secret_post`, the secret
   * is in the form; with `client_secret_basic`, in the `Authorization` header; with `none`, it is not sent.
   * Default: `client_secret_post` with a client secret, otherwise `none`.
   * @see RFC 6749 §2.3.1
   */
  readonly tokenEndpointAuthMethod?: 'client_secret_post' | 'client_secret_basic' | 'none';
}

/** A sign-in that has started. */
export interface StartedSignIn {
  /** The authorization request, which the user's browser opens. */
  readonly url: URL;
  /** The code verifier for `redeemCode`. Absent without PKCE. */
  readonly codeVerifier?: string;
  /**
   * Reads the authorization response: checks `state` and, if it is present, `iss` (RFC 9207).
   * @param callbackUrl the redirect URI with the parameters of the response
   * @returns the authorization code
   * @throws OAuthResponseError if the response has an error, such as `access_denied`
   * @throws Error if it is not the response to this request
   */
  readCallback(callbackUrl: URL): string;
}

/** An emulated OAuth client. */
export interface EmulatedClient {
  /**
   * Signs a user in with a new browser, and redeems the code.
   * @param buttons for each button to click, in order, a part of its text, such as `Sign in with Acme` and
   *   `Ada Marlow`
   * @throws OAuthResponseError if the broker responds with an error, such as `access_denied`
   * @throws NavigationError if a page does not have the button, or if the sign-in ends elsewhere
   */
  signIn(buttons: readonly string[]): Promise<IssuedTokens>;
  /** Builds an authorization request, for a test that opens it itself. */
  startSignIn(): Promise<StartedSignIn>;
  /**
   * Exchanges a code for tokens.
   * @param code the authorization code
   * @param codeVerifier the verifier of the sign-in. Default: none
   */
  redeemCode(code: string, codeVerifier?: string): Promise<TokenResult>;
  /**
   * Uses a refresh token.
   * @param refreshToken the refresh token, as `signIn` or an earlier refresh returned it
   * @throws Error for `undefined`: the broker issued no refresh token. A `staticClient` gets one if it requests
   *   the scope `offline_access`
   */
  refresh(refreshToken: string | undefined): Promise<TokenResult>;
  /**
   * Revokes a token and its grant (RFC 7009).
   * @param token an access token or a refresh token
   * @throws OAuthResponseError if the broker responds with an error
   */
  revoke(token: string): Promise<void>;
  /**
   * Calls an API with an access token (RFC 6750 §2.1). Follows no redirects.
   * @param request the URL to get, or a complete request, on loopback, at the issuer or at one of `origins`
   * @param accessToken the access token
   * @throws Error for another origin, so that no token is sent to a real server by mistake
   */
  call(request: string | URL | Request, accessToken: string): Promise<Response>;
}

/** The broker responded with an OAuth error. */
export class OAuthResponseError extends Error {
  /** The name of the class. */
  override readonly name = 'OAuthResponseError';
  /** The error code, such as `access_denied`; empty if the response has none. */
  readonly code: string;
  /** The status of the response. `undefined` if the error was in a redirect. */
  readonly status: number | undefined;

  /**
   * Creates the error.
   * @param endpoint the name of the endpoint, for the message
   * @param response the error code, the description and the status
   */
  constructor(
    endpoint: string,
    response: { readonly error: string; readonly description?: string; readonly status?: number },
  ) {
    const { error, description, status } = response;
    const statusText = status === undefined ? '' : ` and status ${status}`;
    super(
      `The ${endpoint} endpoint responded with ${error || 'no error code'}${statusText}` +
        (description === undefined ? '' : `: ${description}`),
    );
    this.code = error;
    this.status = status;
  }
}

/**
 * Creates an OAuth client that signs in like an ordinary one: with PKCE, and with the endpoints from the
 * metadata of the broker (RFC 8414). Its browser opens only loopback, the issuer and `origins`, and stops at
 * the redirect URI.
 * @param options the credentials of a client of the broker
 * @throws ConfigurationError `tokenEndpointAuthMethod` if it needs a client secret and there is none
 * @example
 * ```ts
 * import { createEmulatedClient } from 'assistant-auth/testing';
 *
 * const client = createEmulatedClient({
 *   issuer: 'http://localhost:8787',
 *   clientId: 'app',
 *   redirectUri: 'https://app.example/callback',
 *   scope: 'score offline_access',
 * });
 * const { accessToken } = await client.signIn(['Sign in with Acme', 'Ada Marlow']);
 * const response = await client.call('http://localhost:8787/api/score', accessToken);
 * ```
 */
export const createEmulatedClient = (options: EmulatedClientOptions): EmulatedClient => {
  const { issuer, clientId, clientSecret, redirectUri, resource, pkce = 'S256', ...others } = options;
  const {
    scope: _,
    tokenEndpointAuthMethod: authMethod = clientSecret === undefined ? 'none' : 'client_secret_post',
    fetch: send = callFetch,
    origins = [],
    ...unknown
  } = others;
  rejectUnknownOptions('', unknown);
  if (authMethod !== 'none' && clientSecret === undefined)
    throw new ConfigurationError('tokenEndpointAuthMethod', 'must be none without a clientSecret.');
  const allowedOrigins = [new URL(issuer).origin, ...origins];
  // The origin of a `blob:` URL is that of the page that created it.
  const isAllowed = ({ protocol, origin }: URL): boolean =>
    /^https?:$/.test(protocol) && allowedOrigins.includes(origin);
  const sendForm = async (endpoint: Endpoint, form: Form): Promise<Response> => {
    const url = new URL((await readMetadata(issuer, send))[endpoint]);
    // The request contains the client secret and tokens, so it must not go to another server.
    if (!isAllowed(url))
      throw new Error(`The ${endpoint} is at ${url.origin}, which is neither the issuer nor in origins.`);
    const authenticated = authenticate(authMethod, clientId, clientSecret ?? '', {
      ...form,
      ...(resource !== undefined && endpoint === 'token_endpoint' && { resource }),
    });
    return send(new Request(url, { method: 'POST', redirect: 'manual', ...authenticated }));
  };
  const requestTokens = async (form: Form): Promise<TokenResult> =>
    readTokenResult(await sendForm('token_endpoint', form));

  const client: EmulatedClient = {
    startSignIn: async () =>
      startSignIn((await readMetadata(issuer, send)).authorization_endpoint, { ...options, pkce }),
    async signIn(buttons) {
      const started = await client.startSignIn();
      const browser = createBrowser({
        fetch: send,
        origins: allowedOrigins,
        shouldStopAt: (target) => isRedirectUri(target, redirectUri),
      });
      const code = await obtainCode(browser, started, buttons, redirectUri);
      const result = await client.redeemCode(code, started.codeVerifier);
      if (result.kind === 'error') throw new OAuthResponseError('token', result);
      return result;
    },
    redeemCode: (code, codeVerifier) =>
      requestTokens({
        ...{ grant_type: 'authorization_code', code, redirect_uri: redirectUri },
        ...(codeVerifier !== undefined && { code_verifier: codeVerifier }),
      }),
    refresh: async (refreshToken) =>
      requestTokens({ grant_type: 'refresh_token', refresh_token: requireRefreshToken(refreshToken) }),
    async revoke(token) {
      const response = await sendForm('revocation_endpoint', { token });
      if (!response.ok) throw new OAuthResponseError('revocation', await readError(response));
    },
    async call(request, accessToken) {
      const authorized = new Request(request, { redirect: 'manual' });
      const url = new URL(authorized.url);
      if (!isLoopbackHost(url) && !isAllowed(url))
        throw new Error(`The API is at ${url.origin}, which is neither the issuer nor in origins.`);
      authorized.headers.set('authorization', `Bearer ${accessToken}`);
      return send(authorized);
    },
  };
  return client;
};

/**
 * Creates a client that signs in like ChatGPT for a custom GPT with an Action: without PKCE, with an
 * empty scope, with a callback of ChatGPT, and with the credentials in the form. The broker registers it with
 * `gptAction`, which must not be restricted to other GPTs with `gptIds`.
 * @param credentials the credentials of the GPT
 * @example
 * ```ts
 * import { emulateGptAction } from 'assistant-auth/testing';
 *
 * const gpt = emulateGptAction({
 *   issuer: 'https://words.example',
 *   clientId: 'words-gpt',
 *   clientSecret: env.GPT_CLIENT_SECRET,
 *   fetch: broker.fetch,
 * });
 * const { accessToken } = await gpt.signIn(['Sign in with Acme', 'Ada Marlow']);
 * ```
 */
export const emulateGptAction = (credentials: GptActionCredentials): EmulatedClient =>
  createEmulatedClient({
    ...credentials,
    scope: '',
    pkce: 'none',
    redirectUri: 'https://chatgpt.com/aip/g-0123456789abcdef0123456789abcdef/oauth/callback',
  });

// Workers reject `fetch` if it is called as a method of another object.
const callFetch = (request: Request): Promise<Response> => fetch(request);

/** Builds the authorization request (RFC 6749 §4.1.1). */
const startSignIn = async (endpoint: string, options: EmulatedClientOptions): Promise<StartedSignIn> => {
  const { issuer, clientId, redirectUri, scope, resource, pkce } = options;
  const url = new URL(endpoint);
  const state = randomSecret(systemRandom);
  const codeVerifier = pkce === 'none' ? undefined : randomSecret(systemRandom);
  const parameters = {
    ...{ response_type: 'code', client_id: clientId, redirect_uri: redirectUri, state },
    ...(scope !== undefined && { scope }),
    ...(resource !== undefined && { resource }),
    ...(codeVerifier !== undefined && {
      code_challenge: await computeDigest(codeVerifier),
      code_challenge_method: 'S256',
    }),
  };
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  return {
    url,
    ...(codeVerifier !== undefined && { codeVerifier }),
    readCallback: (callbackUrl) => readCallback(callbackUrl, state, issuer),
  };
};

const isRedirectUri = (url: URL, redirectUri: string): boolean => {
  const expected = new URL(redirectUri);
  return (
    url.protocol === expected.protocol && url.host === expected.host && url.pathname === expected.pathname
  );
};

/**
 * Clicks through a sign-in.
 * @throws OAuthResponseError if the authorization response has an error, such as `invalid_scope`, even if it
 *   arrives before all buttons were clicked
 * @throws Error if the response is not for this request
 * @throws NavigationError if the browser stops or ends elsewhere
 */
const obtainCode = async (
  browser: Browser,
  { url, readCallback: readResponse }: StartedSignIn,
  buttons: readonly string[],
  redirectUri: string,
): Promise<string> => {
  try {
    const callbackUrl = await clickButtons(browser, url, buttons);
    if (isRedirectUri(callbackUrl, redirectUri)) return readResponse(callbackUrl);
    throw new NavigationError(
      `stopped at ${callbackUrl.origin}, which is neither the redirect URI nor in origins`,
    );
  } catch (error) {
    const stoppedAt = error instanceof NavigationError ? error.stoppedAt : undefined;
    // Throws the error of the response, if it has one.
    if (stoppedAt !== undefined && isRedirectUri(stoppedAt, redirectUri)) readResponse(stoppedAt);
    throw error;
  }
};

const requireRefreshToken = (refreshToken: string | undefined): string => {
  if (refreshToken !== undefined) return refreshToken;
  throw new Error('There is no refresh token. Does the client request the scope offline_access?');
};

const readCallback = ({ searchParams }: URL, state: string, issuer: string): string => {
  if (searchParams.get('state') !== state)
    throw new Error('The state of the authorization response is not that of the request.');
  if ((searchParams.get('iss') ?? issuer) !== issuer)
    throw new Error(`The authorization response is from another issuer: ${searchParams.get('iss')}`);
  const code = searchParams.get('code');
  const error = searchParams.get('error');
  if (code !== null && error === null) return code;
  const description = searchParams.get('error_description');
  throw new OAuthResponseError('authorization', {
    error: error ?? '',
    ...(description !== null && { description }),
  });
};
