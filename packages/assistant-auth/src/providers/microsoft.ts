/** Microsoft as an identity provider: OpenID Connect, but with an issuer for every tenant and a key of its own for a person. */

import { ConfigurationError } from '../oauth/errors.ts';
import type { Identity } from '../oauth/identifiers.ts';
import { siteOf } from './config.ts';
import { createIssuer } from './issuer.ts';
import { signInAt } from './oidc.ts';
import { type IdentityProvider, ProviderError } from './provider.ts';

export interface MicrosoftSettings {
  /** The application (client) id. */
  readonly clientId: string;
  /** A secret. */
  readonly clientSecret: string;
  /** Who may come in: `common` (everybody), `organizations`, `consumers`, or one tenant by its id. Left out: `common`. */
  readonly tenant?: string;
  /** Origin of a stand-in on loopback in development. Left out: Microsoft itself. */
  readonly standIn?: string;
}

/**
 * Lets people sign in with Microsoft accounts, personal ones or those of organisations.
 * @throws ConfigurationError `providers.microsoft.<option>` for a missing or malformed setting
 * @see https://learn.microsoft.com/entra/identity-platform/id-token-claims-reference
 */
export const microsoft = ({ clientId, clientSecret, ...settings }: MicrosoftSettings): IdentityProvider => {
  const { standIn, tenant: chosen = 'common' } = settings;
  const site = siteOf('microsoft', 'https://login.microsoftonline.com', standIn);
  const tenant = parseTenant(chosen);
  const issuerOf = (name: string): string => `${site}/${name}/v2.0`;
  const issuer = createIssuer(
    {
      id: 'microsoft',
      label: 'Microsoft',
      issuer: issuerOf(tenant),
      clientId,
      clientSecret,
      scopes: ['openid', 'email', 'profile', 'offline_access'],
      authorizationParameters: { prompt: 'select_account' },
      reauthentication: { prompt: 'login' },
      // A claim that an application has to be configured for.
      authTime: 'optional',
      // Microsoft issues a new refresh token, and the used one stays valid:
      // https://learn.microsoft.com/entra/identity-platform/refresh-tokens
      singleUseRefreshTokens: false,
      // The `scope` of its responses never contains `offline_access`, even if it was granted.
      offlineAccess: 'always',
      // Microsoft documents that its ID tokens contain every claim that UserInfo returns.
      userInfo: 'never',
      // The last two want the person back, as a policy of their organisation can at any time.
      gone: ['invalid_grant', 'interaction_required', 'consent_required'],
    },
    {
      inMetadata: issuerOf(namesInMetadata.get(tenant) ?? tenant),
      isOne: (name) => tenantsIn(name).some((tid) => name === issuerOf(tid)),
    },
  );
  const provider = signInAt(issuer);
  return {
    ...provider,
    mark,
    async identify(...journey) {
      const identity = await provider.identify(...journey);
      const { tid, oid, iss } = identity.claims;
      // A tenant's administrators make up its tokens' claims: each issuer speaks for its own tenant alone.
      refuseIf(iss !== issuerOf(String(tid)), 'the token’s issuer is not that of its tenant');
      refuseIf(!isAdmitted(String(tid), tenant), 'the tenant is not one that is let in');
      refuseIf(!guid.test(String(oid)), 'the token names no person');
      return keyedByTenant(identity, `${tid}.${oid}`);
    },
  };
};

/** Microsoft's symbol: four squares in its four colours, a gap between them. */
const mark =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 21 21"><path fill="#f25022" d="M1 1h9v9H1z"/>' +
  '<path fill="#7fba00" d="M11 1h9v9h-9z"/><path fill="#00a4ef" d="M1 11h9v9H1z"/>' +
  '<path fill="#ffb900" d="M11 11h9v9h-9z"/></svg>';

const guid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** The tenant of everybody who belongs to none. */
const personal = '9188040d-6c67-4c5b-b112-36a304b66dad';

/** What metadata say in the tenant's place where that is not the tenant itself. */
const namesInMetadata: ReadonlyMap<string, string> = new Map([
  ['common', '{tenantid}'],
  ['organizations', '{tenantid}'],
  ['consumers', personal],
]);

const parseTenant = (tenant: string): string => {
  const name = tenant.toLowerCase();
  if (namesInMetadata.has(name) || guid.test(name)) return name;
  const problem = 'must be common, organizations, consumers or the id of a tenant.';
  throw new ConfigurationError('providers.microsoft.tenant', problem);
};

const tenantsIn = (issuer: string): readonly string[] => issuer.split('/').filter((part) => guid.test(part));

const isAdmitted = (tid: string, tenant: string): boolean => {
  switch (tenant) {
    case 'common':
      return true;
    case 'organizations':
      return tid !== personal;
    default:
      return tid === (namesInMetadata.get(tenant) ?? tenant);
  }
};

/** The address may change hands, and nobody vouches for it; `sub` is another one for every app of the same publisher. */
const keyedByTenant = (identity: Identity, subject: string): Identity => ({
  ...identity,
  subject,
  emailVerified: false,
});

const refuseIf = (wrong: boolean, reason: string): void => {
  if (wrong) throw new ProviderError('invalid', reason);
};
