/** The platform's clock, timer and console, as the defaults of the corresponding options. */

import type { Clock, Milliseconds } from './oauth/identifiers.ts';
import type { Log } from './oauth/log.ts';

export const systemClock: Clock = () => Math.floor(Date.now() / 1000);

export const systemSleep = (duration: Milliseconds): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, duration));

/** Writes one line of JSON, in which `JSON.stringify` has escaped only the C0 control characters. */
export const consoleLog: Log = (entry) => console.log(escapeControls(JSON.stringify(entry)));

/** Escapes, in strings of JSON, what a terminal could interpret or display in another order. */
const escapeControls = (json: string): string =>
  json.replace(
    /[\x7F-\x9F\p{Zl}\p{Zp}\p{Bidi_C}]/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
