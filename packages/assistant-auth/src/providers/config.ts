/**
 * The settings of the broker as a client of a provider, with their defaults: those of all providers, and
 * those of OpenID Connect issuers. Also the rules for the credentials; `settings-rules.ts` has the others.
 */

import { ConfigurationError } from '../oauth/errors.ts';
import type { EpochSeconds, Seconds } from '../oauth/identifiers.ts';
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

const credentialProblem = 'must be printable ASCII without spaces, and not empty.';

export const credentialRules: readonly Rule<Pick<ClientSettings, 'id' | 'clientId' | 'clientSecret'>>[] = [
  ['clientId', ({ clientId }) => matchesPattern(credentialPattern, clientId), credentialProblem],
  [
    'clientSecret',
    ({ clientSecret }) =>
      typeof clientSecret === 'function' || matchesPattern(credentialPattern, clientSecret),
    credentialProblem,
  ],
];

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
/**
 * Also false for values that are not strings despite their type, such as an environment variable that is not
 * set.
 */
export const matchesPattern = (pattern: RegExp, value: unknown): boolean =>
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
 * Completes the settings of a built-in provider. Validates only the credentials, because the publisher sets
 * nothing else. There is no `userInfo`, because only `oidc()` reads UserInfo.
 * @throws ConfigurationError `providers.<id>.<option>` if `clientId` or `clientSecret` is malformed
 */
export const parseBuiltInSettings = (settings: Omit<OidcSettings, 'userInfo'>): RelyingPartyConfig =>
  validate(fillInDefaults(settings), credentialRules);

export const fillInDefaults = (settings: OidcSettings): RelyingPartyConfig => ({
  scopes: ['openid', 'email', 'profile'],
  ...clientDefaults,
  reauthentication: { prompt: 'login', max_age: '0' },
  responseMode: 'query',
  authTime: 'required',
  logoutEndsGrants: false,
  userInfo: 'if-claims-missing',
  ...settings,
});

/**
 * Which refresh tokens are known to outlive the session that they were issued in.
 * - `always`: All refresh tokens of this provider do.
 * - `by-scope`: Only those that were issued with the scope `offline_access`.
 * - `never`: None does, or identities of this provider must not be rechecked.
 */
export type OfflineAccess = 'always' | 'by-scope' | 'never';
