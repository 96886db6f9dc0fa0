/**
 * Detects repeated callbacks where storage can't: callbacks that arrive at this process at the same moment, before the grant is stored,
 * callbacks of links, for which nothing is stored until the person confirms them, and callbacks of sign-ins that the limit of a user
 * refused, for which nothing is stored either.
 */
import type { Refusal } from '../oauth/errors.ts';

export interface Deliveries {
  /** Waits until earlier deliveries of the same callback to this process were handled, then does the work. */
  inTurn<Result>(state: string, work: () => Promise<Result>): Promise<Result>;
  /** Remembers a callback that was handled. */
  remember(state: string): void;
  wasHandled(state: string): boolean;
  /** Remembers why a callback was refused, so that a repeated callback is refused for the same reason. */
  rememberRefusal(state: string, refusal: Refusal): void;
  refusalOf(state: string): Refusal | undefined;
}

/**
 * In milliseconds: longer than the timeout of one request to a provider. A platform may stop an earlier delivery whose browser
 * disconnected, and then it never settles.
 */
const longestWait = 12_000;

/** The limit of each map. The oldest entry is dropped. */
const mostRemembered = 1_000;

export const createDeliveries = (): Deliveries => {
  // All are caches of this process.
  const running = new Map<string, Promise<void>>();
  const handled = new Map<string, true>();
  const refusals = new Map<string, Refusal>();
  return {
    async inTurn(state, work) {
      const earlier = running.get(state);
      const { promise, resolve } = Promise.withResolvers<void>();
      store(running, state, promise);
      if (earlier !== undefined) await Promise.race([earlier, elapsed(longestWait)]);
      try {
        return await work();
      } finally {
        resolve();
        if (running.get(state) === promise) running.delete(state);
      }
    },
    remember: (state) => store(handled, state, true),
    wasHandled: (state) => handled.has(state),
    rememberRefusal: (state, refusal) => store(refusals, state, refusal),
    refusalOf: (state) => refusals.get(state),
  };
};

const store = <Value>(map: Map<string, Value>, key: string, value: Value): void => {
  map.delete(key);
  map.set(key, value);
  const [oldest] = map.keys();
  if (map.size > mostRemembered && oldest !== undefined) map.delete(oldest);
};

const elapsed = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    AbortSignal.timeout(ms).addEventListener('abort', () => resolve());
  });
