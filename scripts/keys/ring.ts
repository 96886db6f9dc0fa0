/** Reads the text of the ring that a command changes, and generates new keys. */
import { randomBytes } from 'node:crypto';
import { text } from 'node:stream/consumers';
import { generateKey, parseKeyRing } from 'assistant-auth/seal';
import { CommandError } from '../app/command.ts';
import { getVariablesFile } from '../app/paths.ts';
import { readVariables } from '../app/variables.ts';
import type { DatabaseLocation } from '../database/database.ts';
import { readSettings } from '../local-system/settings.ts';

/** The keys in their text form. The first one seals. Secret. */
export type KeyRingEntries = readonly [string, ...string[]];

/** Where a ring can come from. */
interface Sources {
  /** `-` for standard input. */
  readonly ringArgument: string | undefined;
  readonly databaseLocation?: DatabaseLocation | undefined;
}

/** Reads the ring passed to the command: the text of `SEALING_KEYS`, or standard input. */
export const readPassedKeyRing = async (ringArgument: string | undefined): Promise<string> => {
  const { SEALING_KEYS = '' } = process.env;
  return ringArgument === '-' ? text(process.stdin) : SEALING_KEYS;
};

/**
 * Reads the ring in use: the one passed to the command; otherwise the one of the local system, if the local
 * database was selected; otherwise the one in the publisher's variables file.
 * @returns `undefined` if there is none
 * @throws ConfigurationError if the ring is damaged. The message does not contain the ring
 */
const readCurrentKeyRing = async ({
  ringArgument,
  databaseLocation,
}: Sources): Promise<KeyRingEntries | undefined> => {
  const passedRing = await readPassedKeyRing(ringArgument);
  return splitKeyRing(
    passedRing.trim() === '' && ringArgument !== '-' ? await readStoredKeyRing(databaseLocation) : passedRing,
  );
};

/** @throws CommandError if there is none */
export const requireKeyRing = async (sources: Sources): Promise<KeyRingEntries> => {
  const ring = await readCurrentKeyRing(sources);
  if (ring !== undefined) return ring;
  throw new CommandError(
    `No key ring was found. Set SEALING_KEYS in the environment or in ${getVariablesFile(process.env)}, or pass the ring on standard input with - as the last argument.`,
  );
};

/**
 * Validates a ring and splits it into its keys.
 * @throws ConfigurationError if it is damaged
 */
export const splitKeyRing = (ring: string): KeyRingEntries | undefined => {
  const [first, ...others] = ring.split(/\s+/).filter((key) => key !== '');
  if (first === undefined) return undefined;
  parseKeyRing(ring);
  return [first, ...others];
};

export const readKeyId = (key: string): string => key.split('.')[0] ?? '';

/** Lowercase letters and digits without `l`, `o`, `0` and `1`, which look alike. */
const idCharacters = 'abcdefghijkmnpqrstuvwxyz23456789';

/**
 * Generates a key. Its ID is the date, which shows its age, and random characters, so that no two keys have
 * the same ID.
 */
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
