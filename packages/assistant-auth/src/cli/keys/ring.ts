/** Reads the text of the ring that a command changes, and generates new keys. */
import { randomBytes } from 'node:crypto';
import { text } from 'node:stream/consumers';
import { generateKey, parseKeyRing } from '../../seal/index.ts';
import { UsageError } from '../command.ts';

/** A place besides the environment and standard input that may contain the ring. */
export interface StoredKeyRing {
  /** Its name, for the message that there is no ring. */
  readonly name: string;
  /** Reads the text of the ring. Returns an empty text if there is none. Secret. */
  read(): Promise<string>;
}

/** The keys in their text form. The first one seals. Secret. */
export type KeyRingEntries = readonly [string, ...string[]];

/** Where a ring can come from. */
interface Sources {
  /** `-` for standard input. */
  readonly ringArgument: string | undefined;
  readonly stored: StoredKeyRing | undefined;
}

/** Reads the ring passed to the command: the text of `SEALING_KEYS`, or standard input. */
export const readPassedKeyRing = async (ringArgument: string | undefined): Promise<string> => {
  const { SEALING_KEYS = '' } = process.env;
  return ringArgument === '-' ? text(process.stdin) : SEALING_KEYS;
};

/**
 * Reads the ring in use: the one passed to the command, otherwise the stored one.
 * @throws UsageError if there is none. ConfigurationError if the ring is damaged. The message does not
 * contain the ring
 */
export const requireKeyRing = async ({ ringArgument, stored }: Sources): Promise<KeyRingEntries> => {
  const passedRing = await readPassedKeyRing(ringArgument);
  const isAbsent = passedRing.trim() === '' && ringArgument !== '-';
  const ring = splitKeyRing(isAbsent && stored !== undefined ? await stored.read() : passedRing);
  if (ring !== undefined) return ring;
  const place = stored === undefined ? '' : ` or in ${stored.name}`;
  throw new UsageError(
    `No key ring was found. Set SEALING_KEYS in the environment${place}, or pass the ring on standard input with - as the last argument.`,
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
