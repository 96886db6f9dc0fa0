/** What travels in an access token. Issuer and audience are not in it: they are in its key. */
import type { GrantId, UserClaims, UserId } from '../protocol/identity.ts';
import { canonicalResource } from '../protocol/resource.ts';
import type { EpochSeconds } from '../protocol/time.ts';
import { json, list, record, text, uint, type ValueOf } from '../seal/payload.ts';

export const accessToken = record({
  userId: text,
  grantId: text,
  clientId: text,
  scopes: list(text),
  claims: json<UserClaims>(),
  issuedAt: uint,
  expiresAt: uint,
});

export type AccessToken = ValueOf<typeof accessToken>;

/** Who calls a guarded API, and what they may do. */
export interface Access {
  readonly userId: UserId;
  readonly clientId: string;
  readonly grantId: GrantId;
  readonly scopes: readonly string[];
  /** What `admit` said of the user; empty without one. */
  readonly claims: UserClaims;
  readonly expiresAt: EpochSeconds;
}

/**
 * Finds what seals or opens the access tokens of a resource, which a caller or an older record can write in any equivalent form.
 * @returns undefined if the resource is not configured
 */
export const findByResource = <Found>(
  access: ReadonlyMap<string, Found>,
  resource: string,
): Found | undefined => access.get(resource) ?? access.get(canonicalResource(resource));
