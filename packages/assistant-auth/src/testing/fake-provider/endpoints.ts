/**
 * The endpoints of the fake provider: the authorization code flow (OpenID Connect Core §3.1), refresh tokens
 * (§12) and UserInfo (§5.3). Each checks a request as a real provider does.
 */
import { readForm } from '../../http/request.ts';
import type { Clock, EpochSeconds, Seconds } from '../../oauth/identifiers.ts';
import { ProtocolError } from '../../oauth/protocol-error.ts';
import { computeDigest, randomSecret, systemRandom, timingSafeEqual } from '../../oauth/secrets.ts';
import {
  bearerError,
  clientError,
  errorPage,
  json,
  redirectTo,
  tokenError,
  userListPage,
} from './responses.ts';
import { computeSubject, type TokenGrant, type Tokens, tokenLifetime } from './tokens.ts';

/** A user who has an account at a fake provider. */
export interface FakeUser {
  /** The full name, which is on the user's button. */
  readonly name: string;
  /** The email address, which the provider reports as verified. The user's `sub` is derived from it. */
  readonly email: string;
  /**
   * Additional claims of the ID token and UserInfo, such as `groups`. They can replace `email_verified`.
   * Default: none.
   */
  readonly claims?: Readonly<Record<string, unknown>>;
}

/** What the endpoints of one fake provider share. */
export interface FakeProviderContext {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly displayName: string;
  readonly isAllowedRedirect: (uri: string) => boolean;
  readonly users: readonly FakeUser[];
  readonly now: Clock;
  readonly tokens: Tokens;
  /** The codes that have not been redeemed yet. */
  readonly codes: Map<string, IssuedCode>;
}

export type Endpoint = (context: FakeProviderContext, request: Request, url: URL) => Promise<Response>;

/** Discovery (OpenID Connect Discovery 1.0 §4). */
export const readMetadata: Endpoint = async ({ issuer }) =>
  json({
    issuer,
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/token`,
    userinfo_endpoint: `${issuer}/userinfo`,
    jwks_uri: `${issuer}/keys`,
    scopes_supported: ['openid', 'email', 'profile', 'offline_access'],
    response_types_supported: ['code'],
    response_modes_supported: ['query'],
    grant_types_supported: ['authorization_code', 'refresh_token'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['ES256'],
    token_endpoint_auth_methods_supported: ['client_secret_post', 'client_secret_basic'],
    code_challenge_methods_supported: ['S256'],
    authorization_response_iss_parameter_supported: true,
  });

/** The key that verifies ID tokens (RFC 7517 §5). */
export const readSigningKeys: Endpoint = async ({ tokens }) => json({ keys: [await tokens.readKey()] });

/** What the broker requested (OpenID Connect Core §3.1.2.1). */
interface AuthorizationRequest {
  readonly redirectUri: string;
  readonly state: string | null;
  readonly scopes: readonly string[];
  readonly nonce: string | null;
  readonly codeChallenge: string | null;
}

interface IssuedCode extends AuthorizationRequest {
  readonly user: FakeUser;
  readonly authTime: EpochSeconds;
  readonly expiresAt: EpochSeconds;
}

const codeLifetime: Seconds = 60;

/** Shows the users; the page posts the choice to the same URL, with the same query. */
export const showUsers: Endpoint = async (context, _request, url) => {
  const parsed = parseAuthorizationRequest(context, url.searchParams);
  return parsed instanceof Response ? parsed : userListPage(context);
};

/** Redirects to the broker with a code for the chosen user, or with `access_denied` if there is none. */
export const acceptChoice: Endpoint = async (context, request, url) => {
  const parsed = parseAuthorizationRequest(context, url.searchParams);
  if (parsed instanceof Response) return parsed;
  const email = (await parseForm(request))?.get('user');
  if (email === '') return respondToBroker(context, parsed, { error: 'access_denied' });
  const user = context.users.find((candidate) => candidate.email === email);
  if (user === undefined) return errorPage('The form must have the email address of a user as user.');
  const { codes, now } = context;
  const authTime = now();
  for (const [code, { expiresAt }] of codes) if (expiresAt <= authTime) codes.delete(code);
  const code = randomSecret(systemRandom);
  codes.set(code, { ...parsed, user, authTime, expiresAt: authTime + codeLifetime });
  return respondToBroker(context, parsed, { code });
};

/**
 * Before the redirect URI is verified, errors are shown as a page; later ones are redirected (RFC 6749
 * §4.1.2.1).
 */
const parseAuthorizationRequest = (
  context: FakeProviderContext,
  query: URLSearchParams,
): AuthorizationRequest | Response => {
  const repeated = findRepeated(query);
  if (repeated !== undefined) return errorPage(`${repeated} must not be repeated.`);
  if (query.get('client_id') !== context.clientId) return errorPage('client_id is not a registered client.');
  const redirectUri = query.get('redirect_uri');
  if (redirectUri === null || !context.isAllowedRedirect(redirectUri))
    return errorPage('redirect_uri is missing or not registered.');
  const codeChallenge = query.get('code_challenge');
  const request = {
    redirectUri,
    state: query.get('state'),
    scopes: (query.get('scope') ?? '').split(' ').filter((scope) => scope !== ''),
    nonce: query.get('nonce'),
    codeChallenge,
  };
  const refuse = (error: string, description: string): Response =>
    respondToBroker(context, request, { error, error_description: description });
  if (query.get('response_type') !== 'code')
    return refuse('unsupported_response_type', 'response_type must be code.');
  if ((query.get('response_mode') ?? 'query') !== 'query')
    return refuse('invalid_request', 'response_mode must be query.');
  if (codeChallenge !== null || query.has('code_challenge_method')) {
    if (query.get('code_challenge_method') !== 'S256' || !/^[\w-]{43}$/.test(codeChallenge ?? ''))
      return refuse('invalid_request', 'code_challenge must use code_challenge_method S256.');
  }
  // The user always has to choose (OpenID Connect Core §3.1.2.6).
  if (query.get('prompt') === 'none') return refuse('login_required', 'No user is signed in.');
  return request;
};

/** Redirects to the broker, with the issuer (RFC 9207). */
const respondToBroker = (
  { issuer }: FakeProviderContext,
  { redirectUri, state }: Pick<AuthorizationRequest, 'redirectUri' | 'state'>,
  parameters: Readonly<Record<string, string>>,
): Response => {
  const url = new URL(redirectUri);
  for (const [name, value] of Object.entries({ ...parameters, iss: issuer }))
    url.searchParams.set(name, value);
  if (state !== null) url.searchParams.set('state', state);
  return redirectTo(url);
};

export const requestTokens: Endpoint = async (context, request) => {
  const form = await parseForm(request);
  if (form === undefined)
    return tokenError(
      'invalid_request',
      'The body must be application/x-www-form-urlencoded, at most 16 KiB.',
    );
  const repeated = findRepeated(form);
  if (repeated !== undefined) return tokenError('invalid_request', `${repeated} must not be repeated.`);
  const refused = await authenticateClient(context, request, form);
  if (refused !== undefined) return refused;
  switch (form.get('grant_type')) {
    case 'authorization_code':
      return redeemCode(context, form);
    case 'refresh_token':
      return refreshTokens(context, form);
    case null:
      return tokenError('invalid_request', 'grant_type is missing.');
    default:
      return tokenError('unsupported_grant_type', 'grant_type must be authorization_code or refresh_token.');
  }
};

/** Checks the credentials in the header or in the form (RFC 6749 §2.3.1), and returns the error, if any. */
const authenticateClient = async (
  { clientId, clientSecret }: FakeProviderContext,
  request: Request,
  form: URLSearchParams,
): Promise<Response | undefined> => {
  const header = request.headers.get('authorization');
  if (header !== null && form.has('client_secret'))
    return tokenError('invalid_request', 'The request must use only one authentication method.');
  const [id, secret] =
    header === null ? [form.get('client_id'), form.get('client_secret')] : parseBasic(header);
  const isAuthenticated = id === clientId && (await timingSafeEqual(secret ?? '', clientSecret));
  return isAuthenticated ? undefined : clientError();
};

const parseBasic = (header: string): readonly (string | undefined)[] => {
  const [, encoded = ''] = /^Basic +([A-Za-z0-9+/]+={0,2})$/i.exec(header) ?? [];
  // Form decoding (RFC 6749 appendix B): `URLSearchParams` accepts every input, unlike `decodeURIComponent`.
  return encoded.length % 4 === 1 || encoded === ''
    ? []
    : atob(encoded.padEnd(Math.ceil(encoded.length / 4) * 4, '='))
        .split(':')
        .map((part) => new URLSearchParams(`part=${part.replaceAll('&', '%26')}`).get('part') ?? '');
};

const redeemCode = async (context: FakeProviderContext, form: URLSearchParams): Promise<Response> => {
  const { codes, now } = context;
  const code = form.get('code');
  if (code === null) return tokenError('invalid_request', 'code is missing.');
  const issued = codes.get(code);
  // A code can be presented only once, even if the request is refused (RFC 6749 §4.1.2).
  codes.delete(code);
  if (issued === undefined || issued.expiresAt <= now())
    return tokenError('invalid_grant', 'The code is unknown, has expired or was already used.');
  if (form.get('redirect_uri') !== issued.redirectUri)
    return tokenError('invalid_grant', 'redirect_uri is not that of the authorization request.');
  const verifier = form.get('code_verifier');
  if ((verifier === null ? null : await computeDigest(verifier)) !== issued.codeChallenge)
    return tokenError('invalid_grant', 'code_verifier does not match the code_challenge.');
  const { user, scopes, authTime, nonce } = issued;
  const grant = { subject: await computeSubject(user.email), scope: scopes.join(' '), authTime };
  const refreshToken = scopes.includes('offline_access')
    ? { refresh_token: await context.tokens.issue('refresh', grant) }
    : {};
  return json({ ...(await issueTokens(context, user, grant, nonce)), ...refreshToken });
};

/** The refresh token stays the same, so a lost response has no consequences. */
const refreshTokens = async (context: FakeProviderContext, form: URLSearchParams): Promise<Response> => {
  const token = form.get('refresh_token');
  if (token === null) return tokenError('invalid_request', 'refresh_token is missing.');
  const grant = await context.tokens.verify('refresh', token);
  const user = grant && (await findUser(context, grant));
  if (grant === undefined || user === undefined)
    return tokenError('invalid_grant', 'The refresh token is not valid, or it was revoked.');
  const scope = form.get('scope') ?? grant.scope;
  const granted = grant.scope.split(' ');
  if (!scope.split(' ').every((name) => granted.includes(name)))
    return tokenError('invalid_scope', 'scope must not exceed the scope that was granted.');
  return json(await issueTokens(context, user, { ...grant, scope }, null));
};

/** Without the scope `openid`, there is no ID token (OpenID Connect Core §3.1.2.1), as for `oauth2()`. */
const issueTokens = async (
  { tokens }: FakeProviderContext,
  user: FakeUser,
  grant: TokenGrant,
  nonce: string | null,
): Promise<object> => ({
  access_token: await tokens.issue('access', grant),
  token_type: 'Bearer',
  expires_in: tokenLifetime,
  scope: grant.scope,
  ...(grant.scope.split(' ').includes('openid') && {
    id_token: await tokens.signIdToken(grant, {
      ...selectClaims(user, grant),
      ...(nonce !== null && { nonce }),
    }),
  }),
});

/** Returns the claims of a user that the scopes request (OpenID Connect Core §5.4). */
const selectClaims = ({ name, email, claims }: FakeUser, { scope }: TokenGrant): object => {
  const scopes = scope.split(' ');
  return {
    ...(scopes.includes('email') && { email, email_verified: true }),
    ...(scopes.includes('profile') && { name }),
    ...claims,
  };
};

/** Returns the user's claims for an access token (RFC 6750 §2.1). */
export const readUserInfo: Endpoint = async (context, request) => {
  const header = request.headers.get('authorization');
  if (header === null) return bearerError();
  const token = /^Bearer +(\S+)$/i.exec(header)?.[1] ?? '';
  const grant = await context.tokens.verify('access', token);
  const user = grant && (await findUser(context, grant));
  if (grant === undefined || user === undefined) return bearerError('invalid_token');
  return json({ ...selectClaims(user, grant), sub: grant.subject });
};

/** Returns `undefined` for a user who is no longer in the options. */
const findUser = async (
  { users }: FakeProviderContext,
  { subject }: TokenGrant,
): Promise<FakeUser | undefined> => {
  for (const user of users) if ((await computeSubject(user.email)) === subject) return user;
  return undefined;
};

/** Returns `undefined` for another content type, more than 16 KiB, or a body that cannot be read. */
const parseForm = async (request: Request): Promise<URLSearchParams | undefined> => {
  try {
    return await readForm(request);
  } catch (error) {
    if (error instanceof ProtocolError) return undefined;
    throw error;
  }
};

/** Returns the first parameter that occurs more than once (RFC 6749 §3.1, §3.2). */
const findRepeated = (parameters: URLSearchParams): string | undefined =>
  [...parameters.keys()].find((name, at, names) => names.indexOf(name) < at);
