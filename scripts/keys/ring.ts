/** Reads the text of the ring that a command changes, and generates new keys. */
import { randomBytes } from 'node:crypto';
import { text } from 'node:stream/consumers';
import { generateKey, parseKeyRing } from 'assistant-auth/seal';
import { CommandError } from '../app/command.ts';
import { getVariablesFile } from '../app/paths.ts';
import { readVariables } from '../app/variables.ts';
import type { DatabaseLocation } from '../database/location.ts';
import { readSettings } from '../local-system/settings.ts';

/** Keys as they are written; the first one seals. Secrets. */
export type KeyRingEntries = readonly [string, ...string[]];

/** Where a ring may come from. */
interface Sources {
  /** `-` for standard input. */
  readonly from: string | undefined;
  readonly databaseLocation?: DatabaseLocation | undefined;
}

/** Reads what was given with the command: the text of `SEALING_KEYS`, or standard input. */
export const readGivenKeyRing = async (from: string | undefined): Promise<string> => {
  const { SEALING_KEYS = '' } = process.env;
  return from === '-' ? text(process.stdin) : SEALING_KEYS;
};

/**
 * Reads the ring that is in use: the one given with the command, or else the local system's where the place is local, or that of
 * the publisher's file.
 * @returns `undefined` where there is none
 * @throws ConfigurationError when it is damaged, without repeating it
 */
const readCurrentKeyRing = async ({
  from,
  databaseLocation,
}: Sources): Promise<KeyRingEntries | undefined> => {
  const given = await readGivenKeyRing(from);
  return splitKeyRing(
    given.trim() === '' && from !== '-' ? await readStoredKeyRing(databaseLocation) : given,
  );
};

/** @throws Refused when there is none */
export const requireKeyRing = async (sources: Sources): Promise<KeyRingEntries> => {
  const ring = await readCurrentKeyRing(sources);
  if (ring !== undefined) return ring;
  throw new CommandError(
    `There is no ring: pass it in SEALING_KEYS, on standard input with a last argument -, or in ${getVariablesFile(process.env)}.`,
  );
};

/** Checks a ring and takes it apart. @throws ConfigurationError when it is damaged */
export const splitKeyRing = (given: string): KeyRingEntries | undefined => {
  const [first, ...others] = given.split(/\s+/).filter((key) => key !== '');
  if (first === undefined) return undefined;
  parseKeyRing(given);
  return [first, ...others];
};

export const readKeyId = (key: string): string => key.split('.')[0] ?? '';

/** Lowercase letters and digits without `l`, `o`, `0` and `1`, which look alike. */
const idCharacters = 'abcdefghijkmnpqrstuvwxyz23456789';

/** Generates a key. Its ID is the date, which shows its age, and random characters, so that no two keys have the same ID. */
export const generateRingKey = (): string => {
  const today = new Date().toISOString().slice(0, 10);
  const suffix = [...randomBytes(5)].map((byte) => idCharacters[byte % idCharacters.length]).join('');
  return generateKey(`${today}-${suffix}`, (length) => new Uint8Array(randomBytes(length)));
};

const readStoredKeyRing = async (databaseLocation: DatabaseLocation | undefined): Promise<string> => {
  if (databaseLocation?.local !== undefined)
    return (await readSettings(databaseLocation.local.dataFolder))?.sealingKeys ?? '';
  const { SEALING_KEYS = '' } = await readVariables(process.env);
  return SEALING_KEYS;
};
