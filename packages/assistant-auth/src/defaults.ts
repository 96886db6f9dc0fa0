/** What the platform gives where nothing else is passed in: the only file that asks it. */
import { describeCause } from './oauth/errors.ts';
import type { Log } from './oauth/log.ts';
import type { RandomBytes } from './oauth/secrets.ts';
import type { Clock, Milliseconds } from './oauth/time.ts';

export const systemClock: Clock = () => Math.floor(Date.now() / 1000);

export const systemRandom: RandomBytes = (length) => crypto.getRandomValues(new Uint8Array(length));

export const systemSleep = (duration: Milliseconds): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, duration));

export const logToConsole: Log = (entry) => console.log(JSON.stringify(entry));

/** Makes a log that counts, and never throws: no request fails because a line about it cannot be written. */
export const surelyLogging = (log: Log): Log => {
  const counted = countLines(log);
  const onConsole = countLines(logToConsole);
  return (entry) => {
    try {
      counted(entry);
    } catch (error) {
      onConsole({ event: 'log-failed', cause: describeCause(error) });
    }
  };
};

// Counters without a place to keep them: every line says how often its like has been logged.

/**
 * Makes a log whose lines carry the count of their event and reason. Both are closed sets, so that what is remembered stays small.
 */
export const countLines = (log: Log): Log => {
  const counts = new Map<string, number>();
  return (entry) => {
    const kind = `${entry.event} ${entry.reason ?? ''}`;
    const count = (counts.get(kind) ?? 0) + 1;
    counts.set(kind, count);
    log({ ...entry, count });
  };
};
