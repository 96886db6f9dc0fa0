/** Any OpenID Connect issuer as an identity provider, by discovery: the authorization code flow with state, nonce and PKCE. */
import { refreshTokenGrantRequest } from 'oauth4webapi';
import type { Identity } from '../protocol/identity.ts';
import type { IdentityProvider } from './identity-provider.ts';
import { authorizationUrl } from './oauth/authorization-url.ts';
import { clientOf, secretOf } from './oauth/client.ts';
import { orProviderError } from './oauth/failure.ts';
import { identityFrom } from './oauth/identity.ts';
import { longLivedRefreshToken, notUsed, requestedScopes } from './oauth/offline-access.ts';
import { revokeToken } from './oauth/revocation.ts';
import { parseEndpoint, transport } from './oauth/transport.ts';
import { wordFrom } from './oauth/word.ts';
import { authentication, redeem } from './oidc/exchange.ts';
import { createIssuer, type OidcIssuer } from './oidc/issuer.ts';
import type { OidcSettings } from './oidc/relying-party.ts';
import { completeClaims } from './oidc/user-info.ts';
import { readLogoutToken } from './signals/logout-token.ts';

export type { OidcSettings } from './oidc/relying-party.ts';

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
