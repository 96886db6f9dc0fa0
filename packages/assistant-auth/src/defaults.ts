/** The platform's clock, randomness, timer and console, as the defaults of the corresponding options. */

import type { Clock, Milliseconds } from './oauth/identifiers.ts';
import type { Log } from './oauth/log.ts';
import type { RandomBytes } from './oauth/secrets.ts';

export const systemClock: Clock = () => Math.floor(Date.now() / 1000);

export const systemRandom: RandomBytes = (length) => crypto.getRandomValues(new Uint8Array(length));

export const systemSleep = (duration: Milliseconds): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, duration));

export const consoleLog: Log = (entry) => console.log(JSON.stringify(entry));
