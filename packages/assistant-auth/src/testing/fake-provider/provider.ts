/**
 * An OpenID Connect provider for tests and examples, as a request handler without a server: its options and
 * its endpoints. Anyone can sign in as any of its users, so it refuses to run on a host that can be reached
 * from the internet.
 */
import { systemClock } from '../../defaults.ts';
import { ConfigurationError, rejectUnknownOptions } from '../../oauth/errors.ts';
import type { Clock } from '../../oauth/identifiers.ts';
import { isLoopbackHost } from '../cookies.ts';
import {
  acceptChoice,
  type Endpoint,
  type FakeProviderContext,
  type FakeUser,
  readMetadata,
  readSigningKeys,
  readUserInfo,
  requestTokens,
  showUsers,
} from './endpoints.ts';
import { methodNotAllowed, notFound } from './responses.ts';
import { computeSubject, createTokens } from './tokens.ts';

/** The options of `createFakeProvider`. */
export interface FakeProviderOptions {
  /**
   * The issuer: an http or https URL without a trailing slash, on loopback or on a host that is reserved for
   * tests (`.example`, `.test`, `.localhost`, `.invalid`). Add a path, such as
   * `http://localhost:8787/fake-provider`, if the broker has the same origin.
   * @see RFC 2606 §2, RFC 6761 §6
   */
  readonly issuer: string;
  /** The client ID of the broker. */
  readonly clientId: string;
  /** The client secret of the broker. */
  readonly clientSecret: string;
  /** The name on the sign-in page. Default: `Acme`. */
  readonly displayName?: string;
  /**
   * The redirect URIs of the broker, which are compared exactly. Default: any http or https URL on loopback or
   * on a host that is reserved for tests.
   */
  readonly redirectUris?: readonly string[];
  /** The users, with unique email addresses. Default: Ada Marlow, Bruno Castell and Chiyo Tanabe. */
  readonly users?: readonly FakeUser[];
  /** Sends the requests that are not for this provider. Default: the global `fetch`. */
  readonly fetch?: typeof fetch;
  /** Returns the current time in whole seconds. Default: the system clock. */
  readonly now?: Clock;
}

/** A fake OpenID Connect provider. */
export interface FakeProvider {
  /**
   * Handles a request to one of the provider's endpoints.
   * @param request the request, with the URL that the client requested
   * @returns the complete response, or `undefined` if the URL is not one of the provider's
   */
  handle(request: Request): Promise<Response | undefined>;
  /**
   * Answers requests to the issuer directly, and sends all others with the option `fetch`. Pass it to
   * `createBroker` as `fetch`, so that the broker needs no server for the provider.
   */
  readonly fetch: typeof fetch;
  /**
   * Revokes the broker's access to a user's account: every refresh token and access token that was issued
   * for the user until now is invalid, so the next recheck fails with `invalid_grant`. The user can sign in
   * again.
   * @param user the email address or the `sub` of the user
   * @throws Error if there is no such user
   */
  revoke(user: string): Promise<void>;
}

/**
 * Creates an OpenID Connect provider that needs no account and no network, for `oidc()` in tests and
 * examples. Its page has a button for each user, and one to cancel. Codes and the signing key are kept in
 * memory; refresh tokens stay valid when the process is restarted with the same `clientSecret`.
 * @param options the issuer, and the credentials of the broker
 * @throws ConfigurationError with the name of an option that is not valid; `issuer` for a host that could be
 *   reached from the internet
 * @see OpenID Connect Core 1.0 §3.1, RFC 6749 §4.1, RFC 7636
 * @example
 * ```ts
 * import { oidc } from 'assistant-auth';
 * import { createFakeProvider } from 'assistant-auth/testing';
 *
 * const credentials = {
 *   issuer: 'http://localhost:8787/fake-provider',
 *   clientId: 'words',
 *   clientSecret: 'not-a-secret',
 * };
 * const fakeProvider = createFakeProvider(credentials);
 * // Pass these to `createBroker`, and `await fakeProvider.handle(request)` before your own routes.
 * const providers = [oidc({ id: 'acme', displayName: 'Acme', ...credentials })];
 * const { fetch } = fakeProvider;
 * ```
 */
export const createFakeProvider = (options: FakeProviderOptions): FakeProvider => {
  const config = parseOptions(options);
  const context: FakeProviderContext = { ...config, tokens: createTokens(config), codes: new Map() };
  const { origin, pathname } = new URL(config.issuer);
  const base = pathname.replace(/\/$/, '');
  const handle: FakeProvider['handle'] = async (request) => {
    const url = new URL(request.url);
    if (url.origin !== origin || !url.pathname.startsWith(`${base}/`)) return undefined;
    const methods = endpoints.get(url.pathname.slice(base.length));
    const endpoint = methods?.get(request.method);
    if (methods === undefined || endpoint !== undefined) return endpoint?.(context, request, url);
    return methodNotAllowed([...methods.keys()]);
  };
  return {
    handle,
    async fetch(input: RequestInfo | URL, init?: RequestInit) {
      const request = new Request(input, init);
      const url = new URL(request.url);
      // Nothing below the issuer is sent to a network, even if there is no such endpoint.
      const isBelowIssuer = url.origin === origin && `${url.pathname}/`.startsWith(`${base}/`);
      return isBelowIssuer ? ((await handle(request)) ?? notFound()) : config.send(request);
    },
    async revoke(identifier) {
      for (const { email } of config.users) {
        const subject = await computeSubject(email);
        if (identifier === email || identifier === subject) return context.tokens.revoke(subject);
      }
      throw new Error(`The fake provider has no user with the email address or subject ${identifier}.`);
    },
  };
};

// Options.

/** The options, checked and completed. */
interface Config extends Omit<FakeProviderContext, 'tokens' | 'codes'> {
  readonly send: typeof fetch;
}

const defaultUsers: readonly FakeUser[] = [
  { name: 'Ada Marlow', email: 'ada.marlow@example.com' },
  { name: 'Bruno Castell', email: 'bruno.castell@example.org' },
  { name: 'Chiyo Tanabe', email: 'chiyo.tanabe@example.net' },
];

const parseOptions = (options: FakeProviderOptions): Config => {
  const { issuer, clientId, clientSecret, displayName = 'Acme', redirectUris, ...others } = options;
  const { users = defaultUsers, fetch: send = callFetch, now = systemClock, ...unknown } = others;
  rejectUnknownOptions('', unknown);
  const url = URL.parse(issuer);
  if (url === null || !isPlainUrl(url, issuer))
    throw new ConfigurationError('issuer', 'must be a URL without a trailing slash, query or fragment.');
  if (!isTestHost(url))
    throw new ConfigurationError(
      'issuer',
      'must be on loopback or on a host that ends in .example, .test, .localhost or .invalid, because anyone can sign in as any user.',
    );
  for (const [option, value] of Object.entries({ clientId, clientSecret }))
    if (!/^[\x21-\x7E]+$/.test(value))
      throw new ConfigurationError(option, 'must be printable ASCII without spaces, and not empty.');
  if (users.length === 0 || new Set(users.map(({ email }) => email)).size < users.length)
    throw new ConfigurationError('users', 'must contain at least one user, and unique email addresses.');
  if (redirectUris?.every((uri) => URL.canParse(uri)) === false)
    throw new ConfigurationError('redirectUris', 'must be absolute URLs.');
  const isAllowedRedirect = (uri: string): boolean => {
    if (redirectUris !== undefined) return redirectUris.includes(uri);
    const redirectUrl = URL.parse(uri);
    return redirectUrl !== null && !uri.includes('#') && isTestHost(redirectUrl);
  };
  return { issuer, clientId, clientSecret, displayName, isAllowedRedirect, users, send, now };
};

// Workers reject `fetch` if it is called as a method of another object.
const callFetch: typeof fetch = (...args: Parameters<typeof fetch>) => fetch(...args);

const isPlainUrl = (url: URL, text: string): boolean =>
  (text === url.href || text === url.origin) && !/[?#@]|\/$/.test(text);

/** Returns whether a URL is on loopback or on a host that is reserved for tests (RFC 2606 §2, RFC 6761 §6). */
const isTestHost = (url: URL): boolean =>
  /^https?:$/.test(url.protocol) &&
  (isLoopbackHost(url) || /\.(example|test|localhost|invalid)$/.test(url.hostname));

/** The endpoints, by path below the issuer and by method. */
const endpoints: ReadonlyMap<string, ReadonlyMap<string, Endpoint>> = new Map([
  ['/.well-known/openid-configuration', new Map([['GET', readMetadata]])],
  ['/keys', new Map([['GET', readSigningKeys]])],
  [
    '/authorize',
    new Map([
      ['GET', showUsers],
      ['POST', acceptChoice],
    ]),
  ],
  ['/token', new Map([['POST', requestTokens]])],
  [
    '/userinfo',
    new Map([
      ['GET', readUserInfo],
      ['POST', readUserInfo],
    ]),
  ],
]);
