/**
 * Any OpenID Connect issuer as an identity provider, by discovery: the authorization code flow with state,
 * nonce and PKCE (OpenID Connect Core §3.1). `verifyIdToken` verifies the ID token (§3.1.3.7):
 * `validateIdToken` checks the claims, and `verifyIdTokenSignature` checks the algorithm and the signature
 * with `jose`. In `issuer.ts`, `selectAlgorithms`, `withIssuer` and `selectKeysForIssuer` decide which
 * algorithms, tenants and keys are accepted.
 */

import type { EpochSeconds, Identity, Seconds } from '../oauth/identifiers.ts';
import { type Claims, readUnverifiedClaims } from '../oauth/jwt.ts';
import { isEntraIssuer, readAdminConsent } from './admin-consent.ts';
import type { OidcOptions, RelyingPartyConfig } from './config.ts';
import { parseEndpoint } from './http.ts';
import { createIdentity } from './identity.ts';
import { createIssuer, type IssuerMetadata, type OidcIssuer, selectIssuer } from './issuer.ts';
import {
  buildAccountPromptParameters,
  buildAuthorizationUrl,
  buildPromptParameters,
  receiveTokens,
  resolveClientSecret,
  resolveRequestedScopes,
  selectLongLivedToken,
  selectOfflineToken,
  type TokenResponse,
  withProviderError,
} from './oauth-client.ts';
import {
  type ClientCredentials,
  type ClientEndpoint,
  createCredentials,
  createPostCredentials,
  readAuthorizationCode,
  redeemCode,
  refreshTokens,
} from './oauth-requests.ts';
import { defaultAccountSelection, parseOidcOptions } from './option-rules.ts';
import {
  type IdentityProvider,
  ProviderError,
  type ProviderIo,
  parseSubject,
  refuseIf,
  toSubjectNamespace,
  type UpstreamRequest,
} from './provider.ts';
import { checkRefreshToken, revokeToken, tokenNotUsed } from './recheck.ts';
import { readLogoutToken } from './security-events/verify.ts';
import { completeClaims, type IdTokenClaims } from './user-info.ts';

export type { OidcOptions } from './config.ts';

/**
 * Lets users sign in with any OpenID Connect issuer. Creating the provider sends no request. Metadata and
 * signing keys are cached, so create the provider once and not for each request. Logout tokens of the issuer
 * are accepted at `<broker>/backchannel-logout/<id>`.
 * @param options the issuer, and the credentials of the broker
 * @throws ConfigurationError `providers.<id>.<option>` for a missing, malformed or unsafe option
 * @see OpenID Connect Core 1.0 §3.1, Discovery 1.0 §4, RFC 7636, RFC 9207
 * @example
 * ```ts
 * import { oidc } from 'assistant-auth';
 *
 * const provider = oidc({
 *   id: 'acme',
 *   displayName: 'Acme',
 *   issuer: 'https://login.acme.example',
 *   clientId: env.ACME_CLIENT_ID,
 *   clientSecret: env.ACME_CLIENT_SECRET,
 * });
 * ```
 */
export const oidc = (options: OidcOptions): IdentityProvider => {
  const config = parseOidcOptions(options);
  const issuer = createIssuer(config);
  return {
    ...createOidcProvider(issuer, toSubjectNamespace(config.issuer), oidcFeatures),
    ...(config.icon !== undefined && { icon: config.icon }),
    // A token that is still stored was issued when the option had another value.
    ...(config.offlineAccess === 'never' && { validateRefreshToken: async () => tokenNotUsed }),
    ...(config.discoveryUrl !== undefined && { configuredUrls: [config.issuer, config.discoveryUrl] }),
    readLogoutToken: (token, io) => readLogoutToken(token, issuer, io),
    ...(isEntraIssuer(options.issuer) && { readAdminConsent }),
  };
};

/** What differs between the built-in providers and other issuers. */
interface IssuerFeatures {
  /** Returns the claims of the ID token together with those of other sources. */
  readonly completeClaims: (...args: Parameters<typeof completeClaims>) => Promise<Claims>;
  /** Returns the credentials for a request to the issuer. */
  readonly selectCredentials: typeof selectCredentials;
  /** Returns the options, adapted to what the issuer supports. */
  readonly adaptOptions: typeof adaptOptions;
  /** Returns the refresh token if it can be used for rechecks. */
  readonly selectRefreshToken: typeof selectOfflineToken;
  /** Returns the parameters that determine what the provider asks the user for. */
  readonly buildPromptParameters: typeof buildPromptParameters;
}

/**
 * The built-in providers all accept the secret in the body, their ID tokens have all claims, their refresh
 * tokens outlive the user's session, and their fixed parameters request an account chooser, if they have one.
 */
const builtInFeatures: IssuerFeatures = {
  completeClaims: async (claims) => claims,
  selectCredentials: createPostCredentials,
  adaptOptions: (config) => config,
  selectRefreshToken: selectLongLivedToken,
  buildPromptParameters,
};

/**
 * Creates the provider of an issuer.
 * @param subjectNamespace the namespace that its subjects belong to
 * @param features Default: those of the built-in providers
 */
export const createOidcProvider = (
  issuer: OidcIssuer,
  subjectNamespace: string,
  features: IssuerFeatures = builtInFeatures,
): IdentityProvider => {
  const { config, discover } = issuer;
  const extraParameters = config.responseMode === 'query' ? {} : { response_mode: config.responseMode };
  return {
    id: config.id,
    displayName: config.displayName,
    subjectNamespace,
    configuredUrls: [config.issuer],
    responseMode: config.responseMode,
    revokedErrors: config.revokedErrors,
    singleUseRefreshTokens: config.singleUseRefreshTokens,
    recheckInterval: config.recheckInterval,
    authorizationUrl: (upstreamRequest, io) =>
      withProviderError(async () => {
        const { authorizationEndpoint, document } = await discover(io);
        const options = features.adaptOptions(config, document);
        const promptParameters = features.buildPromptParameters(options, upstreamRequest);
        return buildAuthorizationUrl(authorizationEndpoint, options, upstreamRequest, promptParameters, {
          ...(config.nonce && { nonce: upstreamRequest.nonce }),
          ...extraParameters,
        });
      }),
    handleCallback: (callbackUrl, upstreamRequest, io) =>
      withProviderError(async () => {
        const metadata = await discover(io);
        const { claims, tokens } = await exchangeCode(callbackUrl.searchParams, {
          ...issuer,
          features,
          metadata,
          upstreamRequest,
          io,
        });
        const options = features.adaptOptions(config, metadata.document);
        const refreshToken = features.selectRefreshToken(tokens, options);
        const completed = await features.completeClaims(claims, tokens, { config, metadata, io });
        return toIdentity(config.id, claims.sub, completed, refreshToken);
      }),
    validateRefreshToken: (refreshToken, io) =>
      checkRefreshToken(config, async () => {
        const metadata = await discover(io);
        const endpoint = await authenticate(metadata.tokenEndpoint, { config, features, metadata, io });
        return () => refreshTokens(endpoint, refreshToken, io);
      }),
    revoke: (refreshToken, io) =>
      withProviderError(async () => {
        const metadata = await discover(io);
        const { revocation_endpoint: named } = metadata.document;
        if (!named) return;
        // Checked only here, so that an invalid endpoint does not prevent sign-ins, which do not need it.
        const url = parseEndpoint('revocation_endpoint', named, metadata.url, io);
        await revokeToken(await authenticate(url, { config, features, metadata, io }), refreshToken, io);
      }),
  };
};

const adaptOptions = (
  config: RelyingPartyConfig,
  document: IssuerMetadata['document'],
): RelyingPartyConfig => ({
  ...config,
  scopes: resolveRequestedScopes(config, document.scopes_supported),
  accountSelection: selectIfSupported(config.accountSelection, document),
});

/**
 * Returns the default parameters only if the issuer lists their `prompt` as supported (OpenID Connect Prompt
 * Create 1.0): some issuers refuse a request with any other value. Parameters that the publisher set are
 * always sent.
 */
const selectIfSupported = (
  parameters: Readonly<Record<string, string>>,
  { prompt_values_supported: supported }: IssuerMetadata['document'],
): Readonly<Record<string, string>> => {
  if (parameters !== defaultAccountSelection) return parameters;
  const isSupported = Array.isArray(supported) && supported.includes(defaultAccountSelection.prompt);
  return isSupported ? parameters : {};
};

const toIdentity = (
  provider: string,
  subject: string,
  claims: Identity['claims'],
  refreshToken: string | undefined,
): Identity => {
  const { email, name, email_verified: verified, sid } = claims;
  // Some providers (Apple) send the boolean as a string. Any other value, or none, means not verified.
  const emailVerified = verified === true || verified === 'true';
  return createIdentity(
    provider,
    { subject, labels: [email, name], email, emailVerified, sid },
    claims,
    refreshToken,
  );
};

// Verifies a callback in this order: parameters, code, ID token, signature.

/** What one code exchange needs besides the callback parameters. */
interface CodeExchange
  extends Pick<OidcIssuer, 'config' | 'issuerNames' | 'verifySignature'>,
    AuthenticatedClient {
  readonly upstreamRequest: UpstreamRequest;
}

/** The result of a code exchange. The claims are returned only after the ID token was verified. */
interface ExchangedCode {
  readonly claims: IdTokenClaims;
  /** The token response that contained the ID token. */
  readonly tokens: TokenResponse;
}

/**
 * Exchanges the code of a callback for an ID token, and verifies it.
 * @param callbackParameters the parameters of the callback
 * @throws ProviderError
 */
const exchangeCode = async (
  callbackParameters: URLSearchParams,
  exchange: CodeExchange,
): Promise<ExchangedCode> => {
  const { config, issuerNames, metadata, upstreamRequest, io } = exchange;
  const code = readAuthorizationCode(callbackParameters, upstreamRequest.state, {
    issuer: selectIssuer(metadata, issuerNames, callbackParameters.get('iss')),
    isIssRequired: metadata.document.authorization_response_iss_parameter_supported,
  });
  const endpoint = await authenticate(metadata.tokenEndpoint, exchange);
  const response = await redeemCode(endpoint, { ...upstreamRequest, code, pkce: config.pkce }, io);
  const tokens = await receiveTokens(response);
  if (tokens.idToken === undefined) throw new ProviderError('invalid', 'the token response has no ID token');
  return { claims: await verifyIdToken(tokens.idToken, exchange), tokens };
};

/** What a request needs that the broker authenticates. */
interface AuthenticatedClient {
  readonly config: OidcIssuer['config'];
  readonly features: IssuerFeatures;
  readonly metadata: IssuerMetadata;
  readonly io: ProviderIo;
}

/** Adds the credentials of the broker to an endpoint whose URL was validated. */
const authenticate = async (
  url: string,
  { config, features, metadata, io }: AuthenticatedClient,
): Promise<ClientEndpoint> => {
  const clientSecret = await resolveClientSecret(config, io);
  return { url, credentials: features.selectCredentials(config, clientSecret, metadata.document) };
};

/**
 * Selects a client authentication method that the issuer supports, unless the publisher selected one. Prefers
 * the body, because servers disagree on how credentials are encoded in Basic (RFC 6749 §2.3.1).
 */
const selectCredentials = (
  { clientId, tokenAuthMethod }: RelyingPartyConfig,
  clientSecret: string,
  { token_endpoint_auth_methods_supported: named }: IssuerMetadata['document'],
): ClientCredentials => {
  const methods = named ?? ['client_secret_basic'];
  const supported = discoverableMethods.find((method) => Array.isArray(methods) && methods.includes(method));
  const method = tokenAuthMethod ?? supported;
  if (method !== undefined) return createCredentials(method, clientId, clientSecret);
  throw new ProviderError('invalid', 'the token endpoint supports no method with a client secret');
};

const discoverableMethods = ['client_secret_post', 'client_secret_basic'] as const;

/** Those of an issuer that the publisher configures: what it supports is in its metadata. */
const oidcFeatures: IssuerFeatures = {
  ...{ completeClaims, selectCredentials, adaptOptions },
  selectRefreshToken: selectOfflineToken,
  buildPromptParameters: buildAccountPromptParameters,
};

// ID tokens (OpenID Connect Core §2 and §3.1.3.7).

/**
 * Verifies the claims and the signature of an ID token.
 * @returns the claims
 * @throws ProviderError `invalid` if a claim is not valid, or if the signature cannot be verified
 */
const verifyIdToken = async (token: string, exchange: CodeExchange): Promise<IdTokenClaims> => {
  const { metadata, issuerNames, io } = exchange;
  const claims = readUnverifiedClaims(token);
  if (claims === undefined) throw new ProviderError('invalid', 'the ID token could not be read');
  const { iss: claimedIssuer } = claims;
  const issuer = selectIssuer(metadata, issuerNames, claimedIssuer);
  const sub = validateIdToken(claims, issuer, exchange, io.now());
  await verifyIdTokenSignature(token, issuer, exchange);
  return { ...claims, sub };
};

/** The maximum difference between the issuer's clock and ours. */
const clockSkew: Seconds = 30;

/**
 * Validates the claims of an ID token (§3.1.3.7).
 * @returns the subject
 * @throws ProviderError `invalid` if the token is from another issuer, is for another client or sign-in, is
 *   not valid now, has no valid subject, or does not prove the requested reauthentication
 */
const validateIdToken = (
  { iss, aud, nonce, exp, iat, nbf = 0, sub, ...claims }: Claims,
  issuer: string,
  { config, upstreamRequest }: CodeExchange,
  now: EpochSeconds,
): string => {
  const { clientId, authTime } = config;
  refuseIf(iss !== issuer, 'the ID token is from another issuer');
  const audiences: readonly unknown[] = Array.isArray(aud) ? aud : [aud];
  refuseIf(!audiences.includes(clientId), 'the ID token is for another client');
  // A token with several audiences must have `azp`.
  const { azp = audiences.length === 1 ? clientId : undefined, auth_time: authenticatedAt } = claims;
  refuseIf(azp !== clientId, 'the ID token was issued to another party');
  // If no nonce was sent, a token that has one was issued for another request.
  const isNonceRequired = config.nonce || (nonce ?? '') !== '';
  refuseIf(isNonceRequired && nonce !== upstreamRequest.nonce, 'the ID token is for another sign-in');
  if (typeof exp !== 'number' || typeof iat !== 'number' || typeof nbf !== 'number')
    throw new ProviderError('invalid', 'a time in the ID token is missing or not a number');
  refuseIf(now >= exp + clockSkew, 'the ID token has expired');
  refuseIf(iat > now + clockSkew || nbf > now + clockSkew, 'the ID token is not valid yet');
  const { reauthenticate } = upstreamRequest;
  if (reauthenticate !== undefined && authenticatedAt === undefined)
    refuseIf(authTime === 'required', 'the ID token has no auth_time');
  else if (reauthenticate !== undefined) validateAuthTime(authenticatedAt, reauthenticate.since, now);
  return parseSubject(sub);
};

/**
 * The browser can remove parameters from the request, so only this claim proves reauthentication (§3.1.2.1).
 */
const validateAuthTime = (authenticatedAt: unknown, since: EpochSeconds, now: EpochSeconds): void => {
  const isNumber = typeof authenticatedAt === 'number' && Number.isSafeInteger(authenticatedAt);
  if (!isNumber || authenticatedAt > now + clockSkew)
    throw new ProviderError('invalid', 'the auth_time of the ID token is not a valid time');
  refuseIf(authenticatedAt < since - clockSkew, 'the user did not authenticate again');
};

/**
 * Verifies the signature of the ID token. The error has only the code of `jose`, because its messages can
 * contain parts of the token.
 * @throws ProviderError `invalid` if the signature cannot be verified, or if the keys cannot be read
 */
const verifyIdTokenSignature = async (
  token: string,
  issuer: string,
  { metadata, verifySignature, io }: CodeExchange,
): Promise<void> => {
  try {
    const { protectedHeader } = await verifySignature(token, { issuer, metadata }, io);
    // `jose` accepts one critical extension, `b64`, which a JWT must not use (RFC 7797 §7).
    refuseIf(protectedHeader.crit !== undefined, 'the ID token has a critical header extension');
  } catch (error) {
    if (error instanceof ProviderError) throw error;
    const { code } = Object(error);
    // Errors of `jose` have a code. WebCrypto rejects a key that is malformed or incomplete.
    const cause = typeof code === 'string' ? code : 'a key cannot be used';
    throw new ProviderError('invalid', `the signature of the ID token could not be verified: ${cause}`);
  }
};
