/**
 * Writes what the broker can't get again, such as the refresh token with which a provider replaced the stored
 * one. A write that fails is retried at once, and then for a while in the background.
 */
import { describeCause } from '../oauth/errors.ts';
import type { Milliseconds } from '../oauth/identifiers.ts';
import type { Log } from '../oauth/log.ts';
import { StorageUnavailable } from './broker-storage.ts';

export interface RetryContext {
  /** Keeps work running after the response. */
  readonly waitUntil: (work: Promise<void>) => void;
  readonly sleep: (duration: Milliseconds) => Promise<void>;
  readonly log: Log;
}

/** `deferred`: storage is unavailable, and the write is retried in the background. */
export type WriteResult<Outcome> =
  /**
   * `isRepeated`: an earlier attempt may have succeeded too, so `outcome` may describe a write that finds its
   * own result.
   */
  | { readonly kind: 'written'; readonly outcome: Outcome; readonly isRepeated: boolean }
  | { readonly kind: 'deferred' };

/**
 * The pauses before the retries in the background. Their sum is less than the 30 seconds that Workers allow
 * after a response.
 */
const retryDelays: readonly Milliseconds[] = [1_000, 4_000, 15_000];

/**
 * Writes, and retries while storage is unavailable.
 * @param write must be idempotent, because the response of a write that succeeded may have been lost
 * @throws any error of the first two attempts except StorageUnavailable; later errors are logged
 */
export const writeWithRetry = async <Outcome>(
  context: RetryContext,
  write: () => Promise<Outcome>,
): Promise<WriteResult<Outcome>> => {
  const first = await attempt(write);
  if (first.kind === 'written') return { ...first, isRepeated: false };
  const second = await attempt(write);
  if (second.kind === 'written') return { ...second, isRepeated: true };
  void keepAlive(context, retryInBackground(context, write));
  return second;
};

/**
 * Keeps work running if the client disconnects: a platform can stop a request that nobody waits for.
 * @returns the work
 */
export const keepAlive = <Result>(
  { waitUntil, log }: Pick<RetryContext, 'waitUntil' | 'log'>,
  work: Promise<Result>,
): Promise<Result> => {
  try {
    // The caller that waits for the work handles its error.
    waitUntil(work.then(noop, noop));
  } catch (cause) {
    log({ event: 'wait-until-failed', cause: describeCause(cause) });
  }
  return work;
};

const noop = (): void => {};

const retryInBackground = async <Outcome>(
  { sleep, log }: RetryContext,
  write: () => Promise<Outcome>,
): Promise<void> => {
  try {
    for (const delay of retryDelays) {
      await sleep(delay);
      const result = await attempt(write);
      if (result.kind === 'written') return;
    }
    log({ event: 'write-failed', cause: 'storage was unavailable at every attempt' });
  } catch (cause) {
    log({ event: 'write-failed', cause: describeCause(cause) });
  }
};

const attempt = async <Outcome>(
  write: () => Promise<Outcome>,
): Promise<{ readonly kind: 'written'; readonly outcome: Outcome } | { readonly kind: 'deferred' }> => {
  try {
    return { kind: 'written', outcome: await write() };
  } catch (error) {
    if (error instanceof StorageUnavailable) return { kind: 'deferred' };
    throw error;
  }
};
