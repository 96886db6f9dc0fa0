/** Converts the profile of a user at a provider to an identity. */
import type { Identity } from '../oauth/identifiers.ts';
import { isIdentifier, isVisible, parseSubject } from './provider.ts';

/** The profile of a user, which `mapProfile` returns. Optional values that are not valid text are dropped. */
export interface ProviderProfile {
  /**
   * The provider's stable ID of the user, 1 to 255 characters. Never an email address or a user name, which
   * another user can get later.
   */
  readonly subject: string;
  /**
   * Names and addresses of the user, for display. The first one that is text of at most 320 characters, and
   * not only whitespace or invisible characters, is the label.
   */
  readonly labels: readonly unknown[];
  /** The user's email address, at most 320 characters. If it is invisible, it counts as absent. */
  readonly email?: unknown;
  /** Whether the provider asserts that it has verified the address. Default: false. */
  readonly emailVerified?: boolean;
  /** The provider's ID of the session that the user signed in with, if there is one. */
  readonly sid?: unknown;
}

/** Enough for any email address (RFC 5321 §4.5.3.1), and for any name that fits on a page. */
const maxLabelLength = 320;

/** @throws ProviderError `invalid` for a subject that is not text, is empty, or is too long */
export const createIdentity = (
  provider: string,
  profile: ProviderProfile,
  claims: Identity['claims'],
  refreshToken: string | undefined,
): Identity => {
  const { labels, emailVerified = false } = profile;
  const subject = parseSubject(profile.subject);
  const email = parseLabel(profile.email);
  const sid = isIdentifier(profile.sid) ? profile.sid : undefined;
  const label = labels.map(parseLabel).find((text) => text !== undefined);
  return {
    provider,
    subject,
    emailVerified: emailVerified && email !== undefined,
    claims,
    ...(label === undefined ? {} : { label }),
    ...(email === undefined ? {} : { email }),
    ...(sid === undefined ? {} : { sid }),
    ...(refreshToken === undefined ? {} : { refreshToken }),
  };
};

/**
 * Returns text that can be shown and sealed. Returns `undefined` for other values, and for text that is
 * invisible, too long or has a lone surrogate.
 */
export const parseLabel = (value: unknown): string | undefined =>
  isVisible(value) && value.length <= maxLabelLength && value.isWellFormed() ? value : undefined;
