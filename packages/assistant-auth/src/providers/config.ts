/** Our part as a client of a provider: the settings that all providers share, and what is demanded of them. */

import { ConfigurationError } from '../oauth/errors.ts';
import { continueChoice, type EpochSeconds, type Seconds } from '../oauth/identifiers.ts';
import { isLoopback } from '../oauth/resource.ts';

/** A secret as the provider gave it, or what makes one for a single exchange. */
type ClientSecret = string | ((now: EpochSeconds) => Promise<string>);

export interface ClientSettings {
  /** Stands in the callback path and in stored identities, so never change it: `google`, `acme-login`. */
  readonly id: string;
  /** The name on the button. */
  readonly displayName: string;
  readonly clientId: string;
  readonly clientSecret: ClientSecret;
  readonly scopes?: readonly string[];
  /** Added to the authorization request: `prompt`, `hd`, `access_type` and the like. */
  readonly authorizationParameters?: Readonly<Record<string, string>>;
  /** Take the place of those when a person must prove themselves anew: as strongly as the provider can be asked for it. */
  readonly reauthentication?: Readonly<Record<string, string>>;
  /** Error codes that mean, in answer to a refresh, that the person's grant there has ended. Left out: `invalid_grant`. */
  readonly revokedErrors?: readonly string[];
  /**
   * Whether a refresh token can become invalid when it is used, because the provider issues a new one. If so, a rejected token does not
   * sign anyone out if an earlier response was lost. Default: `true`. Set it to `false` only if the provider documents that a used refresh
   * token stays valid.
   */
  readonly singleUseRefreshTokens?: boolean;
  /** How long its word on a person holds, 60 to 86400. Left out: 600. */
  readonly recheckInterval?: Seconds;
  /**
   * Says which refresh tokens of the provider outlive the person's session there. Only these are stored and used for rechecks. When a
   * session ends, a refresh token that is bound to it fails with `invalid_grant`, and the person would be signed out by mistake.
   * - `by-scope`: Those that were issued with the scope `offline_access`. `oidc()` requests it if the issuer's `scopes_supported`
   *   lists it; `oauth2()` requests it only if `scopes` contains it.
   * - `always`: All of them. Set this only if the provider documents it. `oidc()` does not add the scope.
   * - `never`: None. `oidc()` does not add the scope, no refresh token is stored, and identities are never rechecked.
   *
   * A refresh token whose response says that it expires in less than a day is never stored. Default: `by-scope`.
   * @see OpenID Connect Core 1.0 §11, RFC 6749 §5.1 and §5.2
   */
  readonly offlineAccess?: OfflineAccess;
}

/** What stands where nothing is said. */
export const clientDefaults = {
  authorizationParameters: {},
  revokedErrors: ['invalid_grant'],
  singleUseRefreshTokens: true,
  recheckInterval: 600,
  offlineAccess: 'by-scope',
} as const satisfies Partial<ClientSettings>;

/** What must be true of an option, and what is said when it is not. */
export type Rule<Settings> = readonly [
  option: keyof Settings & string,
  isValid: (settings: Settings) => boolean,
  problem: string,
];

/** @throws ConfigurationError `providers.<id>.<option>` for the first demand that is not met */
export const validate = <Settings extends { readonly id: string }>(
  settings: Settings,
  rules: readonly Rule<Settings>[],
): Settings => {
  for (const [option, isValid, problem] of rules) {
    if (!isValid(settings)) throw new ConfigurationError(`providers.${settings.id}.${option}`, problem);
  }
  return settings;
};

const reservedProblem = 'must not set what every sign-in sets itself, nor request or request_uri.';
const credentialProblem = 'must be given, as printable ASCII without spaces.';

export const clientRules: readonly Rule<Required<ClientSettings>>[] = [
  [
    'id',
    ({ id }) => matchesPattern(/^[a-z0-9-]{1,32}$/, id),
    'must be 1 to 32 characters a-z, 0-9 and hyphen.',
  ],
  ['id', ({ id }) => id !== continueChoice, `must not be ${continueChoice}, which stands for a session.`],
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
    'must be names without space, quote or backslash.',
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
    'must be error codes.',
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

/** Tells whether a setting may be requested from: https, or http on loopback; without user, password and fragment. */
export const isAllowedUrl = (text: string): boolean => {
  const url = matchesPattern(/^[^#\s]+$/, text) ? URL.parse(text) : null;
  if (url === null || url.username !== '' || url.password !== '') return false;
  return url.protocol === 'https:' || isLoopback(url);
};

/**
 * Takes a fake provider's origin in a vendor's place: for development, so only on loopback.
 * @throws ConfigurationError `providers.<id>.standIn` for any other
 */
export const resolveBaseUrl = (id: string, defaultOrigin: string, baseUrl: string | undefined): string => {
  if (baseUrl === undefined) return defaultOrigin;
  const url = URL.parse(baseUrl);
  if (url === null || !isLoopback(url) || url.origin !== baseUrl)
    throw new ConfigurationError(`providers.${id}.standIn`, 'must be an http origin on loopback.');
  return baseUrl;
};

/** VSCHAR (RFC 6749 appendices A.1 and A.2). Space is left out: it comes from careless copying. */
const credentialPattern = /^[\x21-\x7E]+$/;
/** RFC 6749 §5.2. */
const errorCodePattern = /^[\x20-\x21\x23-\x5B\x5D-\x7E]+$/;
const scopeTokenPattern = /^[\x21\x23-\x5B\x5D-\x7E]+$/;
/** A request object would override all the others (OpenID Connect Core §6). */
const reservedParameters =
  /^(client_id|redirect_uri|response_type|response_mode|scope|state|nonce|code_challenge|code_challenge_method|request|request_uri)$/;

const hasNoReservedParameters = (parameters: object): boolean =>
  !Object.keys(parameters).some((name) => reservedParameters.test(name));

/** Also false for what only the compiler promised to be a string: an unset environment variable. */
const matchesPattern = (pattern: RegExp, value: unknown): boolean =>
  typeof value === 'string' && pattern.test(value);

// Who we are to an OpenID Connect issuer: a publisher's settings, checked.

/** `scopes` are `openid email profile` when they are left out; `openid` must be among them. */
export interface OidcSettings extends ClientSettings {
  /** The issuer identifier: an https URL without query and fragment; http only on loopback. */
  readonly issuer: string;
  /** How the issuer sends people back. Left out: `query`. */
  readonly responseMode?: 'query' | 'form_post';
  /**
   * Whether its ID tokens say when the person proved themselves (`auth_time`), once they were asked to do it anew. `optional`: it
   * counts where it is said, and nothing is proven where it is not. Left out: `required`, as OpenID Connect Core §2 has it.
   */
  readonly authTime?: 'required' | 'optional';
  /** Whether a person who signs out there loses also what they allowed apps to do while they are away. Left out: no. */
  readonly logoutEndsGrants?: boolean;
  /**
   * Says when the UserInfo endpoint is read. Its claims complete those of the ID token for `resolveUser`, but never replace a usable one. Its
   * `sub` must be that of the ID token.
   * - `if-claims-missing`: At each sign-in whose ID token lacks a claim that `scopes` requested: `email`, `name` for `profile`,
   *   `phone_number` for `phone`, or `address`. If the endpoint cannot be read, the sign-in fails. A response as a JWT is ignored.
   * - `never`: Not at all. Claims that the ID token lacks stay absent.
   *
   * Default: `if-claims-missing`. The endpoint is not read if the issuer's metadata has no `userinfo_endpoint`.
   * @see OpenID Connect Core 1.0 §5.3 and §5.4
   */
  readonly userInfo?: 'if-claims-missing' | 'never';
}

/** Settings that were checked and completed. */
export type RelyingPartyConfig = Required<OidcSettings>;

/** @throws ConfigurationError `providers.<id>.<option>` for the first setting that is missing, malformed or unsafe */
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
    'must be an https URL without user, query and fragment, or http on loopback.',
  ],
  ['scopes', ({ scopes }) => scopes.includes('openid'), 'must hold openid.'],
  // Another word would ask nothing of a token.
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
 * - `never`: None does, or the provider must not be asked.
 */
export type OfflineAccess = 'always' | 'by-scope' | 'never';

const offlineAccessModes: readonly unknown[] = ['always', 'by-scope', 'never'] satisfies OfflineAccess[];
