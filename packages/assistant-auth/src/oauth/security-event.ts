/** What providers say unasked, once it was verified: whom it is about, and how much of what rests on them ends. */
import type { EpochSeconds } from './time.ts';

/** Whom a signal is about. */
export type SecurityEventTarget =
  | { readonly kind: 'identity'; readonly subject: string }
  /** A session at the provider; of one person only, if the subject is named too. */
  | { readonly kind: 'session'; readonly sid: string; readonly subject?: string }
  /** Whoever's stored token goes by this name. */
  | { readonly kind: 'token'; readonly identifier: string };

/** How much of what rests on it ends. */
export type RevocationScope =
  /** Sessions at the account page. */
  | 'sessions'
  /** Those, and grants without offline access: what was to last while the person is there. */
  | 'online-grants'
  /** Every grant. */
  | 'grants'
  /** Every grant, and the provider's stored token is forgotten, unless a session is all that is named. */
  | 'identity';

export interface RequestedRevocation {
  readonly target: SecurityEventTarget;
  readonly revocationScope: RevocationScope;
}

export interface SecurityEvent {
  /** What it is, in a word of ours that may stand in a log: `logout`, `account-disabled`. */
  readonly type: string;
  /** Its own name at the provider, which gives each one once; at most 255 characters. */
  readonly jti: string;
  /** From here on it is refused for its age, and need not be known again. */
  readonly retainUntil: EpochSeconds;
  /** Who signed in at the provider after this instant came back, and that counts more: what rests on it is left alone. */
  readonly signedInBefore: EpochSeconds;
  /** None where it asks for nothing. */
  readonly revocations: readonly RequestedRevocation[];
}
