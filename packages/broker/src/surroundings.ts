/** What the platform gives where nothing else is passed in: the only file that asks it. */
import { countLines } from './counted-log.ts';
import { describeCause } from './protocol/cause.ts';
import type { Log } from './protocol/log.ts';
import type { RandomBytes } from './protocol/random.ts';
import type { Clock, Milliseconds } from './protocol/time.ts';

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
