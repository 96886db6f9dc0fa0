/**
 * The rules for the options of `oidc()` and `oauth2()`, which publishers write. The options of Google,
 * Microsoft and Apple are constants except for the credentials (`parseBuiltInOptions`), so a bundle with only
 * these providers does not contain the rules.
 */

import { rejectUnknownOptions } from '../oauth/errors.ts';
import { continueChoice } from '../oauth/identifiers.ts';
import { isLoopback } from '../oauth/resource.ts';
import {
  type ClientConfig,
  credentialRules,
  fillInDefaults,
  matchesPattern,
  type OfflineAccess,
  type OidcOptions,
  type ProviderOptions,
  type RelyingPartyConfig,
  type Rule,
  validate,
} from './config.ts';
import { isVisible } from './provider.ts';

/**
 * Completes and validates the options of `oidc()`.
 * @throws ConfigurationError `providers.<id>.<option>` for the first option that is missing, malformed or
 *   unsafe
 */
export const parseOidcOptions = (options: OidcOptions): RelyingPartyConfig => {
  const { issuer, discoveryUrl, responseMode, nonce, authTime, logoutEndsGrants, userInfo, ...shared } =
    options;
  rejectUnknownOptions(`providers.${options.id}.`, omitProviderOptions(shared));
  return validate(fillInDefaults({ accountSelection: defaultAccountSelection, ...options }), rules);
};

/** Only sent if the issuer's metadata lists it. */
export const defaultAccountSelection = { prompt: 'select_account' } as const;

/** Returns what is left of the options without those that `oidc()` and `oauth2()` have in common. */
export const omitProviderOptions = (options: ProviderOptions): object => {
  const { id, displayName, icon, clientId, clientSecret, scopes, authorizationParameters, ...others } =
    options;
  const { reauthentication, revokedErrors, singleUseRefreshTokens, recheckInterval, ...rest } = others;
  const { accountSelection, offlineAccess, tokenAuthMethod, pkce, ...unknown } = rest;
  return unknown;
};

const reservedProblem = 'must not contain request, request_uri or a parameter that the broker sets itself.';

/** The rules for the options that `oidc()` and `oauth2()` have in common. */
export const clientRules: readonly Rule<ClientConfig>[] = [
  [
    'id',
    ({ id }) => matchesPattern(/^[a-z0-9-]{1,32}$/, id),
    'must be 1 to 32 characters: a-z, 0-9 and hyphens.',
  ],
  ['id', ({ id }) => id !== continueChoice, `must not be ${continueChoice}, which is reserved.`],
  ['displayName', ({ displayName }) => isVisible(displayName), 'must not be empty.'],
  // Browsers show nothing for an image without the namespace. The content is not checked: in an image,
  // scripts do not run and external files are not loaded.
  [
    'icon',
    ({ icon }) => icon === undefined || (matchesPattern(svgPattern, icon) && icon.length <= 10_000),
    'must start with <svg, have xmlns="http://www.w3.org/2000/svg" and at most 10000 characters.',
  ],
  ...credentialRules,
  [
    'scopes',
    ({ scopes }) => scopes.every((scope) => matchesPattern(scopeTokenPattern, scope)),
    'must be scope names without spaces, quotes or backslashes.',
  ],
  [
    'authorizationParameters',
    ({ authorizationParameters: added }) => hasNoReservedParameters(added),
    reservedProblem,
  ],
  ['reauthentication', ({ reauthentication: added }) => hasNoReservedParameters(added), reservedProblem],
  ['accountSelection', ({ accountSelection: added }) => hasNoReservedParameters(added), reservedProblem],
  [
    'singleUseRefreshTokens',
    ({ singleUseRefreshTokens: singleUse }) => typeof singleUse === 'boolean',
    'must be true or false.',
  ],
  [
    'revokedErrors',
    ({ revokedErrors }) => revokedErrors.every((code) => matchesPattern(errorCodePattern, code)),
    'must be error codes in printable ASCII, without quotes or backslashes.',
  ],
  [
    'recheckInterval',
    ({ recheckInterval }) =>
      Number.isInteger(recheckInterval) && recheckInterval >= 60 && recheckInterval <= 86_400,
    'must be a whole number of seconds from 60 to 86400.',
  ],
  [
    'offlineAccess',
    ({ offlineAccess }) => offlineAccessModes.includes(offlineAccess),
    'must be always, by-scope or never.',
  ],
  [
    'tokenAuthMethod',
    ({ tokenAuthMethod }) => tokenAuthMethod === undefined || tokenAuthMethods.includes(tokenAuthMethod),
    'must be client_secret_post, client_secret_basic or client_secret_basic_unencoded.',
  ],
  [
    'tokenAuthMethod',
    ({ tokenAuthMethod, clientId }) =>
      tokenAuthMethod !== 'client_secret_basic_unencoded' || !clientId.includes(':'),
    'must not be client_secret_basic_unencoded, because clientId contains a colon.',
  ],
  ['pkce', ({ pkce }) => typeof pkce === 'boolean', 'must be true or false.'],
];

/**
 * Returns whether requests can be sent to a URL: https, or http on loopback, without user information or a
 * fragment.
 */
export const isAllowedUrl = (text: string): boolean => {
  const url = matchesPattern(/^[^#\s]+$/, text) ? URL.parse(text) : null;
  if (url === null || url.username !== '' || url.password !== '') return false;
  return url.protocol === 'https:' || isLoopback(url);
};

const rules: readonly Rule<RelyingPartyConfig>[] = [
  ...clientRules,
  [
    'issuer',
    ({ issuer }) => isAllowedUrl(issuer) && !issuer.includes('?'),
    'must be an https URL without user information, query or fragment, or an http URL on loopback.',
  ],
  [
    'discoveryUrl',
    ({ discoveryUrl }) => discoveryUrl === undefined || isAllowedUrl(discoveryUrl),
    'must be an https URL without user information or fragment, or an http URL on loopback.',
  ],
  ['scopes', ({ scopes }) => scopes.includes('openid'), 'must include openid.'],
  ['nonce', ({ nonce }) => typeof nonce === 'boolean', 'must be true or false.'],
  // Otherwise, anyone could send a stolen code to their own callback, and sign in as its user.
  ['nonce', ({ nonce, pkce }) => nonce || pkce, 'must not be false if pkce is false.'],
  // Any other value would disable the check of `auth_time`.
  [
    'authTime',
    ({ authTime }) => authTime === 'required' || authTime === 'optional',
    'must be required or optional.',
  ],
  [
    'logoutEndsGrants',
    ({ logoutEndsGrants }) => typeof logoutEndsGrants === 'boolean',
    'must be true or false.',
  ],
  [
    'userInfo',
    ({ userInfo }) => userInfo === 'if-claims-missing' || userInfo === 'never',
    'must be if-claims-missing or never.',
  ],
];

const tokenAuthMethods: readonly unknown[] = [
  'client_secret_post',
  'client_secret_basic',
  'client_secret_basic_unencoded',
] satisfies ClientConfig['tokenAuthMethod'][];

const offlineAccessModes: readonly unknown[] = ['always', 'by-scope', 'never'] satisfies OfflineAccess[];

const svgPattern = /^<svg(\s[^>]*)?\sxmlns="http:\/\/www\.w3\.org\/2000\/svg"/;
/** RFC 6749 §5.2. */
const errorCodePattern = /^[\x20-\x21\x23-\x5B\x5D-\x7E]+$/;
const scopeTokenPattern = /^[\x21\x23-\x5B\x5D-\x7E]+$/;
/** A request object would override all other parameters (OpenID Connect Core §6). */
const reservedParameters =
  /^(client_id|redirect_uri|response_type|response_mode|scope|state|nonce|code_challenge|code_challenge_method|request|request_uri)$/;

const hasNoReservedParameters = (parameters: object): boolean =>
  !Object.keys(parameters).some((name) => reservedParameters.test(name));
