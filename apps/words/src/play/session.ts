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

/** Who sent a request. `cookies` are the `Set-Cookie` values of the response. */
export type Session =
  | { readonly kind: 'player'; readonly userId: string; readonly cookies: readonly string[] }
  /** `hasEnded`: the browser was signed in before. */
  | { readonly kind: 'guest'; readonly hasEnded: boolean; readonly cookies: readonly string[] }
  /** Nobody knows at the moment: there are too many requests (429), or the broker is unavailable. */
  | { readonly kind: 'unknown'; readonly status: number };

/** How a sign-in ended. */
export type SignInResult = {
  readonly kind: 'signed-in' | 'canceled' | 'sign-in-failed';
  /** The language of the page where the sign-in started. */
  readonly language: SiteLanguage | undefined;
  readonly cookies: readonly string[];
};

/** The sign-in of the page. */
export interface Sessions {
  /** Finds out who sent a request. Refreshes the tokens if the access token has expired. */
  readonly read: (request: Request) => Promise<Session>;
  /** Starts a sign-in: returns the URL of the authorization request, and a cookie. */
  readonly start: (
    language: string,
  ) => Promise<{ readonly url: string; readonly cookies: readonly string[] }>;
  /** Handles the request to `callbackPath`. */
  readonly finish: (request: Request) => Promise<SignInResult>;
  /** Revokes the grant. Returns the `Set-Cookie` values. */
  readonly end: (request: Request) => Promise<readonly string[]>;
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

/** A sign-in that has started: `<state>.<code verifier>.<language>`. */
const signInCookie = '__Host-play-sign-in';

/** More than the sign-in page and the provider allow, in seconds. */
const signInLifetime = 3600;

/** Creates the sign-in of the page. */
export const createSessions = (options: SessionOptions): Sessions => {
  const { origin, randomBytes } = options;
  return {
    read: async (request) => {
      const cookie = readCookie(request, sessionCookie);
      if (cookie === undefined) return { kind: 'guest', hasEnded: false, cookies: [] };
      const ended = { kind: 'guest', hasEnded: true, cookies: [clearCookie(sessionCookie)] } as const;
      const [accessToken = '', refreshToken = ''] = cookie.split('.');
      const first = await authenticate(options, request, accessToken);
      if (typeof first === 'string') return { kind: 'player', userId: first, cookies: [] };
      if (first !== 401) return { kind: 'unknown', status: first };
      const tokens = await requestTokens(options, request, {
        grant_type: 'refresh_token',
        refresh_token: refreshToken,
      });
      if (tokens.kind === 'refused')
        return tokens.status === 400 ? ended : { kind: 'unknown', status: tokens.status };
      const second = await authenticate(options, request, tokens.accessToken);
      if (typeof second === 'string') return { kind: 'player', userId: second, cookies: [tokens.cookie] };
      return second === 401 ? ended : { kind: 'unknown', status: second };
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
        cookies: [setCookie(signInCookie, [state, verifier, language].join('.'), signInLifetime)],
      };
    },
    finish: async (request) => {
      const { searchParams } = new URL(request.url);
      const [state, verifier = '', languageName] = readCookie(request, signInCookie)?.split('.') ?? [];
      const language = siteLanguages.find((name) => name === languageName);
      // A response to another browser or tab. The sign-in of this one may still be under way.
      if (state === undefined || searchParams.get('state') !== state)
        return { kind: 'sign-in-failed', language, cookies: [] };
      const cookies = [clearCookie(signInCookie)];
      if (searchParams.get('error') === 'access_denied') return { kind: 'canceled', language, cookies };
      const tokens = await requestTokens(options, request, {
        grant_type: 'authorization_code',
        code: searchParams.get('code') ?? '',
        redirect_uri: origin + callbackPath,
        code_verifier: verifier,
      });
      if (tokens.kind === 'refused') return { kind: 'sign-in-failed', language, cookies };
      return { kind: 'signed-in', language, cookies: [...cookies, tokens.cookie] };
    },
    end: async (request) => {
      const [, refreshToken] = readCookie(request, sessionCookie)?.split('.') ?? [];
      if (refreshToken !== undefined) await post(options, '/revoke', request, { token: refreshToken });
      return [clearCookie(sessionCookie)];
    },
  };
};

/** Returns the ID of the player, or the status of the refusal. */
const authenticate = async (
  { broker, selectLimiter }: SessionOptions,
  { url, method }: Request,
  accessToken: string,
): Promise<string | number> => {
  const call = new Request(url, { method, headers: { authorization: `Bearer ${accessToken}` } });
  const result = await broker.protect(call, { scopes: ['score'], limiter: selectLimiter(call) });
  return result.ok ? result.user.id : result.response.status;
};

type Parameters = Readonly<Record<string, string>>;

/** Sends a token request (RFC 6749 §4.1.3, §6). */
const requestTokens = async (options: SessionOptions, request: Request, parameters: Parameters) => {
  const response = await post(options, '/token', request, parameters);
  if (response?.status !== 200) return { kind: 'refused', status: response?.status ?? 500 } as const;
  const { access_token, refresh_token } = v.parse(tokenResponse, await response.json());
  const cookie = setCookie(sessionCookie, `${access_token}.${refresh_token}`, sessionLifetime);
  return { kind: 'issued', accessToken: access_token, cookie } as const;
};

const tokenResponse = v.object({ access_token: v.string(), refresh_token: v.string() });

const post = (
  { origin, broker }: SessionOptions,
  path: string,
  { headers }: Request,
  parameters: Parameters,
): Promise<Response | undefined> =>
  broker.handle(
    new Request(origin + path, {
      method: 'POST',
      // The broker counts failed requests by address.
      headers: { 'cf-connecting-ip': headers.get('cf-connecting-ip') ?? '' },
      body: new URLSearchParams({ ...parameters, client_id: playClientId }),
    }),
  );

const toBase64url = (bytes: Uint8Array): string =>
  btoa(String.fromCharCode(...bytes)).replace(/[+/=]/g, (character) => base64urlOf[character] ?? '');

const base64urlOf: Readonly<Record<string, string>> = { '+': '-', '/': '_' };
