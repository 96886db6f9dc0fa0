/** Who we are to an OpenID Connect issuer: a publisher's settings, checked. */
import {
  type ClientSettings,
  clientDefaults,
  clientDemands,
  type Demand,
  demand,
  isAddress,
} from '../oauth/client-settings.ts';

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
   * Says when the UserInfo endpoint is read. Its claims complete those of the ID token for `admit`, but never replace a usable one. Its
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
export type RelyingParty = Required<OidcSettings>;

/** @throws ConfigurationError `providers.<id>.<option>` for the first setting that is missing, malformed or unsafe */
export const parseRelyingParty = (settings: OidcSettings): RelyingParty =>
  demand(
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
    demands,
  );

const demands: readonly Demand<RelyingParty>[] = [
  ...clientDemands,
  [
    'issuer',
    ({ issuer }) => isAddress(issuer) && !issuer.includes('?'),
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
