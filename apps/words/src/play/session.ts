/**
 * Signs players in to `/play`. The page is an OAuth client of our own broker (RFC 6749 §4.1, PKCE), which runs in
 * the same process, so each request to it is a function call. The tokens are in a cookie that scripts cannot read.
 */
import { type Broker, type Client, type RateLimiter, staticClient } from 'assistant-auth';
import * as v from 'valibot';
import { scopeNames } from '../api/scopes.ts';
import type { RandomBytes } from '../game/game.ts';
import { type SiteLanguage, siteLanguages } from '../site-routes.ts';
import { clearCookie, readCookie, setCookie } from './cookies.ts';

/** Where the broker sends the code. */
export const callbackPath = '/play/callback';

/** The client ID. */
export const playClientId = 'play';

/** Creates the client. It is public, because only PKCE and cookies connect a browser with its sign-in. */
export const playClient = (origin: string): Client =>
  staticClient({
    id: playClientId,
    name: 'Words With Chat (web)',
    redirectUris: [origin + callbackPath],
    offlineAccess: 'always',
    scopes: scopeNames,
  });

/** Who sent a request. `cookies` are `Set-Cookie` values for the response. */
export type Session =
  | { readonly kind: 'player'; readonly userId: string; readonly cookies: readonly string[] }
  /** `hasEnded`: the browser was signed in before. */
  | { readonly kind: 'guest'; readonly hasEnded: boolean; readonly cookies: readonly string[] }
  /** Unknown for now: there are too many requests (429), or the broker is unavailable (503). */
  | { readonly kind: 'unknown'; readonly status: number; readonly cookies: readonly string[] };

/** How a sign-in ended. */
interface SignInResult {
  readonly kind: 'signed-in' | 'canceled' | 'sign-in-failed';
  /** The language of the page where the sign-in started. */
  readonly language: SiteLanguage | undefined;
  readonly cookies: readonly string[];
}

/** Whether the grant was revoked. If not, the browser stays signed in, so that the player can try again. */
type SignOutResult =
  | { readonly kind: 'signed-out'; readonly cookies: readonly string[] }
  | { readonly kind: 'failed'; readonly status: number };

/** The sign-in of the page. */
export interface Sessions {
  /** Finds out who sent a request. Refreshes the tokens if the access token has expired. */
  readonly read: (request: Request) => Promise<Session>;
  /** Starts a sign-in: returns the URL of the authorization request, and a cookie. */
  readonly start: (
    language: SiteLanguage,
  ) => Promise<{ readonly url: string; readonly cookies: readonly string[] }>;
  /** Handles the request to `callbackPath`. */
  readonly finish: (request: Request) => Promise<SignInResult>;
  /** Revokes the grant, with all its tokens. */
  readonly end: (request: Request) => Promise<SignOutResult>;
}

/** What the sign-in needs from the app. */
export interface SessionOptions {
  readonly origin: string;
  readonly broker: Pick<Broker, 'handle' | 'protect'>;
  /** Selects the limiter that counts a request of a player. */
  readonly selectLimiter: (request: Request) => RateLimiter;
  readonly randomBytes: RandomBytes;
}

/** The tokens in the cookie: `<access token>.<refresh token>`. */
const sessionCookie = '__Host-play';

/** As long as a refresh token is valid without being used, in seconds. */
const sessionLifetime = 30 * 86_400;

/**
 * A sign-in that has started: `<code verifier>.<language>`. The name ends in `state`, so that sign-ins in several tabs
 * do not disturb each other.
 */
const signInCookiePrefix = '__Host-play-sign-in-';

/** More than the sign-in page and the provider allow, in seconds. */
const signInLifetime = 3600;

/** Creates the sign-in of the page. */
export const createSessions = (options: SessionOptions): Sessions => {
  const { origin, randomBytes } = options;
  return {
    read: async (request) => {
      const cookie = readCookie(request, sessionCookie);
      if (cookie === undefined) return { kind: 'guest', hasEnded: false, cookies: [] };
      const [accessToken = '', refreshToken = ''] = cookie.split('.');
      const current = await authenticate(options, request, accessToken, []);
      if (current.kind !== 'expired') return current;
      const tokens = await requestTokens(options, {
        grant_type: 'refresh_token',
        refresh_token: refreshToken,
      });
      const ended = { kind: 'guest', hasEnded: true, cookies: [clearCookie(sessionCookie)] } as const;
      if (tokens.kind === 'refused')
        return tokens.status === 400 ? ended : { kind: 'unknown', status: tokens.status, cookies: [] };
      const refreshed = await authenticate(options, request, tokens.accessToken, [tokens.cookie]);
      return refreshed.kind === 'expired' ? ended : refreshed;
    },
    start: async (language) => {
      const [state, verifier] = [toBase64url(randomBytes(16)), toBase64url(randomBytes(32))];
      const challenge = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier));
      const parameters = new URLSearchParams({
        response_type: 'code',
        client_id: playClientId,
        redirect_uri: origin + callbackPath,
        resource: origin,
        scope: scopeNames.join(' '),
        state,
        code_challenge: toBase64url(new Uint8Array(challenge)),
        code_challenge_method: 'S256',
      });
      return {
        url: `/authorize?${parameters}`,
        cookies: [setCookie(signInCookiePrefix + state, `${verifier}.${language}`, signInLifetime)],
      };
    },
    finish: async (request) => {
      const { searchParams } = new URL(request.url);
      const name = signInCookiePrefix + searchParams.get('state');
      const [verifier, languageName] = readCookie(request, name)?.split('.') ?? [];
      const language = siteLanguages.find((known) => known === languageName);
      // Another browser started the sign-in, or it was finished before.
      if (verifier === undefined) return { kind: 'sign-in-failed', language, cookies: [] };
      const cookies = [clearCookie(name)];
      const code = searchParams.get('code');
      if (code === null) {
        const isCanceled = searchParams.get('error') === 'access_denied';
        return { kind: isCanceled ? 'canceled' : 'sign-in-failed', language, cookies };
      }
      const tokens = await requestTokens(options, {
        grant_type: 'authorization_code',
        code,
        redirect_uri: origin + callbackPath,
        code_verifier: verifier,
      });
      if (tokens.kind === 'refused') return { kind: 'sign-in-failed', language, cookies };
      // The session before, which may be somebody else's. If it cannot be revoked now, it expires.
      await revoke(options, request);
      return { kind: 'signed-in', language, cookies: [...cookies, tokens.cookie] };
    },
    end: async (request) => {
      const response = await revoke(options, request);
      return response === undefined || response.ok
        ? { kind: 'signed-out', cookies: [clearCookie(sessionCookie)] }
        : { kind: 'failed', status: response.status };
    },
  };
};

/** Finds the player of an access token. `cookies` are those of the session. */
const authenticate = async (
  { broker, selectLimiter }: SessionOptions,
  { url, method }: Request,
  accessToken: string,
  cookies: readonly string[],
): Promise<Session | { readonly kind: 'expired' }> => {
  const call = new Request(url, { method, headers: { authorization: `Bearer ${accessToken}` } });
  const result = await broker.protect(call, { scopes: ['score'], limiter: selectLimiter(call) });
  if (!result.ok) {
    const { status } = result.response;
    return status === 401 ? { kind: 'expired' } : { kind: 'unknown', status, cookies };
  }
  // The access tokens of other clients do not sign anyone in here.
  const { user, client } = result;
  return client.id === playClientId ? { kind: 'player', userId: user.id, cookies } : { kind: 'expired' };
};

type Parameters = Readonly<Record<string, string>>;

/** Sends a token request (RFC 6749 §4.1.3, §6). */
const requestTokens = async (options: SessionOptions, parameters: Parameters) => {
  const response = await callBroker(options, '/token', parameters);
  if (response?.status !== 200) return { kind: 'refused', status: response?.status ?? 500 } as const;
  const { access_token, refresh_token } = v.parse(tokenResponse, await response.json());
  const cookie = setCookie(sessionCookie, `${access_token}.${refresh_token}`, sessionLifetime);
  return { kind: 'issued', accessToken: access_token, cookie } as const;
};

const tokenResponse = v.object({ access_token: v.string(), refresh_token: v.string() });

/** Revokes the grant of the session (RFC 7009 §2.1), if there is one. */
const revoke = async (options: SessionOptions, request: Request): Promise<Response | undefined> => {
  const [, token = ''] = readCookie(request, sessionCookie)?.split('.') ?? [];
  return token === '' ? undefined : callBroker(options, '/revoke', { token });
};

const callBroker = (
  { origin, broker }: SessionOptions,
  path: string,
  parameters: Parameters,
): Promise<Response | undefined> => {
  const body = new URLSearchParams({ ...parameters, client_id: playClientId });
  return broker.handle(new Request(origin + path, { method: 'POST', body }));
};

const toBase64url = (bytes: Uint8Array): string =>
  btoa(String.fromCharCode(...bytes)).replace(/[+/=]/g, (character) => base64urlOf[character] ?? '');

const base64urlOf: Readonly<Record<string, string>> = { '+': '-', '/': '_' };
