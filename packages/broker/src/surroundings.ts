/** What the platform gives where nothing else is passed in: the only file that asks it. */
import type { Log } from './protocol/log.ts';
import type { RandomBytes } from './protocol/random.ts';
import type { Clock } from './protocol/time.ts';

export const systemClock: Clock = () => Math.floor(Date.now() / 1000);

export const systemRandom: RandomBytes = (length) => crypto.getRandomValues(new Uint8Array(length));

export const logToConsole: Log = (entry) => console.log(JSON.stringify(entry));
