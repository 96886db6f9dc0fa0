/**
 * What concurrent requests to one process share: bounded maps, and waiting for the work of another request. On
 * Workers, a request whose client disconnects can be stopped, and then its promise never settles.
 */
import type { Milliseconds } from '../oauth/identifiers.ts';

/**
 * Waits for the work of another request.
 * @returns `undefined` if it takes longer than `maxWaitMs`
 */
export const waitForOther = <Result>(
  work: Promise<Result>,
  maxWaitMs: Milliseconds,
): Promise<Result | undefined> => Promise.race([work, delay(maxWaitMs)]);

/** Unlike `setTimeout`, this does not keep a Node process running. */
const delay = (ms: Milliseconds): Promise<undefined> =>
  new Promise((resolve) => {
    AbortSignal.timeout(ms).addEventListener('abort', () => resolve(undefined));
  });

/** Adds an entry as the newest, and drops the oldest one if there are more than `maxSize`. */
export const setBounded = <Value>(
  map: Map<string, Value>,
  key: string,
  value: Value,
  maxSize: number,
): void => {
  map.delete(key);
  map.set(key, value);
  // A Map keeps the order of insertion.
  const [oldest] = map.keys();
  if (map.size > maxSize && oldest !== undefined) map.delete(oldest);
};
