/** Any OpenID Connect issuer as an identity provider, by discovery: the authorization code flow with state, nonce and PKCE. */

import {
  type AuthorizationServer,
  authorizationCodeGrantRequest,
  type ClientAuth,
  ClientSecretBasic,
  ClientSecretPost,
  getValidatedIdTokenClaims,
  type IDToken,
  type JWKS,
  jwksCache,
  processAuthorizationCodeResponse,
  refreshTokenGrantRequest,
  validateApplicationLevelSignature,
  validateAuthResponse,
} from 'oauth4webapi';
import type { EpochSeconds, Identity, Seconds } from '../oauth/identifiers.ts';
import type { OidcSettings, RelyingPartyConfig } from './config.ts';
import { buildRequestOptions, parseEndpoint } from './http.ts';
import {
  createIssuer,
  type IssuerMetadata,
  type OidcIssuer,
  readUnverifiedIssuer,
  withIssuer,
} from './issuer.ts';
import {
  buildAuthorizationUrl,
  buildOAuthClient,
  checkRefreshToken,
  createTokenNotUsedError,
  receiveTokens,
  resolveClientSecret,
  resolveRequestedScopes,
  revokeToken,
  selectLongLivedRefreshToken,
  type TokenResponse,
  toStrictResponse,
  withProviderError,
} from './oauth-client.ts';
import {
  createIdentity,
  type IdentityProvider,
  ProviderError,
  type ProviderIo,
  type UpstreamRequest,
} from './provider.ts';
import { readLogoutToken } from './security-events/verify.ts';
import { completeClaims } from './user-info.ts';

export type { OidcSettings } from './config.ts';

/**
 * Lets people sign in at any OpenID Connect issuer. Nothing is requested before the first sign-in; metadata and signing
 * keys are then remembered, so make the provider once and not for every request.
 * @throws ConfigurationError `providers.<id>.<option>` for a missing, malformed or unsafe setting
 * @see OpenID Connect Core 1.0 §3.1, Discovery 1.0 §4, RFC 7636, RFC 9207
 */
export const oidc = (settings: OidcSettings): IdentityProvider => {
  const issuer = createIssuer(settings);
  return {
    ...createOidcProvider(issuer),
    readLogoutToken: (token, io) => readLogoutToken(token, issuer, io),
  };
};

/** Lets people sign in at an issuer. */
export const createOidcProvider = (issuer: OidcIssuer): IdentityProvider => {
  const { config, discover } = issuer;
  const extraParameters = config.responseMode === 'query' ? {} : { response_mode: config.responseMode };
  return {
    id: config.id,
    displayName: config.displayName,
    configuredUrls: [config.issuer],
    responseMode: config.responseMode,
    revokedErrors: config.revokedErrors,
    singleUseRefreshTokens: config.singleUseRefreshTokens,
    recheckInterval: config.recheckInterval,
    authorizationUrl: (upstreamRequest, io) =>
      withProviderError(async () => {
        const { authorizationEndpoint, scopesSupported } = await discover(io);
        const request = { ...config, scopes: resolveRequestedScopes(config, scopesSupported) };
        return buildAuthorizationUrl(authorizationEndpoint, request, upstreamRequest, {
          nonce: upstreamRequest.nonce,
          ...extraParameters,
        });
      }),
    handleCallback: (callbackUrl, upstreamRequest, io) =>
      withProviderError(async () => {
        const metadata = await discover(io);
        const { claims, tokens } = await redeemCode(callbackUrl.searchParams, {
          ...issuer,
          metadata,
          upstreamRequest,
          io,
        });
        const requested = resolveRequestedScopes(config, metadata.scopesSupported);
        const refreshToken = selectLongLivedRefreshToken(tokens, config.offlineAccess, requested);
        const completed = await completeClaims(claims, tokens, { config: config, metadata, io });
        return toIdentity(config.id, claims.sub, completed, refreshToken);
      }),
    validateRefreshToken: (refreshToken, io) =>
      checkRefreshToken(config, async () => {
        // The token was stored while the setting was another one.
        if (config.offlineAccess === 'never') throw createTokenNotUsedError();
        const { server } = await discover(io);
        const auth = selectClientAuth(server, await resolveClientSecret(config, io));
        return () =>
          refreshTokenGrantRequest(
            server,
            buildOAuthClient(config),
            auth,
            refreshToken,
            buildRequestOptions(io),
          );
      }),
    revoke: (refreshToken, io) =>
      withProviderError(async () => {
        const { server } = await discover(io);
        const { revocation_endpoint: named } = server;
        if (!named) return;
        // Checked only now: nobody is kept from signing in by an endpoint that they do not need.
        const endpoint = parseEndpoint('revocation_endpoint', named, new URL(config.issuer), io);
        const auth = selectClientAuth(server, await resolveClientSecret(config, io));
        const revocationClient = { config, server: { ...server, revocation_endpoint: endpoint }, auth };
        await revokeToken(revocationClient, refreshToken, io);
      }),
  };
};

const toIdentity = (
  provider: string,
  subject: string,
  claims: Identity['claims'],
  refreshToken: string | undefined,
): Identity => {
  const { email, name, email_verified: verified, sid } = claims;
  // Some providers (Apple) write the boolean as a string. Anything else, and no word at all, is not verified.
  const emailVerified = verified === true || verified === 'true';
  return createIdentity(
    provider,
    { subject, labels: [email, name], email, emailVerified, sid },
    claims,
    refreshToken,
  );
};

// The provider's answer at the callback becomes claims: answer, code, ID token, signature, in this order.

/** Everything that one exchange needs besides the answer. */
interface CodeExchange extends Pick<OidcIssuer, 'config' | 'tenantIssuers' | 'verifyWithKeys'> {
  readonly metadata: IssuerMetadata;
  readonly upstreamRequest: UpstreamRequest;
  readonly io: ProviderIo;
}

/** What the issuer vouches for. Nothing leaves this file that was not verified. */
interface VerifiedIdentity {
  readonly claims: IDToken;
  /** The token response that contained the ID token. */
  readonly tokens: TokenResponse;
}

/**
 * Redeems the code in an answer.
 * @param answer the parameters that came to the callback
 * @throws the library's errors and ProviderError; `withProviderError` makes all of them the latter
 */
const redeemCode = async (
  callbackParameters: URLSearchParams,
  exchange: CodeExchange,
): Promise<VerifiedIdentity> => {
  const { config, tenantIssuers, metadata, verifyWithKeys, upstreamRequest, io } = exchange;
  const { server } = metadata;
  const client = buildOAuthClient(config);
  // State, and `iss` against mix-up (RFC 9207), before the code goes anywhere.
  const checked = validateAuthResponse(
    withIssuer(server, tenantIssuers, callbackParameters.get('iss')),
    client,
    callbackParameters,
    upstreamRequest.state,
  );
  const response = await authorizationCodeGrantRequest(
    server,
    client,
    selectClientAuth(server, await resolveClientSecret(config, io)),
    checked,
    upstreamRequest.redirectUri,
    upstreamRequest.codeVerifier,
    buildRequestOptions(io),
  );
  const tokens = await receiveTokens(response);
  const strict = toStrictResponse(response, tokens.idToken);
  const issuer = withIssuer(server, tenantIssuers, readUnverifiedIssuer(tokens.idToken ?? ''));
  const processed = await processAuthorizationCodeResponse(issuer, client, strict, {
    expectedNonce: upstreamRequest.nonce,
    requireIdToken: true,
  });
  const claims = getValidatedIdTokenClaims(processed);
  if (claims === undefined) throw new ProviderError('invalid', 'there is no ID token');
  validateIdToken(claims, config, upstreamRequest, io.now());
  const source = { url: metadata.jwksUri, issuer: issuer.issuer };
  await verifyWithKeys(source, io, (keys) => verifyIdTokenSignature(strict, server, keys));
  return { claims, tokens };
};

/**
 * Says who we are in the way that the issuer takes. Prefers the body: servers disagree on how credentials are encoded
 * inside Basic (RFC 6749 §2.3.1).
 */
const selectClientAuth = (server: AuthorizationServer, secret: string): ClientAuth => {
  const methods: unknown = server.token_endpoint_auth_methods_supported ?? ['client_secret_basic'];
  if (Array.isArray(methods) && methods.includes('client_secret_post')) return ClientSecretPost(secret);
  if (Array.isArray(methods) && methods.includes('client_secret_basic')) return ClientSecretBasic(secret);
  throw new ProviderError('invalid', 'the token endpoint takes no client secret');
};

// What an ID token must be beyond what `oauth4webapi` checks (OpenID Connect Core §2 and §3.1.3.7).

/** How far the issuer's clock and ours may be apart. */
const clockSkew: Seconds = 30;

/** @throws ProviderError `invalid` for a token of another time or for another party, and for a proof that is older than asked for */
const validateIdToken = (
  claims: IDToken,
  { clientId, authTime }: Pick<RelyingPartyConfig, 'clientId' | 'authTime'>,
  { reauthenticate }: Pick<UpstreamRequest, 'reauthenticate'>,
  now: EpochSeconds,
): void => {
  const { exp, iat, nbf = 0, azp = clientId, auth_time: authenticatedAt } = claims;
  refuseIf(now >= exp + clockSkew, 'the ID token has expired');
  refuseIf(iat > now + clockSkew || nbf > now + clockSkew, 'the ID token is not valid yet');
  // The library asks this of several audiences only. Whoever a token was issued to, it was not issued to us.
  refuseIf(azp !== clientId, 'the ID token was issued to another party');
  if (reauthenticate === undefined) return;
  if (authenticatedAt !== undefined) validateAuthTime(authenticatedAt, reauthenticate.since, now);
  else refuseIf(authTime === 'required', 'the ID token does not say when the person proved themselves');
};

/** Parameters of the request can be taken out in the browser: what counts is this claim (§3.1.2.1). */
const validateAuthTime = (authenticatedAt: EpochSeconds, since: EpochSeconds, now: EpochSeconds): void => {
  const isInstant = Number.isSafeInteger(authenticatedAt) && authenticatedAt <= now + clockSkew;
  refuseIf(!isInstant, 'the ID token tells no instant at which the person proved themselves');
  refuseIf(authenticatedAt < since - clockSkew, 'the person did not prove themselves anew');
};

const refuseIf = (wrong: boolean, reason: string): void => {
  if (wrong) throw new ProviderError('invalid', reason);
};

// The signature of the ID token in a token response that the library has processed.

/**
 * Checks it. Copies, because the library remembers promises for each object it is given; and dates the keys in the future, because
 * it would otherwise read them again by its own rules.
 * @throws the library's errors
 */
const verifyIdTokenSignature = (response: Response, server: AuthorizationServer, keys: JWKS): Promise<void> =>
  validateApplicationLevelSignature({ ...server }, response, {
    [jwksCache]: { jwks: structuredClone(keys), uat: Number.POSITIVE_INFINITY },
  });
