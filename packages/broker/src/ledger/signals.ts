/** The part of the storage port that providers' signals stand on: what they have said before, and what ends because they said it. */
import type { EpochSeconds } from '../protocol/time.ts';

/** Whom a signal of a provider is about. */
export type SignalTarget =
  | { readonly kind: 'identity'; readonly subject: string }
  /** A session at the provider; of one person only, if the subject is named too. */
  | { readonly kind: 'session'; readonly sid: string; readonly subject?: string }
  /** Whoever's stored token goes by this name. */
  | { readonly kind: 'token'; readonly name: string };

/** How much of what rests on it ends. */
export type SignalReach =
  /** Sessions at the account page. */
  | 'sessions'
  /** Those, and grants without offline access: what was to last while the person is there. */
  | 'presence'
  /** Every grant. */
  | 'grants'
  /** Every grant, and the provider's stored token is forgotten, unless a session is all that is named. */
  | 'identity';

export interface SignalEnding {
  readonly target: SignalTarget;
  readonly reach: SignalReach;
}

/** A signal that was verified. */
export interface ReceivedSignal {
  readonly provider: string;
  /** Its name at the provider, which gives each one once. */
  readonly jti: string;
  /** From here on it would be refused for its age, and need not be known again. */
  readonly neededUntil: EpochSeconds;
  /** What began after this instant is left alone: the person came back, and that counts more. */
  readonly before: EpochSeconds;
  readonly endings: readonly SignalEnding[];
  /** Kept for the operator. */
  readonly reason: string;
  readonly now: EpochSeconds;
}

/** `replayed`: it was received before; nothing was changed. */
export type SignalOutcome = 'first' | 'replayed';

export interface Signals {
  /** Ends what a signal ends, each grant as `revoke` does, and remembers that it came. */
  recordSignal(signal: ReceivedSignal): Promise<SignalOutcome>;
}
