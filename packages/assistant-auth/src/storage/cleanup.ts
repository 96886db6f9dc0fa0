/**
 * Creates the cleanup, and the function with which requests start it on a platform without a schedule. No
 * response waits for it.
 */

import { describeCause, parseSeconds } from '../oauth/errors.ts';
import type { Clock, EpochSeconds, Seconds } from '../oauth/identifiers.ts';
import type { Log } from '../oauth/log.ts';
import type { KeyRing } from '../seal/key-ring.ts';
import type { MaintenanceStorage } from './broker-storage.ts';

/** Keeps work running after the response is sent, like `waitUntil` of Cloudflare's `ExecutionContext`. */
export type WaitUntil = (work: Promise<void>) => void;

const minInterval: Seconds = 60;
const maxInterval: Seconds = 86_400;

/**
 * Creates a function that starts a cleanup, unless one was started less than `interval` ago. It is called
 * after a sign-in was stored and after tokens were issued.
 * @param interval in seconds
 * @throws ConfigurationError `cleanupInterval` if the interval is not a whole number or is out of bounds
 */
export const createCleanupStarter = (
  interval: Seconds,
  { cleanup, now, log }: CleanupStarterContext,
): ((waitUntil: WaitUntil) => void) => {
  parseSeconds('cleanupInterval', interval, minInterval, maxInterval);
  // The first call starts a cleanup, because an isolate may not run as long as the interval.
  let lastCleanupAt: EpochSeconds | undefined;
  const logFailure = (cause: unknown): void => log({ event: 'cleanup-failed', cause: describeCause(cause) });
  return (waitUntil) => {
    const at = now();
    if (lastCleanupAt !== undefined && Math.abs(at - lastCleanupAt) < interval) return;
    // Set even if the cleanup fails: a retry after each request would add load while storage has problems.
    lastCleanupAt = at;
    try {
      waitUntil(cleanup().catch(logFailure));
    } catch (cause) {
      logFailure(cause);
    }
  };
};

interface CleanupStarterContext {
  readonly cleanup: () => Promise<void>;
  readonly now: Clock;
  readonly log: Log;
}

interface CleanupContext {
  readonly storage: MaintenanceStorage;
  readonly ring: KeyRing;
  readonly auditRetention: Seconds;
  readonly now: Clock;
  /** Reseals stored upstream tokens with the first key in the ring. */
  readonly reseal: () => Promise<void>;
  /** Stores the counts of refused requests. */
  readonly storeRefusals: () => Promise<void>;
}

/**
 * Creates the cleanup: deletes what has expired, records which keys are in the ring, reseals upstream tokens,
 * and stores the counts of refused requests.
 */
export const createCleanup =
  ({ storage, ring, auditRetention, now, reseal, storeRefusals }: CleanupContext): (() => Promise<void>) =>
  async () => {
    const at = now();
    await storage.cleanUp({
      ...{ now: at, deleteAuditBefore: at - auditRetention },
      ...{ sealingKey: ring.sealingKey.id, ringKeys: [...ring.keys.keys()] },
    });
    await reseal();
    await storeRefusals();
  };
