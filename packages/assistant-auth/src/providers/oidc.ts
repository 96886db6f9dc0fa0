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
import type { Identity } from '../oauth/identifiers.ts';
import type { EpochSeconds, Seconds } from '../oauth/time.ts';
import type { OidcSettings, RelyingParty } from './config.ts';
import { orProviderError } from './errors.ts';
import { parseEndpoint, transport } from './http.ts';
import type { IssuerMetadata, OidcIssuer } from './issuer.ts';
import { createIssuer, issuerIn, underName } from './issuer.ts';
import {
  authorizationUrl,
  clientOf,
  identityFrom,
  longLivedRefreshToken,
  notUsed,
  receiveTokens,
  requestedScopes,
  revokeToken,
  secretOf,
  type TokenResponse,
  toStrictResponse,
  wordFrom,
} from './oauth-client.ts';
import { type IdentityProvider, ProviderError, type ProviderIo, type ProviderLeg } from './provider.ts';
import { readLogoutToken } from './security-events/logout-token.ts';
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
    ...signInAt(issuer),
    readLogoutToken: (token, io) => readLogoutToken(token, issuer, io),
  };
};

/** Lets people sign in at an issuer. */
export const signInAt = (issuer: OidcIssuer): IdentityProvider => {
  const { party, discover } = issuer;
  const more = party.responseMode === 'query' ? {} : { response_mode: party.responseMode };
  return {
    id: party.id,
    label: party.label,
    configuredUrls: [party.issuer],
    answersBy: party.responseMode,
    gone: party.gone,
    singleUseRefreshTokens: party.singleUseRefreshTokens,
    checkEvery: party.checkEvery,
    authorizationUrl: (leg, io) =>
      orProviderError(async () => {
        const { authorizationEndpoint, scopesSupported } = await discover(io);
        const request = { ...party, scopes: requestedScopes(party, scopesSupported) };
        return authorizationUrl(authorizationEndpoint, request, leg, { nonce: leg.nonce, ...more });
      }),
    identify: (answer, leg, io) =>
      orProviderError(async () => {
        const metadata = await discover(io);
        const { claims, tokens } = await redeem(answer.searchParams, { ...issuer, metadata, leg, io });
        const requested = requestedScopes(party, metadata.scopesSupported);
        const refreshToken = longLivedRefreshToken(tokens, party.offlineAccess, requested);
        const completed = await completeClaims(claims, tokens, { party, metadata, io });
        return identityOf(party.id, claims.sub, completed, refreshToken);
      }),
    check: (refreshToken, io) =>
      wordFrom(party, async () => {
        // The token was stored while the setting was another one.
        if (party.offlineAccess === 'never') throw notUsed();
        const { server } = await discover(io);
        const auth = authentication(server, await secretOf(party, io));
        return () => refreshTokenGrantRequest(server, clientOf(party), auth, refreshToken, transport(io));
      }),
    revoke: (refreshToken, io) =>
      orProviderError(async () => {
        const { server } = await discover(io);
        const { revocation_endpoint: named } = server;
        if (!named) return;
        // Checked only now: nobody is kept from signing in by an endpoint that they do not need.
        const endpoint = parseEndpoint('revocation_endpoint', named, new URL(party.issuer), io);
        const auth = authentication(server, await secretOf(party, io));
        const revoker = { party, server: { ...server, revocation_endpoint: endpoint }, auth };
        await revokeToken(revoker, refreshToken, io);
      }),
  };
};

const identityOf = (
  provider: string,
  subject: string,
  claims: Identity['claims'],
  refreshToken: string | undefined,
): Identity => {
  const { email, name, email_verified: verified, sid } = claims;
  // Some providers (Apple) write the boolean as a string. Anything else, and no word at all, is not verified.
  const emailVerified = verified === true || verified === 'true';
  return identityFrom(
    provider,
    { subject, labels: [email, name], email, emailVerified, sid },
    claims,
    refreshToken,
  );
};

// The provider's answer at the callback becomes claims: answer, code, ID token, signature, in this order.

/** Everything that one exchange needs besides the answer. */
export interface Exchange extends Pick<OidcIssuer, 'party' | 'names' | 'withKeys'> {
  readonly metadata: IssuerMetadata;
  readonly leg: ProviderLeg;
  readonly io: ProviderIo;
}

/** What the issuer vouches for. Nothing leaves this file that was not verified. */
export interface Voucher {
  readonly claims: IDToken;
  /** The token response that contained the ID token. */
  readonly tokens: TokenResponse;
}

/**
 * Redeems the code in an answer.
 * @param answer the parameters that came to the callback
 * @throws the library's errors and ProviderError; `orProviderError` makes all of them the latter
 */
export const redeem = async (answer: URLSearchParams, exchange: Exchange): Promise<Voucher> => {
  const { party, names, metadata, withKeys, leg, io } = exchange;
  const { server } = metadata;
  const client = clientOf(party);
  // State, and `iss` against mix-up (RFC 9207), before the code goes anywhere.
  const checked = validateAuthResponse(
    underName(server, names, answer.get('iss')),
    client,
    answer,
    leg.state,
  );
  const response = await authorizationCodeGrantRequest(
    server,
    client,
    authentication(server, await secretOf(party, io)),
    checked,
    leg.redirectUri,
    leg.codeVerifier,
    transport(io),
  );
  const tokens = await receiveTokens(response);
  const strict = toStrictResponse(response, tokens.idToken);
  const issuer = underName(server, names, issuerIn(tokens.idToken ?? ''));
  const processed = await processAuthorizationCodeResponse(issuer, client, strict, {
    expectedNonce: leg.nonce,
    requireIdToken: true,
  });
  const claims = getValidatedIdTokenClaims(processed);
  if (claims === undefined) throw new ProviderError('invalid', 'there is no ID token');
  checkIdToken(claims, party, leg, io.now());
  const source = { url: metadata.keysUrl, name: issuer.issuer };
  await withKeys(source, io, (keys) => checkSignature(strict, server, keys));
  return { claims, tokens };
};

/**
 * Says who we are in the way that the issuer takes. Prefers the body: servers disagree on how credentials are encoded
 * inside Basic (RFC 6749 §2.3.1).
 */
export const authentication = (server: AuthorizationServer, secret: string): ClientAuth => {
  const methods: unknown = server.token_endpoint_auth_methods_supported ?? ['client_secret_basic'];
  if (Array.isArray(methods) && methods.includes('client_secret_post')) return ClientSecretPost(secret);
  if (Array.isArray(methods) && methods.includes('client_secret_basic')) return ClientSecretBasic(secret);
  throw new ProviderError('invalid', 'the token endpoint takes no client secret');
};

// What an ID token must be beyond what `oauth4webapi` checks (OpenID Connect Core §2 and §3.1.3.7).

/** How far the issuer's clock and ours may be apart. */
const skew: Seconds = 30;

/** @throws ProviderError `invalid` for a token of another time or for another party, and for a proof that is older than asked for */
export const checkIdToken = (
  claims: IDToken,
  { clientId, authTime }: Pick<RelyingParty, 'clientId' | 'authTime'>,
  { fresh }: Pick<ProviderLeg, 'fresh'>,
  now: EpochSeconds,
): void => {
  const { exp, iat, nbf = 0, azp = clientId, auth_time: provenAt } = claims;
  refuseIf(now >= exp + skew, 'the ID token has expired');
  refuseIf(iat > now + skew || nbf > now + skew, 'the ID token is not valid yet');
  // The library asks this of several audiences only. Whoever a token was issued to, it was not issued to us.
  refuseIf(azp !== clientId, 'the ID token was issued to another party');
  if (fresh === undefined) return;
  if (provenAt !== undefined) checkProof(provenAt, fresh.since, now);
  else refuseIf(authTime === 'required', 'the ID token does not say when the person proved themselves');
};

/** Parameters of the request can be taken out in the browser: what counts is this claim (§3.1.2.1). */
const checkProof = (provenAt: EpochSeconds, since: EpochSeconds, now: EpochSeconds): void => {
  const isInstant = Number.isSafeInteger(provenAt) && provenAt <= now + skew;
  refuseIf(!isInstant, 'the ID token tells no instant at which the person proved themselves');
  refuseIf(provenAt < since - skew, 'the person did not prove themselves anew');
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
export const checkSignature = (response: Response, server: AuthorizationServer, keys: JWKS): Promise<void> =>
  validateApplicationLevelSignature({ ...server }, response, {
    [jwksCache]: { jwks: structuredClone(keys), uat: Number.POSITIVE_INFINITY },
  });
