/** Configures the fake OpenID Connect issuer: its client, its keys, and the claims of its users. */
import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto';
import { createMemoryAdapter } from 'oidc-provider/lib/adapters/memory_adapter.js';
import type { FakeProviderOptions } from '../fake-provider.ts';
import type { FakeUser } from '../users.ts';
import { renderSignedOutPage, renderSignOutPage } from './pages.ts';

/** The stable ID of a user, derived from the email address, which never changes here. */
export const computeSubject = ({ email }: FakeUser): string =>
  createHash('sha256').update(email).digest('base64url').slice(0, 22);

export const buildProviderConfiguration = (options: FakeProviderOptions): object => ({
  clients: [buildClient(options)],
  jwks: { keys: [generateSigningKey()] },
  cookies: { keys: [randomBytes(32).toString('base64url')] },
  // The package's own adapter, created explicitly, because the default adapter warns at every start that it
  // is in memory.
  adapter: createMemoryAdapter(clockTolerance),
  clockTolerance,
  claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
  // Most issuers put these claims into the ID token. According to OpenID Connect Core §5.4, UserInfo returns
  // them.
  conformIdTokenClaims: options.claimsIn === 'userinfo',
  features: {
    devInteractions: { enabled: false },
    backchannelLogout: { enabled: true },
    rpInitiatedLogout: {
      enabled: true,
      logoutSource: renderSignOutPage,
      postLogoutSuccessSource: renderSignedOutPage,
    },
  },
  // The package passes a dispatcher that blocks loopback, where the client is.
  fetch: (url: string, { dispatcher: _, ...request }: RequestInit & { readonly dispatcher?: unknown }) =>
    fetch(url, request),
  interactions: { url: (_: unknown, { uid }: { readonly uid: string }) => `/interaction/${uid}` },
  pkce: { required: () => true },
  // Rotates a refresh token at each use, like the strictest issuers. A token that is used again is treated
  // as stolen, and the grant is revoked.
  rotateRefreshToken: () => true,
  findAccount: (_: unknown, id: string) => lookUpAccount(options.users, id),
  ttl: {
    AccessToken: 3600,
    Grant: 86_400,
    IdToken: 3600,
    Interaction: 3600,
    RefreshToken: 86_400,
    Session: 86_400,
  },
});

const clockTolerance = 15;

const buildClient = ({
  clientId,
  clientSecret,
  redirectUris,
  backchannelLogoutUri,
}: FakeProviderOptions): object => ({
  client_id: clientId,
  client_secret: clientSecret,
  client_name: 'Words With Chat',
  redirect_uris: redirectUris,
  grant_types: ['authorization_code', 'refresh_token'],
  id_token_signed_response_alg: 'ES256',
  ...(backchannelLogoutUri !== undefined && {
    backchannel_logout_uri: backchannelLogoutUri,
    backchannel_logout_session_required: true,
  }),
});

const generateSigningKey = (): object => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { ...privateKey.export({ format: 'jwk' }), alg: 'ES256', use: 'sig' };
};

const lookUpAccount = (fakeUsers: readonly FakeUser[], id: string): object | undefined => {
  const user = fakeUsers.find((candidate) => computeSubject(candidate) === id);
  if (user === undefined) return undefined;
  const { name, email } = user;
  return { accountId: id, claims: () => ({ sub: id, name, email, email_verified: true }) };
};
