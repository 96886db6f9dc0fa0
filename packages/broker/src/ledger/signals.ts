/** The part of the storage port that providers' signals stand on: what they have said before, and what ends because they said it. */
import type { Signal } from '../protocol/signal.ts';
import type { EpochSeconds } from '../protocol/time.ts';

/** A signal that was verified, and whose it is. */
export interface ReceivedSignal extends Omit<Signal, 'name'> {
  readonly provider: string;
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
