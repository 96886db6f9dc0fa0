/** Reads `OIDC_PROVIDERS`: any number of OpenID Connect issuers. */
import { type IdentityProvider, oidc } from 'assistant-auth';
import * as v from 'valibot';
import { readList, withItemErrors } from './json-list.ts';
import { isAllowedIssuer } from './urls.ts';
import { type Environment, VariableError } from './variables.ts';

const variable = 'OIDC_PROVIDERS';

const issuers = v.array(
  v.strictObject({
    id: v.string(),
    displayName: v.string(),
    issuer: v.string(),
    clientId: v.string(),
    clientSecret: v.string(),
    scopes: v.optional(v.array(v.string())),
    authorizationParameters: v.optional(v.record(v.string(), v.string())),
    accountSelection: v.optional(v.record(v.string(), v.string())),
    authTime: v.optional(v.picklist(['required', 'optional'])),
    logoutEndsGrants: v.optional(v.boolean()),
    offlineAccess: v.optional(v.picklist(['always', 'by-scope', 'never'])),
    userInfo: v.optional(v.picklist(['if-claims-missing', 'never'])),
  }),
);

/**
 * Reads the issuers.
 * @param origin the app's origin. Only an app on loopback can use an http issuer, which must also be on
 *   loopback.
 * @throws VariableError with the provider that is wrong, and the problem
 */
export const readIssuers = (environment: Environment, origin: string): readonly IdentityProvider[] =>
  readList(environment, variable, issuers, 'providers').map(
    ({
      scopes,
      authorizationParameters,
      accountSelection,
      authTime,
      logoutEndsGrants,
      offlineAccess,
      userInfo,
      ...settings
    }) => {
      if (!isAllowedIssuer(settings.issuer, origin)) {
        const problem = 'issuer must be an https URL; http is allowed only if it and ORIGIN are on loopback.';
        throw new VariableError(variable, `is invalid for ${settings.id}: ${problem}`);
      }
      return withItemErrors(variable, settings.id, () =>
        oidc({
          ...settings,
          ...(scopes && { scopes }),
          ...(authorizationParameters && { authorizationParameters }),
          ...(accountSelection && { accountSelection }),
          ...(authTime && { authTime }),
          ...(logoutEndsGrants !== undefined && { logoutEndsGrants }),
          ...(offlineAccess && { offlineAccess }),
          ...(userInfo && { userInfo }),
        }),
      );
    },
  );
