/** Sweeping where no schedule does it: a write starts it, once in a while, and no answer waits for it. */

import { ConfigurationError, describeCause } from '../oauth/errors.ts';
import type { Log } from '../oauth/log.ts';
import type { Clock, EpochSeconds, Seconds } from '../oauth/time.ts';
import type { KeyRing } from '../seal/key-ring.ts';
import type { Ledger, Upkeep } from './broker-storage.ts';

/** Takes work that goes on after the response was sent. */
export type AfterResponse = (work: Promise<void>) => void;

export interface Sweeping {
  readonly every: Seconds;
  readonly sweep: () => Promise<void>;
  readonly afterResponse: AfterResponse;
  readonly now: Clock;
  readonly log: Log;
}

const leastInterval: Seconds = 60;
const longestInterval: Seconds = 86_400;

/**
 * Gives the same ledger, which sweeps itself after a write.
 * @throws ConfigurationError `sweepEvery` for an interval that is not whole or out of bounds
 */
export const sweptOnWrite = (ledger: Ledger, sweeping: Sweeping): Ledger => {
  const { every, sweep, afterResponse, now, log } = sweeping;
  if (!Number.isInteger(every) || every < leastInterval || every > longestInterval) {
    const bounds = `from ${leastInterval} to ${longestInterval}`;
    throw new ConfigurationError('sweepEvery', `must be a whole number of seconds ${bounds}.`);
  }
  // The first write of all sweeps: isolates may be too short-lived for an interval that counts from their start.
  let sweptAt: EpochSeconds | undefined;

  const report = (cause: unknown): void => log({ event: 'sweep-failed', cause: describeCause(cause) });

  const sweepIfDue = (): void => {
    const at = now();
    if (sweptAt !== undefined && Math.abs(at - sweptAt) < every) return;
    // Also when it fails: a ledger in trouble is not helped by being asked again at each write.
    sweptAt = at;
    try {
      afterResponse(sweep().catch(report));
    } catch (cause) {
      report(cause);
    }
  };

  const written = async <Outcome>(write: Promise<Outcome>): Promise<Outcome> => {
    const outcome = await write;
    sweepIfDue();
    return outcome;
  };

  return writing(ledger, written);
};

/** Wraps every method that writes. */
const writing = (
  ledger: Ledger,
  written: <Outcome>(write: Promise<Outcome>) => Promise<Outcome>,
): Ledger => ({
  recordSignIn: (signIn) => written(ledger.recordSignIn(signIn)),
  grantStatus: (grantId) => ledger.grantStatus(grantId),
  claimCode: (claim) => written(ledger.claimCode(claim)),
  redeemCode: (redemption) => written(ledger.redeemCode(redemption)),
  refresh: (use) => written(ledger.refresh(use)),
  isRefreshable: (question) => ledger.isRefreshable(question),
  storeToken: (token) => written(ledger.storeToken(token)),
  recordCheck: (check) => written(ledger.recordCheck(check)),
  endIdentity: (asked, reason, at) => written(ledger.endIdentity(asked, reason, at)),
  resolveRecheck: (asked) => written(ledger.resolveRecheck(asked)),
  dropUpstreamToken: (drop) => written(ledger.dropUpstreamToken(drop)),
  revoke: (target, reason, at, by) => written(ledger.revoke(target, reason, at, by)),
  revocationsSince: (cursor, at, limit) => ledger.revocationsSince(cursor, at, limit),
  isRevoked: (token, at) => ledger.isRevoked(token, at),
  sweep: (sweep) => ledger.sweep(sweep),
  findTokens: (question) => ledger.findTokens(question),
  replaceTokens: (resealing) => written(ledger.replaceTokens(resealing)),
  useSession: (use) => written(ledger.useSession(use)),
  takeCheck: (question) => written(ledger.takeCheck(question)),
  readAccount: (userId) => ledger.readAccount(userId),
  readHistory: (userId) => ledger.readHistory(userId),
  findUser: (identity) => ledger.findUser(identity),
  linkIdentity: (link) => written(ledger.linkIdentity(link)),
  unlinkIdentity: (unlink) => written(ledger.unlinkIdentity(unlink)),
  endApps: (ending) => written(ledger.endApps(ending)),
  deleteUser: (deletion) => written(ledger.deleteUser(deletion)),
  recordSignal: (signal) => written(ledger.recordSignal(signal)),
});

interface CleanupContext {
  readonly ledger: Upkeep;
  readonly ring: KeyRing;
  readonly auditRetention: Seconds;
  readonly now: Clock;
  /** Reseals stored upstream tokens with the first key in the ring. */
  readonly reseal: () => Promise<void>;
}

/** Creates the cleanup: deletes what has expired, records which keys are in the ring, and reseals upstream tokens. */
export const createCleanup =
  ({ ledger, ring, auditRetention, now, reseal }: CleanupContext): (() => Promise<void>) =>
  async () => {
    const at = now();
    await ledger.sweep({
      ...{ now: at, auditBefore: at - auditRetention },
      ...{ sealingKey: ring.sealingKey.id, openingKeys: [...ring.keys.keys()] },
    });
    await reseal();
  };
