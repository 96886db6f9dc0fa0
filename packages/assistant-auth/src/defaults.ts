/** The platform's clock, timer and console, as the defaults of the corresponding options. */

import type { Clock, Milliseconds } from './oauth/identifiers.ts';
import type { Log } from './oauth/log.ts';

export const systemClock: Clock = () => Math.floor(Date.now() / 1000);

export const systemSleep = (duration: Milliseconds): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, duration));

export const consoleLog: Log = (entry) => console.log(JSON.stringify(entry));
