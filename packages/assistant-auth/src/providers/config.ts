/**
 * The settings of the broker as a client of a provider, with their defaults and rules: those of all
 * providers, and those of OpenID Connect issuers.
 */

import { ConfigurationError } from '../oauth/errors.ts';
import { continueChoice, type EpochSeconds, type Seconds } from '../oauth/identifiers.ts';
import { isLoopback } from '../oauth/resource.ts';

/** A secret from the provider, or a function that creates one for a single exchange. */
type ClientSecret = string | ((now: EpochSeconds) => Promise<string>);

export interface ClientSettings {
  /** Part of the callback path and of stored identities, such as `acme-login`. It must never change. */
  readonly id: string;
  /** The name on the button. */
  readonly displayName: string;
  readonly clientId: string;
  readonly clientSecret: ClientSecret;
  readonly scopes?: readonly string[];
  /**
   * Parameters added to the authorization request: `prompt`, `hd`, `access_type` and the like. Default: none.
   */
  readonly authorizationParameters?: Readonly<Record<string, string>>;
  /**
   * Parameters added when the user must authenticate again, in place of authorization parameters of the
   * same name. They should request the strongest reauthentication that the provider supports. Default:
   * `prompt=login` and `max_age=0` for `oidc()`, none for `oauth2()`.
   */
  readonly reauthentication?: Readonly<Record<string, string>>;
  /**
   * Error codes that, in response to a refresh, mean that the user's grant at the provider was revoked.
   * Default: `invalid_grant`.
   */
  readonly revokedErrors?: readonly string[];
  /**
   * Whether a refresh token can become invalid when it is used, because the provider issues a new one. If so,
   * a rejected token revokes no grants after a lost response. Default: `true`. Set it to `false` only if the
   * provider documents that a used refresh token stays valid.
   */
  readonly singleUseRefreshTokens?: boolean;
  /** How long a recheck with the result `active` is valid, in seconds, from 60 to 86400. Default: 600. */
  readonly recheckInterval?: Seconds;
  /**
   * Defines which refresh tokens of the provider outlive the user's session there. Only these are stored and
   * used for rechecks. When a session ends, a refresh token that is bound to it fails with `invalid_grant`,
   * and the user's grants would be revoked by mistake.
   * - `by-scope`: Those that were issued with the scope `offline_access`. `oidc()` requests it if the
   *   issuer's `scopes_supported` lists it; `oauth2()` requests it only if `scopes` contains it.
   * - `always`: All of them. Set this only if the provider documents it. `oidc()` does not add the scope.
   * - `never`: None. `oidc()` does not add the scope, no refresh token is stored, and identities are never
   *   rechecked.
   *
   * At a sign-in, a refresh token is not stored if the response specifies that it expires in less than a day.
   * Default: `by-scope`.
   * @see OpenID Connect Core 1.0 §11, RFC 6749 §5.1 and §5.2
   */
  readonly offlineAccess?: OfflineAccess;
}

/** The defaults of the optional settings. */
export const clientDefaults = {
  authorizationParameters: {},
  revokedErrors: ['invalid_grant'],
  singleUseRefreshTokens: true,
  recheckInterval: 600,
  offlineAccess: 'by-scope',
} as const satisfies Partial<ClientSettings>;

/** An option, the condition that it must meet, and the error message if it does not. */
export type Rule<Settings> = readonly [
  option: keyof Settings & string,
  isValid: (settings: Settings) => boolean,
  problem: string,
];

/** @throws ConfigurationError `providers.<id>.<option>` for the first rule that is not met */
export const validate = <Settings extends { readonly id: string }>(
  settings: Settings,
  rules: readonly Rule<Settings>[],
): Settings => {
  for (const [option, isValid, problem] of rules) {
    if (!isValid(settings)) throw new ConfigurationError(`providers.${settings.id}.${option}`, problem);
  }
  return settings;
};

const reservedProblem = 'must not contain request, request_uri or a parameter that the broker sets itself.';
const credentialProblem = 'must be printable ASCII without spaces, and not empty.';

export const clientRules: readonly Rule<Required<ClientSettings>>[] = [
  [
    'id',
    ({ id }) => matchesPattern(/^[a-z0-9-]{1,32}$/, id),
    'must be 1 to 32 characters: a-z, 0-9 and hyphens.',
  ],
  ['id', ({ id }) => id !== continueChoice, `must not be ${continueChoice}, which is reserved.`],
  ['displayName', ({ displayName }) => matchesPattern(/\S/, displayName), 'must not be empty.'],
  ['clientId', ({ clientId }) => matchesPattern(credentialPattern, clientId), credentialProblem],
  [
    'clientSecret',
    ({ clientSecret }) =>
      typeof clientSecret === 'function' || matchesPattern(credentialPattern, clientSecret),
    credentialProblem,
  ],
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
];

/**
 * Returns whether requests can be sent to a URL: https, or http on loopback, without user information and
 * fragment.
 */
export const isAllowedUrl = (text: string): boolean => {
  const url = matchesPattern(/^[^#\s]+$/, text) ? URL.parse(text) : null;
  if (url === null || url.username !== '' || url.password !== '') return false;
  return url.protocol === 'https:' || isLoopback(url);
};

/**
 * Returns the origin of a fake provider, if there is one, instead of the provider's. For development, so only
 * on loopback.
 * @throws ConfigurationError `providers.<id>.baseUrl` for any other URL
 */
export const resolveBaseUrl = (id: string, defaultOrigin: string, baseUrl: string | undefined): string => {
  if (baseUrl === undefined) return defaultOrigin;
  const url = URL.parse(baseUrl);
  if (url === null || !isLoopback(url) || url.origin !== baseUrl)
    throw new ConfigurationError(`providers.${id}.baseUrl`, 'must be an http origin on loopback.');
  return baseUrl;
};

/** VSCHAR (RFC 6749 appendices A.1 and A.2) without the space, which comes from careless copying. */
const credentialPattern = /^[\x21-\x7E]+$/;
/** RFC 6749 §5.2. */
const errorCodePattern = /^[\x20-\x21\x23-\x5B\x5D-\x7E]+$/;
const scopeTokenPattern = /^[\x21\x23-\x5B\x5D-\x7E]+$/;
/** A request object would override all other parameters (OpenID Connect Core §6). */
const reservedParameters =
  /^(client_id|redirect_uri|response_type|response_mode|scope|state|nonce|code_challenge|code_challenge_method|request|request_uri)$/;

const hasNoReservedParameters = (parameters: object): boolean =>
  !Object.keys(parameters).some((name) => reservedParameters.test(name));

/**
 * Also false for values that are not strings despite their type, such as an environment variable that is not
 * set.
 */
const matchesPattern = (pattern: RegExp, value: unknown): boolean =>
  typeof value === 'string' && pattern.test(value);

// Settings of an OpenID Connect issuer.

/** The settings of `oidc()`. `scopes` must contain `openid`; the default is `openid email profile`. */
export interface OidcSettings extends ClientSettings {
  /** The issuer identifier: an https URL without query and fragment; http only on loopback. */
  readonly issuer: string;
  /** How the issuer returns its response. Default: `query`. */
  readonly responseMode?: 'query' | 'form_post';
  /**
   * Whether its ID tokens must contain the time of authentication (`auth_time`) if reauthentication was
   * requested. `optional`: the time is checked if it is present; if it is absent, reauthentication is not
   * proven. Default: `required`, according to OpenID Connect Core §2.
   */
  readonly authTime?: 'required' | 'optional';
  /** Whether a logout at the issuer also revokes grants with offline access. Default: `false`. */
  readonly logoutEndsGrants?: boolean;
  /**
   * Defines when the UserInfo endpoint is read. Its claims complete those of the ID token for `resolveUser`,
   * but never replace a usable one. Its `sub` must be that of the ID token.
   * - `if-claims-missing`: At each sign-in whose ID token lacks a claim that `scopes` requested: `email`,
   *   `name` for `profile`, `phone_number` for `phone`, or `address`. If the endpoint cannot be read, the
   *   sign-in fails. A JWT response is ignored.
   * - `never`: Not at all. Claims that the ID token lacks stay absent.
   *
   * Default: `if-claims-missing`. The endpoint is not read if the issuer's metadata has no
   * `userinfo_endpoint`.
   * @see OpenID Connect Core 1.0 §5.3 and §5.4
   */
  readonly userInfo?: 'if-claims-missing' | 'never';
}

/** Validated settings, completed with the defaults. */
export type RelyingPartyConfig = Required<OidcSettings>;

/**
 * @throws ConfigurationError `providers.<id>.<option>` for the first setting that is missing, malformed or
 *   unsafe
 */
export const parseRelyingPartyConfig = (settings: OidcSettings): RelyingPartyConfig =>
  validate(
    {
      scopes: ['openid', 'email', 'profile'],
      ...clientDefaults,
      reauthentication: { prompt: 'login', max_age: '0' },
      responseMode: 'query',
      authTime: 'required',
      logoutEndsGrants: false,
      userInfo: 'if-claims-missing',
      ...settings,
    },
    rules,
  );

const rules: readonly Rule<RelyingPartyConfig>[] = [
  ...clientRules,
  [
    'issuer',
    ({ issuer }) => isAllowedUrl(issuer) && !issuer.includes('?'),
    'must be an https URL without user information, query or fragment, or an http URL on loopback.',
  ],
  ['scopes', ({ scopes }) => scopes.includes('openid'), 'must include openid.'],
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

/**
 * Which refresh tokens are known to outlive the session that they were issued in.
 * - `always`: All refresh tokens of this provider do.
 * - `by-scope`: Only those that were issued with the scope `offline_access`.
 * - `never`: None does, or identities of this provider must not be rechecked.
 */
export type OfflineAccess = 'always' | 'by-scope' | 'never';

const offlineAccessModes: readonly unknown[] = ['always', 'by-scope', 'never'] satisfies OfflineAccess[];
