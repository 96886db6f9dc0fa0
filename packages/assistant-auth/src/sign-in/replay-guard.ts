/** Detects repeated callbacks at one process. Storage detects those of sign-ins that were recorded. */
import type { ProtocolError } from '../oauth/protocol-error.ts';

/**
 * Detects repeated callbacks that storage can't detect: callbacks that arrive at this process at the same
 * time, before the grant is stored; callbacks of links, for which nothing is stored until the person confirms
 * them; and callbacks of sign-ins beyond the user's limit, for which nothing is stored either.
 */
export interface ReplayGuard {
  /**
   * Waits until earlier deliveries of the same callback to this process were handled, but at most
   * `maxWaitMs`, then does the work.
   */
  runInTurn<Result>(state: string, work: () => Promise<Result>): Promise<Result>;
  /** Remembers a callback that was handled. */
  markHandled(state: string): void;
  wasHandled(state: string): boolean;
  /** Remembers why a callback was refused, so that a repeated callback is refused for the same reason. */
  rememberError(state: string, error: ProtocolError): void;
  findError(state: string): ProtocolError | undefined;
}

/**
 * Longer than the timeout of one request to a provider (10 seconds). A platform can stop an earlier delivery
 * whose browser disconnected, and then its promise never settles.
 */
const maxWaitMs = 12_000;

/** The maximum number of entries of each map. The oldest entry is dropped. */
const maxEntries = 1_000;

export const createReplayGuard = (): ReplayGuard => {
  // These maps are caches of this process.
  const running = new Map<string, Promise<void>>();
  const handled = new Map<string, true>();
  const errors = new Map<string, ProtocolError>();
  return {
    async runInTurn(state, work) {
      const previous = running.get(state);
      const { promise, resolve } = Promise.withResolvers<void>();
      setBounded(running, state, promise);
      if (previous !== undefined) await Promise.race([previous, delay(maxWaitMs)]);
      try {
        return await work();
      } finally {
        resolve();
        if (running.get(state) === promise) running.delete(state);
      }
    },
    markHandled: (state) => setBounded(handled, state, true),
    wasHandled: (state) => handled.has(state),
    rememberError: (state, error) => setBounded(errors, state, error),
    findError: (state) => errors.get(state),
  };
};

const setBounded = <Value>(map: Map<string, Value>, key: string, value: Value): void => {
  map.delete(key);
  map.set(key, value);
  const [oldest] = map.keys();
  if (map.size > maxEntries && oldest !== undefined) map.delete(oldest);
};

const delay = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    AbortSignal.timeout(ms).addEventListener('abort', () => resolve());
  });
