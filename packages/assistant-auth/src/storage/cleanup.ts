/**
 * Runs the cleanup: what it does, and how a write starts it on a platform without a schedule. No response
 * waits for it.
 */

import { ConfigurationError, describeCause } from '../oauth/errors.ts';
import type { Clock, EpochSeconds, Seconds } from '../oauth/identifiers.ts';
import type { Log } from '../oauth/log.ts';
import type { KeyRing } from '../seal/key-ring.ts';
import type { BrokerStorage, MaintenanceStorage } from './broker-storage.ts';

/** Keeps work running after the response was sent. */
export type WaitUntil = (work: Promise<void>) => void;

export interface CleanupOnWrite {
  readonly interval: Seconds;
  readonly cleanup: () => Promise<void>;
  readonly waitUntil: WaitUntil;
  readonly now: Clock;
  readonly log: Log;
}

const minInterval: Seconds = 60;
const maxInterval: Seconds = 86_400;

/**
 * Returns the same storage, which starts a cleanup after a write if none was started for `interval`.
 * @throws ConfigurationError `cleanupInterval` if the interval is not a whole number or out of bounds
 */
export const cleanUpOnWrite = (storage: BrokerStorage, options: CleanupOnWrite): BrokerStorage => {
  const { interval, cleanup, waitUntil, now, log } = options;
  if (!Number.isInteger(interval) || interval < minInterval || interval > maxInterval) {
    const bounds = `from ${minInterval} to ${maxInterval}`;
    throw new ConfigurationError('cleanupInterval', `must be a whole number of seconds ${bounds}.`);
  }
  // The first write starts a cleanup, because an isolate may not live as long as the interval.
  let lastCleanupAt: EpochSeconds | undefined;

  const logFailure = (cause: unknown): void => log({ event: 'cleanup-failed', cause: describeCause(cause) });

  const startCleanupIfDue = (): void => {
    const at = now();
    if (lastCleanupAt !== undefined && Math.abs(at - lastCleanupAt) < interval) return;
    // Also if the cleanup fails: retrying at each write would add load to a storage that has problems.
    lastCleanupAt = at;
    try {
      waitUntil(cleanup().catch(logFailure));
    } catch (cause) {
      logFailure(cause);
    }
  };

  const afterWrite = async <Outcome>(write: Promise<Outcome>): Promise<Outcome> => {
    const outcome = await write;
    startCleanupIfDue();
    return outcome;
  };

  return wrapWrites(storage, afterWrite);
};

/** Wraps every method that writes, except `cleanUp`. */
const wrapWrites = (
  storage: BrokerStorage,
  afterWrite: <Outcome>(write: Promise<Outcome>) => Promise<Outcome>,
): BrokerStorage => ({
  recordSignIn: (signIn) => afterWrite(storage.recordSignIn(signIn)),
  readGrantStatus: (grantId) => storage.readGrantStatus(grantId),
  claimCode: (claim) => afterWrite(storage.claimCode(claim)),
  redeemCode: (redemption) => afterWrite(storage.redeemCode(redemption)),
  refresh: (use) => afterWrite(storage.refresh(use)),
  isRefreshable: (query) => storage.isRefreshable(query),
  storeUpstreamToken: (token) => afterWrite(storage.storeUpstreamToken(token)),
  recordRecheck: (check) => afterWrite(storage.recordRecheck(check)),
  revokeGrantsOfIdentity: (usedToken, reason, at) =>
    afterWrite(storage.revokeGrantsOfIdentity(usedToken, reason, at)),
  resolveRecheck: (usedToken) => afterWrite(storage.resolveRecheck(usedToken)),
  dropUpstreamToken: (drop) => afterWrite(storage.dropUpstreamToken(drop)),
  revoke: (target, reason, at, by) => afterWrite(storage.revoke(target, reason, at, by)),
  readRevocations: (cursor, at, limit) => storage.readRevocations(cursor, at, limit),
  isRevoked: (token, at) => storage.isRevoked(token, at),
  cleanUp: (cleanup) => storage.cleanUp(cleanup),
  findUpstreamTokens: (query) => storage.findUpstreamTokens(query),
  replaceUpstreamTokens: (resealing) => afterWrite(storage.replaceUpstreamTokens(resealing)),
  useSession: (use) => afterWrite(storage.useSession(use)),
  acquireRecheckLease: (query) => afterWrite(storage.acquireRecheckLease(query)),
  readAccount: (userId) => storage.readAccount(userId),
  readHistory: (userId) => storage.readHistory(userId),
  findUser: (identity) => storage.findUser(identity),
  linkIdentity: (link) => afterWrite(storage.linkIdentity(link)),
  unlinkIdentity: (unlink) => afterWrite(storage.unlinkIdentity(unlink)),
  revokeGrants: (revocation) => afterWrite(storage.revokeGrants(revocation)),
  deleteUser: (deletion) => afterWrite(storage.deleteUser(deletion)),
  recordSecurityEvent: (signal) => afterWrite(storage.recordSecurityEvent(signal)),
});

interface CleanupContext {
  readonly storage: MaintenanceStorage;
  readonly ring: KeyRing;
  readonly auditRetention: Seconds;
  readonly now: Clock;
  /** Reseals stored upstream tokens with the first key in the ring. */
  readonly reseal: () => Promise<void>;
}

/**
 * Creates the cleanup: deletes what has expired, records which keys are in the ring, and reseals upstream
 * tokens.
 */
export const createCleanup =
  ({ storage, ring, auditRetention, now, reseal }: CleanupContext): (() => Promise<void>) =>
  async () => {
    const at = now();
    await storage.cleanUp({
      ...{ now: at, deleteAuditBefore: at - auditRetention },
      ...{ sealingKey: ring.sealingKey.id, ringKeys: [...ring.keys.keys()] },
    });
    await reseal();
  };
