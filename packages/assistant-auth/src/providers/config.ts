/**
 * The options of the broker as a client of a provider, with their defaults: those of all providers, and those
 * of OpenID Connect issuers. Also the rules for the credentials; `option-rules.ts` has the others.
 */

import { ConfigurationError } from '../oauth/errors.ts';
import type { EpochSeconds, Seconds } from '../oauth/identifiers.ts';
import { isLoopback } from '../oauth/resource.ts';

/** The options that `oidc()` and `oauth2()` have in common. */
export interface ProviderOptions {
  /**
   * The ID of the provider, such as `acme-login`: 1 to 32 characters a–z, 0–9 and hyphen, but not `continue`.
   * It is part of the callback URL `<issuer>/callback/<id>`, which must be registered at the provider, and of
   * stored identities, so it must never change.
   */
  readonly id: string;
  /** The name of the provider on the sign-in button. Must not be empty. */
  readonly displayName: string;
  /**
   * The provider's logo on the button: SVG that starts with `<svg`, has `xmlns="http://www.w3.org/2000/svg"`
   * and at most 10,000 characters. {@link IdentityProvider.icon} defines its colors. Default: only the name.
   */
  readonly icon?: string;
  /** The client ID that the provider assigned to the broker: printable ASCII without spaces. Not secret. */
  readonly clientId: string;
  /**
   * The client secret from the provider: printable ASCII without spaces. Secret. For a provider that requires
   * a signed JWT, a function that creates one for a single request from the current time.
   */
  readonly clientSecret: string | ((now: EpochSeconds) => Promise<string>);
  /** The scopes to request. Default: `openid email profile` for `oidc()`, none for `oauth2()`. */
  readonly scopes?: readonly string[];
  /**
   * Parameters added to the authorization request: `prompt`, `hd`, `access_type` and the like. Parameters
   * that the broker sets itself, `request` and `request_uri` are not allowed. Default: none.
   */
  readonly authorizationParameters?: Readonly<Record<string, string>>;
  /**
   * Parameters added when the user must authenticate again, in place of authorization parameters of the
   * same name. They should request the strongest reauthentication that the provider supports. If they
   * contain `max_age`, and the client sent a `max_age` other than 0, the client's value is sent instead, and
   * their `prompt` is omitted. Default: `prompt=login` and `max_age=0` for `oidc()`, none for `oauth2()`.
   */
  readonly reauthentication?: Readonly<Record<string, string>>;
  /**
   * Parameters added when the user must choose an account, in place of other parameters of the same name,
   * except that the values of `prompt` are combined. Default: `prompt=select_account` for `oidc()`, if the
   * issuer's `prompt_values_supported` lists it; none for `oauth2()`.
   */
  readonly accountSelection?: Readonly<Record<string, string>>;
  /**
   * Error codes that, in response to a refresh, mean that the user's grant at the provider was revoked.
   * Default: `invalid_grant`.
   */
  readonly revokedErrors?: readonly string[];
  /**
   * Whether a refresh token can become invalid when it is used, because the provider issues a new one. If so,
   * a token that is rejected after a response was lost revokes no grants. Default: `true`. Set it to `false`
   * only if the provider documents that a used refresh token stays valid.
   */
  readonly singleUseRefreshTokens?: boolean;
  /** How long a recheck with the result `active` is valid, in seconds, from 60 to 86400. Default: 600. */
  readonly recheckInterval?: Seconds;
  /**
   * Defines which refresh tokens of the provider outlive the user's session there. Only these are stored and
   * used for rechecks. When a session ends, a refresh token that is bound to it fails with `invalid_grant`,
   * and the user's grants would be revoked by mistake. At a sign-in, a refresh token is not stored either if
   * the response specifies that it expires in less than a day. Default: `by-scope`.
   * - `by-scope`: Those that were issued with the scope `offline_access`. `oidc()` requests it if the
   *   issuer's `scopes_supported` lists it; `oauth2()` requests it only if `scopes` contains it.
   * - `always`: All of them. Set this only if the provider documents it. `oidc()` does not add the scope.
   * - `never`: None. `oidc()` does not add the scope, no refresh token is stored, and identities are never
   *   rechecked.
   * @see OpenID Connect Core 1.0 §11, RFC 6749 §5.1 and §5.2
   */
  readonly offlineAccess?: 'by-scope' | 'always' | 'never';
  /**
   * How the client secret is sent to the server, whatever its metadata lists. Default: `client_secret_post`;
   * for `oidc()`, `client_secret_basic` if the issuer's `token_endpoint_auth_methods_supported` lists only
   * that or is absent.
   * - `client_secret_post`: In the form of the request.
   * - `client_secret_basic`: In the `Authorization` header. Client ID and secret are form-encoded first.
   * - `client_secret_basic_unencoded`: In the `Authorization` header, without form-encoding (RFC 7617),
   *   for a server that does not decode them. The client ID must not contain a colon.
   * @see RFC 6749 §2.3.1 and appendix B
   */
  readonly tokenAuthMethod?: 'client_secret_post' | 'client_secret_basic' | 'client_secret_basic_unencoded';
  /**
   * Whether requests contain the parameters of PKCE. Set it to `false` only for a server that rejects them.
   * With `oidc()`, only the nonce then prevents code injection: the sign-in of someone who sends a stolen
   * authorization code to the callback is refused after the code was redeemed, and not by the server. With
   * `oauth2()`, nothing prevents it: anyone who gets a code before it is used can sign in as its user. Default:
   * `true`.
   * @see RFC 7636, RFC 9700 §2.1.1 and §4.5
   */
  readonly pkce?: boolean;
}

/** The options, with their defaults filled in. */
type Completed<Options> = Required<Omit<Options, OptionWithoutDefault>> &
  Pick<Options, Extract<keyof Options, OptionWithoutDefault>>;

/**
 * The icon, and two options whose default depends on the issuer: how the client secret is sent, and where the
 * metadata is.
 */
type OptionWithoutDefault = 'icon' | 'tokenAuthMethod' | 'discoveryUrl';

/** The options that `oidc()` and `oauth2()` have in common, with their defaults. */
export type ClientConfig = Completed<ProviderOptions>;

/** The values of options that are absent. */
export const clientDefaults = {
  authorizationParameters: {},
  revokedErrors: ['invalid_grant'],
  singleUseRefreshTokens: true,
  recheckInterval: 600,
  offlineAccess: 'by-scope',
  pkce: true,
} as const satisfies Partial<ProviderOptions>;

/** An option, the condition that it must meet, and the error message if it does not. */
export type Rule<Options> = readonly [
  option: keyof Options & string,
  isValid: (options: Options) => boolean,
  problem: string,
];

/** @throws ConfigurationError `providers.<id>.<option>` for the first rule that is not met */
export const validate = <Options extends { readonly id: string }>(
  options: Options,
  rules: readonly Rule<Options>[],
): Options => {
  for (const [option, isValid, problem] of rules) {
    if (!isValid(options)) throw new ConfigurationError(`providers.${options.id}.${option}`, problem);
  }
  return options;
};

const credentialProblem = 'must be printable ASCII without spaces, and not empty.';

export const credentialRules: readonly Rule<Pick<ProviderOptions, 'id' | 'clientId' | 'clientSecret'>>[] = [
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

// Options of an OpenID Connect issuer.

/** The options of {@link oidc}. `scopes` must contain `openid`. */
export interface OidcOptions extends ProviderOptions {
  /**
   * The issuer identifier: an https URL without a query or fragment; http only on loopback. It must be
   * exactly the `issuer` in the metadata, and the `iss` of ID tokens.
   */
  readonly issuer: string;
  /**
   * The URL of the issuer's metadata: https without user information or fragment; http only on loopback. Set
   * it only for an issuer whose metadata is at another URL than its identifier implies. The metadata must
   * still name `issuer`. Nothing then proves that the metadata belongs to the issuer: someone who controls this
   * URL can name keys of their own, and sign in as any user of the issuer. An endpoint in the metadata can
   * have an IP address only if it is the host of this URL. Default:
   * `<issuer>/.well-known/openid-configuration`.
   * @see OpenID Connect Discovery 1.0 §4.1 and §4.3
   */
  readonly discoveryUrl?: string;
  /**
   * Whether the authorization request contains a nonce, which the ID token must then contain. Set it to
   * `false` only for an issuer that rejects the parameter or omits the claim, and only if it enforces PKCE:
   * nothing else then prevents code injection. An ID token that contains a nonce anyway is refused, because
   * it was issued for another request. Must be `true` if `pkce` is `false`. Default: `true`.
   * @see OpenID Connect Core 1.0 §3.1.2.1, RFC 9700 §2.1.1 and §4.5
   */
  readonly nonce?: boolean;
  /**
   * How the issuer returns its response: in the `query` of the callback, or with `form_post`, in a form that
   * the browser posts there. Default: `query`.
   */
  readonly responseMode?: 'query' | 'form_post';
  /**
   * Whether the ID tokens must contain the time of authentication (`auth_time`) if reauthentication was
   * requested. `required`: without it, the sign-in fails. `optional`: the time is checked if it is present;
   * if it is absent, reauthentication is not proven. Default: `required`, as OpenID Connect Core §2 demands.
   */
  readonly authTime?: 'required' | 'optional';
  /**
   * Whether a back-channel logout at the issuer also revokes grants with offline access, and not only
   * sessions and grants without it. Default: `false`.
   * @see OpenID Connect Back-Channel Logout 1.0 §2.7
   */
  readonly logoutEndsGrants?: boolean;
  /**
   * Defines when the UserInfo endpoint is read. Its claims complete those of the ID token for `resolveUser`,
   * but never replace a usable one. Its `sub` must be that of the ID token. The endpoint is not read if the
   * issuer's metadata has no `userinfo_endpoint`. Default: `if-claims-missing`.
   * - `if-claims-missing`: At each sign-in whose ID token lacks a claim that `scopes` requested: `email`,
   *   `name` for `profile`, `phone_number` for `phone`, or `address`. If the endpoint cannot be read, the
   *   sign-in fails. A JWT response is ignored.
   * - `never`: Not at all. Claims that the ID token lacks stay absent.
   * @see OpenID Connect Core 1.0 §5.3 and §5.4
   */
  readonly userInfo?: 'if-claims-missing' | 'never';
}

/** Validated options, completed with the defaults. */
export type RelyingPartyConfig = Completed<OidcOptions>;

/**
 * Completes the options of a built-in provider. Validates only the credentials, because the publisher sets
 * nothing else. Some options are missing, because only `oidc()` has code for them.
 * @throws ConfigurationError `providers.<id>.<option>` if `clientId` or `clientSecret` is malformed
 */
export const parseBuiltInOptions = (
  options: Omit<OidcOptions, 'userInfo' | 'tokenAuthMethod' | 'offlineAccess'>,
): RelyingPartyConfig => validate(fillInDefaults(options), credentialRules);

export const fillInDefaults = (options: OidcOptions): RelyingPartyConfig => ({
  scopes: ['openid', 'email', 'profile'],
  ...clientDefaults,
  reauthentication: { prompt: 'login', max_age: '0' },
  accountSelection: {},
  responseMode: 'query',
  nonce: true,
  authTime: 'required',
  logoutEndsGrants: false,
  userInfo: 'if-claims-missing',
  ...options,
});

/** Which refresh tokens are known to outlive the session that they were issued in. */
export type OfflineAccess = Required<ProviderOptions>['offlineAccess'];
