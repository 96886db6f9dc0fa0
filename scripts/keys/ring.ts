/** Reads the text of the ring that a command changes, and generates new keys. */
import { randomBytes } from 'node:crypto';
import { text } from 'node:stream/consumers';
import { generateKey, parseKeyRing } from 'assistant-auth/seal';
import { Refused } from '../app/command.ts';
import { variablesFileOf } from '../app/places.ts';
import { readVariables } from '../app/variables.ts';
import type { Place } from '../database/place.ts';
import { readSettings } from '../local-system/settings.ts';

/** Keys as they are written; the first one seals. Secrets. */
export type WrittenRing = readonly [string, ...string[]];

/** Where a ring may come from. */
interface Sources {
  /** `-` for standard input. */
  readonly from: string | undefined;
  readonly place?: Place | undefined;
}

/** Reads what was given with the command: the text of `SEALING_KEYS`, or standard input. */
export const givenRing = async (from: string | undefined): Promise<string> => {
  const { SEALING_KEYS = '' } = process.env;
  return from === '-' ? text(process.stdin) : SEALING_KEYS;
};

/**
 * Reads the ring that is in use: the one given with the command, or else the local system's where the place is local, or that of
 * the publisher's file.
 * @returns `undefined` where there is none
 * @throws ConfigurationError when it is damaged, without repeating it
 */
const usedRing = async ({ from, place }: Sources): Promise<WrittenRing | undefined> => {
  const given = await givenRing(from);
  return writtenRing(given.trim() === '' && from !== '-' ? await keptRing(place) : given);
};

/** @throws Refused when there is none */
export const demandRing = async (sources: Sources): Promise<WrittenRing> => {
  const ring = await usedRing(sources);
  if (ring !== undefined) return ring;
  throw new Refused(
    `There is no ring: pass it in SEALING_KEYS, on standard input with a last argument -, or in ${variablesFileOf(process.env)}.`,
  );
};

/** Checks a ring and takes it apart. @throws ConfigurationError when it is damaged */
export const writtenRing = (given: string): WrittenRing | undefined => {
  const [first, ...others] = given.split(/\s+/).filter((key) => key !== '');
  if (first === undefined) return undefined;
  parseKeyRing(given);
  return [first, ...others];
};

export const idOf = (key: string): string => key.split('.')[0] ?? '';

/** Lowercase letters and digits without `l`, `o`, `0` and `1`, which look alike. */
const idCharacters = 'abcdefghijkmnpqrstuvwxyz23456789';

/** Generates a key. Its ID is the date, which shows its age, and random characters, so that no two keys have the same ID. */
export const freshKey = (): string => {
  const today = new Date().toISOString().slice(0, 10);
  const suffix = [...randomBytes(5)].map((byte) => idCharacters[byte % idCharacters.length]).join('');
  return generateKey(`${today}-${suffix}`, (length) => new Uint8Array(randomBytes(length)));
};

const keptRing = async (place: Place | undefined): Promise<string> => {
  if (place?.local !== undefined) return (await readSettings(place.local.dataFolder))?.sealingKeys ?? '';
  const { SEALING_KEYS = '' } = await readVariables(process.env);
  return SEALING_KEYS;
};
