/** Lists the keys in a ring, and creates the ring for each step of a rotation. */
import { listSealedPrefixes } from '../../seal/index.ts';
import type { KeyUsage } from '../../storage/sqlite/d1.ts';
import type { Program } from '../arguments.ts';
import { CommandError, type CommandOutput, formatInstant, formatTable, UsageError } from '../command.ts';
import { withDatabase } from '../database/database.ts';
import type { DatabaseLocation } from '../database/location.ts';
import {
  checkPromotion,
  checkRetirement,
  computeRetirementTime,
  formatPromotionTime,
  type KeyCheck,
} from './checks.ts';
import { generateRingKey, type KeyRingEntries, readKeyId } from './ring.ts';

/**
 * Lists every key by its ID, with its role. With a database, also what needs it, and when it can be promoted
 * or retired. The first key is in use: everything that is sealed needs it.
 */
export const list = async (
  ring: KeyRingEntries,
  databaseLocation: DatabaseLocation | undefined,
): Promise<CommandOutput> => {
  if (databaseLocation === undefined) {
    const ids = ring.map(readKeyId);
    return {
      json: ids.map((id, index) => ({ id, role: index === 0 ? 'seals' : 'opens' })),
      text: formatTable(
        ['key', 'role'],
        ids.map((id, index) => [id, formatRole(index)]),
      ),
    };
  }
  const { keyUsages } = await readKeyUsages(databaseLocation, ring);
  return {
    json: keyUsages.map((keyUsage, index) =>
      index === 0 ? toSealingKeyJson(keyUsage) : toKeyJson(keyUsage),
    ),
    text: formatTable(
      [
        ...['key', 'role', 'stored tokens', 'sealed until', 'active grants'],
        ...['can be promoted after', 'can be retired after'],
      ],
      keyUsages.map((keyUsage, index) => [
        ...[
          keyUsage.id,
          formatRole(index),
          String(keyUsage.sealedUpstreamTokens),
          formatInstant(keyUsage.sealedUntil),
          index === 0 ? 'in use' : String(keyUsage.activeGrants),
        ],
        ...(index === 0
          ? ['-', '-']
          : [formatPromotionTime(keyUsage), formatInstant(computeRetirementTime(keyUsage))]),
      ]),
    ),
  };
};

const formatRole = (index: number): string => (index === 0 ? 'seals and opens' : 'opens');

/** Everything may need the first key, so it has no number of grants, and can't be promoted or retired. */
const toSealingKeyJson = ({ id, sealedUpstreamTokens }: KeyUsage) => ({
  id,
  role: 'seals',
  sealedUpstreamTokens,
});

const toKeyJson = ({ id, ...usage }: KeyUsage) => ({
  ...{ id, role: 'opens', ...usage },
  retirableFrom: computeRetirementTime({ id, ...usage }),
});

/** Returns the ring with a new key at the end. Prints the next step to standard error. */
export const add = (ring: KeyRingEntries, { command, databases }: Program): string => {
  const key = generateRingKey();
  console.error(
    `The new key ${readKeyId(key)} is at the end of the ring, so it opens but does not seal yet. Deploy this ring. One to two hours later, run "${command} promote ${readKeyId(key)}" with ${databases.deployedNames}, and deploy the ring that it prints. Then the key seals.`,
  );
  return [...ring, key].join(' ');
};

/**
 * Returns the ring with the key at the front, where it seals.
 * @throws CommandError if the key is not in the ring, is already the first, or an isolate without the key may
 * still be running. Without a database, the last condition is not checked
 */
export const promote = async (
  ring: KeyRingEntries,
  id: string,
  databaseLocation: DatabaseLocation | undefined,
  { databases }: Pick<Program, 'databases'>,
): Promise<string> => {
  const remainingKeys = removeKey(ring, id);
  if (id === readKeyId(ring[0]))
    throw new CommandError(`The key ${id} is the first in the ring: it already seals.`);
  if (databaseLocation === undefined)
    console.error(
      `Without ${databases.names}, this command did not check whether the deployed app has the key ${id}. Isolates without the key refuse everything that it seals.`,
    );
  else await requireAllowed(databaseLocation, ring, id, checkPromotion);
  return [...ring.filter((key) => readKeyId(key) === id), ...remainingKeys].join(' ');
};

/**
 * Returns the ring without the key.
 * @throws CommandError if the key is not in the ring, no database was selected, or something may still need
 * the key
 */
export const retire = async (
  ring: KeyRingEntries,
  id: string,
  databaseLocation: DatabaseLocation | undefined,
  { databases }: Pick<Program, 'databases'>,
): Promise<string> => {
  const remainingKeys = removeKey(ring, id);
  if (databaseLocation === undefined)
    throw new UsageError(
      `Pass ${databases.names}. The command checks in that database whether anything needs the key.`,
    );
  await requireAllowed(databaseLocation, ring, id, (keyUsage, now) =>
    checkRetirement(keyUsage, readKeyId(ring[0]), now),
  );
  return remainingKeys.join(' ');
};

/** Returns the ring without the key, without any check. Prints the consequences to standard error. */
export const burn = (ring: KeyRingEntries, id: string): string => {
  const remainingKeys = removeKey(ring, id);
  console.error(
    `When this ring is deployed, every token, session and code that the key ${id} sealed stops working, and those users have to sign in again. Upstream tokens that it sealed are lost until the user's next sign-in. A rollback brings the key back: don't roll back to a deployment that still has it.`,
  );
  if (id !== readKeyId(ring[0])) return remainingKeys.join(' ');
  console.error(
    'The first key in this ring is new. Isolates that the deployment has not reached yet refuse what this key seals.',
  );
  // Not the next key in the ring: the key that seals from now on must be newer than the leak.
  return [generateRingKey(), ...remainingKeys].join(' ');
};

/** @throws CommandError if the database shows that the change is not possible yet */
const requireAllowed = async (
  databaseLocation: DatabaseLocation,
  ring: KeyRingEntries,
  id: string,
  check: (keyUsage: KeyUsage, now: number) => KeyCheck,
): Promise<void> => {
  const { keyUsages, now } = await readKeyUsages(databaseLocation, ring);
  const keyUsage = keyUsages.find((usage) => usage.id === id);
  if (keyUsage === undefined) throw new Error(`The database returned nothing about the key ${id}.`);
  const result = check(keyUsage, now);
  if (result.kind === 'denied') throw new CommandError(result.reason);
};

/** @throws CommandError if the key is not in the ring */
const removeKey = (ring: KeyRingEntries, id: string): readonly string[] => {
  const remainingKeys = ring.filter((key) => readKeyId(key) !== id);
  if (remainingKeys.length < ring.length) return remainingKeys;
  throw new CommandError(`The ring has no key with this ID. Its keys are ${ring.map(readKeyId).join(', ')}.`);
};

const readKeyUsages = async (
  databaseLocation: DatabaseLocation,
  ring: KeyRingEntries,
): Promise<{ readonly keyUsages: readonly KeyUsage[]; readonly now: number }> => {
  const keys = ring.map(readKeyId).map((id) => ({ id, prefixes: listSealedPrefixes(id) }));
  return withDatabase(databaseLocation, async ({ storageAdmin }) => {
    const now = await storageAdmin.readClock();
    return { keyUsages: await storageAdmin.readKeyUsage({ keys, now }), now };
  });
};
