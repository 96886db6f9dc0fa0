/**
 * Any OAuth 2.0 server that is not an OpenID Connect issuer: the authorization code flow with state and PKCE
 * (RFC 6749 §4.1, RFC 7636), then a request to its API for the profile of the user.
 */

import { rejectUnknownOptions } from '../oauth/errors.ts';
import { type ClientConfig, clientDefaults, type ProviderOptions, type Rule, validate } from './config.ts';
import { fetchFromProvider } from './http.ts';
import { createIdentity, type ProviderProfile } from './identity.ts';
import {
  buildAccountPromptParameters,
  buildAuthorizationUrl,
  receiveTokens,
  requireBearerToken,
  resolveClientSecret,
  selectOfflineToken,
  type TokenResponse,
  withProviderError,
} from './oauth-client.ts';
import {
  type ClientEndpoint,
  createCredentials,
  readAuthorizationCode,
  redeemCode,
  refreshTokens,
} from './oauth-requests.ts';
import { clientRules, isAllowedUrl, omitProviderOptions } from './option-rules.ts';
import {
  type IdentityProvider,
  ProviderError,
  type ProviderIo,
  toSubjectNamespace,
  type UpstreamRequest,
} from './provider.ts';
import { checkRefreshToken, revokeToken, tokenNotUsed } from './recheck.ts';

export type { ProviderProfile } from './identity.ts';

/**
 * The options of {@link oauth2}. All URLs must use https, or http on loopback, without user information or a
 * fragment.
 */
export interface OAuth2Options extends ProviderOptions {
  /**
   * The issuer identifier of the server. If an authorization response contains `iss`, it must be this value.
   * If the server documents none, use its origin.
   * @see RFC 9207 §2.4
   */
  readonly issuer: string;
  /** The authorization endpoint, which the browser is sent to (RFC 6749 §3.1). */
  readonly authorizationUrl: string;
  /** The token endpoint, which codes and refresh tokens are sent to (RFC 6749 §3.2). */
  readonly tokenUrl: string;
  /** The endpoint that returns the profile as JSON, in response to a GET request with the access token. */
  readonly profileUrl: string;
  /** The revocation endpoint (RFC 7009). Default: refresh tokens are not revoked. */
  readonly revocationUrl?: string;
  /**
   * Maps the JSON of `profileUrl` to a profile. Returns `undefined` if it has no user ID; the sign-in then
   * fails. The JSON comes from the provider, so check the types of its values.
   */
  readonly mapProfile: (profile: Readonly<Record<string, unknown>>) => ProviderProfile | undefined;
}

type OAuth2Config = ClientConfig & Omit<OAuth2Options, keyof ProviderOptions>;

/**
 * Lets users sign in with an OAuth 2.0 server that has an API for their profile. The subjects belong to its
 * `issuer` (on loopback, without its port): if that changes, sign-ins are refused until the operator accepts
 * the change.
 * @param options the endpoints of the server, and the credentials of the broker
 * @throws ConfigurationError `providers.<id>.<option>` for a missing, malformed or unsafe option
 * @see RFC 6749 §4.1, RFC 7636, RFC 9207
 * @example
 * ```ts
 * import { oauth2 } from 'assistant-auth';
 *
 * const provider = oauth2({
 *   id: 'acme',
 *   displayName: 'Acme',
 *   issuer: 'https://login.acme.example',
 *   authorizationUrl: 'https://login.acme.example/authorize',
 *   tokenUrl: 'https://login.acme.example/token',
 *   profileUrl: 'https://api.acme.example/me',
 *   clientId: env.ACME_CLIENT_ID,
 *   clientSecret: env.ACME_CLIENT_SECRET,
 *   scopes: ['profile'],
 *   mapProfile: ({ id, name, email }) =>
 *     typeof id === 'string' ? { subject: id, labels: [email, name], email } : undefined,
 * });
 * ```
 */
export const oauth2 = (options: OAuth2Options): IdentityProvider => {
  const { issuer, authorizationUrl, tokenUrl, profileUrl, revocationUrl: _, mapProfile, ...shared } = options;
  rejectUnknownOptions(`providers.${options.id}.`, omitProviderOptions(shared));
  const config = validate<OAuth2Config>(
    { scopes: [], reauthentication: {}, accountSelection: {}, ...clientDefaults, ...options },
    rules,
  );
  const { revocationUrl, icon } = config;
  return {
    id: config.id,
    displayName: config.displayName,
    ...(icon !== undefined && { icon }),
    subjectNamespace: toSubjectNamespace(config.issuer),
    configuredUrls: [
      config.authorizationUrl,
      config.tokenUrl,
      config.profileUrl,
      ...(revocationUrl === undefined ? [] : [revocationUrl]),
    ],
    responseMode: 'query',
    revokedErrors: config.revokedErrors,
    singleUseRefreshTokens: config.singleUseRefreshTokens,
    recheckInterval: config.recheckInterval,
    authorizationUrl: (upstreamRequest) =>
      buildAuthorizationUrl(
        config.authorizationUrl,
        config,
        upstreamRequest,
        buildAccountPromptParameters(config, upstreamRequest),
      ),
    handleCallback: (callback, upstreamRequest, io) =>
      withProviderError(async () => {
        const tokens = await exchangeCode(callback.searchParams, config, upstreamRequest, io);
        const profile = await fetchProfile(config, requireBearerToken(tokens), io);
        const mappedProfile = config.mapProfile(profile);
        if (mappedProfile === undefined)
          throw new ProviderError('invalid', 'the profile response has no user ID');
        const refreshToken = selectOfflineToken(tokens, config);
        return createIdentity(config.id, mappedProfile, profile, refreshToken);
      }),
    validateRefreshToken: async (refreshToken, io) =>
      config.offlineAccess === 'never'
        ? tokenNotUsed
        : checkRefreshToken(config, async () => {
            const endpoint = await authenticate(config.tokenUrl, config, io);
            return () => refreshTokens(endpoint, refreshToken, io);
          }),
    ...(revocationUrl !== undefined && { revoke: createRevoke(revocationUrl, config) }),
  };
};

const urlProblem = 'must be an https URL without user information or fragment, or an http URL on loopback.';

const rules: readonly Rule<OAuth2Config>[] = [
  ...clientRules,
  ['issuer', ({ issuer }) => isAllowedUrl(issuer), urlProblem],
  ['authorizationUrl', (config) => isAllowedUrl(config.authorizationUrl), urlProblem],
  ['tokenUrl', ({ tokenUrl }) => isAllowedUrl(tokenUrl), urlProblem],
  ['profileUrl', ({ profileUrl }) => isAllowedUrl(profileUrl), urlProblem],
  [
    'revocationUrl',
    ({ revocationUrl }) => revocationUrl === undefined || isAllowedUrl(revocationUrl),
    urlProblem,
  ],
];

const exchangeCode = async (
  callback: URLSearchParams,
  config: OAuth2Config,
  upstreamRequest: UpstreamRequest,
  io: ProviderIo,
): Promise<TokenResponse> => {
  const code = readAuthorizationCode(callback, upstreamRequest.state, {
    issuer: config.issuer,
    isIssRequired: false,
  });
  const endpoint = await authenticate(config.tokenUrl, config, io);
  const response = await redeemCode(endpoint, { ...upstreamRequest, code, pkce: config.pkce }, io);
  // An ID token is not used, because only `oidc()` can verify one.
  return receiveTokens(response);
};

const createRevoke =
  (endpoint: string, config: OAuth2Config): NonNullable<IdentityProvider['revoke']> =>
  (refreshToken, io) =>
    withProviderError(async () => revokeToken(await authenticate(endpoint, config, io), refreshToken, io));

const authenticate = async (
  url: string,
  { tokenAuthMethod = 'client_secret_post', ...config }: OAuth2Config,
  io: ProviderIo,
): Promise<ClientEndpoint> => {
  const clientSecret = await resolveClientSecret(config, io);
  return { url, credentials: createCredentials(tokenAuthMethod, config.clientId, clientSecret) };
};

const fetchProfile = async (
  { profileUrl }: OAuth2Config,
  accessToken: string,
  io: ProviderIo,
): Promise<Readonly<Record<string, unknown>>> => {
  const headers = { authorization: `Bearer ${accessToken}` };
  const response = await fetchFromProvider(profileUrl, { headers }, io);
  const profile: unknown = await response.json().catch(() => undefined);
  if (!response.ok)
    throw new ProviderError('invalid', `the profile endpoint responded with status ${response.status}`);
  if (typeof profile !== 'object' || profile === null)
    throw new ProviderError('invalid', 'the profile response is not a JSON object');
  return { ...profile };
};
