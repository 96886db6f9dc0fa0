/** Reads `OIDC_PROVIDERS`: any number of OpenID Connect issuers. */
import { type IdentityProvider, oidc } from 'assistant-auth';
import * as v from 'valibot';
import { readList, withItemErrors } from './json-list.ts';
import { isAllowedIssuerUrl } from './urls.ts';
import { type Environment, VariableError } from './variables.ts';

const variable = 'OIDC_PROVIDERS';

/** The value of `OIDC_PROVIDERS`. */
export const issuersSchema = v.array(
  v.strictObject({
    id: v.string(),
    displayName: v.string(),
    icon: v.exactOptional(v.string()),
    issuer: v.string(),
    discoveryUrl: v.exactOptional(v.string()),
    clientId: v.string(),
    clientSecret: v.string(),
    scopes: v.exactOptional(v.array(v.string())),
    authorizationParameters: v.exactOptional(v.record(v.string(), v.string())),
    accountSelection: v.exactOptional(v.record(v.string(), v.string())),
    authTime: v.exactOptional(v.picklist(['required', 'optional'])),
    logoutEndsGrants: v.exactOptional(v.boolean()),
    offlineAccess: v.exactOptional(v.picklist(['always', 'by-scope', 'never'])),
    userInfo: v.exactOptional(v.picklist(['if-claims-missing', 'never'])),
    tokenAuthMethod: v.exactOptional(
      v.picklist(['client_secret_post', 'client_secret_basic', 'client_secret_basic_unencoded']),
    ),
    nonce: v.exactOptional(v.boolean()),
    pkce: v.exactOptional(v.boolean()),
  }),
);

/**
 * Reads the issuers.
 * @param origin the app's origin. Only an app on loopback can use an http issuer, which must also be on
 *   loopback.
 * @throws VariableError with the provider that is wrong, and the problem
 */
export const readIssuers = (environment: Environment, origin: string): readonly IdentityProvider[] =>
  readList(environment, variable, issuersSchema, 'providers').map((options) => {
    for (const name of ['issuer', 'discoveryUrl'] as const) {
      const url = options[name];
      if (url === undefined || isAllowedIssuerUrl(url, origin)) continue;
      const problem = `${name} must be an https URL; http is allowed only if it and ORIGIN are on loopback.`;
      throw new VariableError(variable, `is invalid for ${options.id}: ${problem}`);
    }
    return withItemErrors(variable, options.id, () => oidc(options));
  });
