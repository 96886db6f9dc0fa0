/**
 * Microsoft as an identity provider: OpenID Connect with a different issuer for each tenant. Tenant ID and
 * object ID identify a user.
 */

import { ConfigurationError, rejectUnknownOptions } from '../oauth/errors.ts';
import type { Identity } from '../oauth/identifiers.ts';
import { readAdminConsent } from './admin-consent.ts';
import { parseBuiltInOptions, resolveBaseUrl } from './config.ts';
import { createIssuer } from './issuer.ts';
import { createOidcProvider } from './oidc.ts';
import { type IdentityProvider, refuseIf } from './provider.ts';

/** The options of {@link microsoft}. */
export interface MicrosoftOptions {
  /**
   * The application (client) ID from the app registration. Not secret. `<issuer>/callback/microsoft` must be
   * a redirect URI of the platform "Web".
   */
  readonly clientId: string;
  /** The value (not the ID) of a client secret of the app registration. Secret. It expires; rotate it. */
  readonly clientSecret: string;
  /**
   * Who can sign in: `common` (any account), `organizations` (work and school accounts), `consumers`
   * (personal accounts), or the ID of one tenant (a GUID). Default: `common`.
   */
  readonly tenant?: string;
  /** Origin of a fake provider on loopback, for development. Default: `https://login.microsoftonline.com`. */
  readonly baseUrl?: string;
}

/**
 * Lets users sign in with personal Microsoft accounts, and with those of organizations. The provider's ID is
 * `microsoft`, and the subject of its identities is `<tid>.<oid>`, the tenant ID and the object ID. Email
 * addresses are never marked as verified, because the administrator of a tenant can set any address.
 * @param options the app registration and who can sign in
 * @throws ConfigurationError `providers.microsoft.<option>` for a missing or malformed option
 * @see https://learn.microsoft.com/entra/identity-platform/id-token-claims-reference
 * @example
 * ```ts
 * import { microsoft } from 'assistant-auth';
 *
 * const provider = microsoft({
 *   clientId: env.MICROSOFT_CLIENT_ID,
 *   clientSecret: env.MICROSOFT_CLIENT_SECRET,
 *   tenant: 'organizations',
 * });
 * ```
 */
export const microsoft = ({ clientId, clientSecret, ...options }: MicrosoftOptions): IdentityProvider => {
  const { baseUrl, tenant: chosen = 'common', ...unknown } = options;
  // A misspelled `tenant` must not admit every tenant.
  rejectUnknownOptions('providers.microsoft.', unknown);
  const origin = resolveBaseUrl('microsoft', 'https://login.microsoftonline.com', baseUrl);
  const tenant = parseTenant(chosen);
  const buildIssuer = (name: string): string => `${origin}/${name}/v2.0`;
  const config = parseBuiltInOptions({
    id: 'microsoft',
    displayName: 'Microsoft',
    issuer: buildIssuer(tenant),
    clientId,
    clientSecret,
    scopes: ['openid', 'email', 'profile', 'offline_access'],
    authorizationParameters: { prompt: 'select_account' },
    reauthentication: { prompt: 'login' },
    // Microsoft sends `auth_time` only if the application is configured for this optional claim.
    authTime: 'optional',
    // Microsoft issues a new refresh token, and the used one stays valid:
    // https://learn.microsoft.com/entra/identity-platform/refresh-tokens
    singleUseRefreshTokens: false,
    // The last two require the user to interact, for example because of a policy of their organization.
    revokedErrors: ['invalid_grant', 'interaction_required', 'consent_required'],
  });
  const issuer = createIssuer(config, {
    metadataIssuer: buildIssuer(tenantInMetadata.get(tenant) ?? tenant),
    isIssuerName: (name) => findTenantIds(name).some((tid) => name === buildIssuer(tid)),
  });
  // Without UserInfo: Microsoft documents that its ID tokens contain every claim that it returns.
  const provider = createOidcProvider(issuer, 'https://login.microsoftonline.com');
  return {
    ...provider,
    icon,
    readAdminConsent,
    async handleCallback(...args) {
      const identity = await provider.handleCallback(...args);
      const { tid, oid, iss } = identity.claims;
      // The administrators of a tenant control the claims of its tokens, so each issuer is trusted only for
      // its own tenant.
      refuseIf(iss !== buildIssuer(String(tid)), 'the issuer does not match the tenant');
      refuseIf(!isTenantAllowed(String(tid), tenant), 'the tenant is not allowed');
      refuseIf(!guidPattern.test(String(oid)), 'the ID token has no valid oid');
      return withTenantSubject(identity, `${tid}.${oid}`);
    },
  };
};

/**
 * Microsoft's logo: four squares in its four colors. They have the proportions of Microsoft's own file, and
 * the margin makes the logo look as large as the round ones.
 * @see https://learn.microsoft.com/entra/identity-platform/howto-add-branding-in-apps
 */
const icon =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 21 21"><path fill="#f25022" d="M1 1h9v9H1z"/>' +
  '<path fill="#7fba00" d="M11 1h9v9h-9z"/><path fill="#00a4ef" d="M1 11h9v9H1z"/>' +
  '<path fill="#ffb900" d="M11 11h9v9h-9z"/></svg>';

const guidPattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** The tenant of personal accounts. */
const consumerTenantId = '9188040d-6c67-4c5b-b112-36a304b66dad';

/** The tenant in the metadata, if it is not the configured one. */
const tenantInMetadata: ReadonlyMap<string, string> = new Map([
  ['common', '{tenantid}'],
  ['organizations', '{tenantid}'],
  ['consumers', consumerTenantId],
]);

const parseTenant = (tenant: string): string => {
  const name = tenant.toLowerCase();
  if (tenantInMetadata.has(name) || guidPattern.test(name)) return name;
  const problem = 'must be common, organizations, consumers or a tenant ID.';
  throw new ConfigurationError('providers.microsoft.tenant', problem);
};

const findTenantIds = (issuer: string): readonly string[] =>
  issuer.split('/').filter((part) => guidPattern.test(part));

const isTenantAllowed = (tid: string, tenant: string): boolean => {
  switch (tenant) {
    case 'common':
      return true;
    case 'organizations':
      return tid !== consumerTenantId;
    default:
      return tid === (tenantInMetadata.get(tenant) ?? tenant);
  }
};

/**
 * The email address can be reassigned and is not verified. `sub` is different for each app of the same
 * publisher.
 */
const withTenantSubject = (identity: Identity, subject: string): Identity => ({
  ...identity,
  subject,
  emailVerified: false,
});
