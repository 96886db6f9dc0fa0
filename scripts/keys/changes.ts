/** Lists the keys in a ring, and makes the ring for each step of a rotation. */

import type { KeyUse } from 'assistant-auth/d1';
import { sealedBeginnings } from 'assistant-auth/seal';
import { Refused } from '../app/command.ts';
import { databaseAt, saysDatabase } from '../database/databases.ts';
import type { Place } from '../database/place.ts';
import { instant, table } from '../database/table.ts';
import { checkPromotion, checkRetirement, type KeyCheck, promotableFrom, retirableFrom } from './checks.ts';
import { freshKey, idOf, type WrittenRing } from './ring.ts';

/** Lists every key by its ID, with its role. With a place, also what needs it, and from when it can be promoted or retired. */
export const list = async (ring: WrittenRing, place: Place | undefined): Promise<string> => {
  const role = (index: number): string => (index === 0 ? 'seals and opens' : 'opens');
  if (place === undefined)
    return table(
      ['key', 'role'],
      ring.map((key, index) => [idOf(key), role(index)]),
    );
  const { uses } = await usesAt(place, ring);
  return table(
    [
      ...['key', 'role', 'stored tokens', 'sealed until', 'active grants'],
      ...['may be promoted from', 'may be retired from'],
    ],
    uses.map((use, index) => [
      ...[use.id, role(index), String(use.storedTokens), instant(use.sealedUntil), String(use.livingGrants)],
      ...(index === 0 ? ['-', '-'] : [promotableFrom(use), instant(retirableFrom(use))]),
    ]),
  );
};

/** Returns the ring with a new key at the end. Says on standard error what to do next. */
export const add = (ring: WrittenRing): string => {
  const key = freshKey();
  console.error(
    `The new key ${idOf(key)} is at the end of the ring, so it opens but does not seal yet. Deploy this ring. One to two hours later, run "npm run -s keys -- promote ${idOf(key)} --remote" and deploy the ring that it prints. Then the key seals.`,
  );
  return [...ring, key].join(' ');
};

/**
 * Returns the ring with the key at the front, where it seals.
 * @throws Refused if an isolate without the key may still run; without a place, this is not checked
 */
export const promote = async (ring: WrittenRing, id: string, place: Place | undefined): Promise<string> => {
  const others = without(ring, id);
  if (id === idOf(ring[0])) throw new Refused(`The key ${id} is the first in the ring: it already seals.`);
  if (place === undefined)
    console.error(
      `Without --local or --remote, it was not checked whether the deployed app has the key ${id}. Isolates without the key refuse everything that it seals.`,
    );
  else await requirePossible(place, ring, id, checkPromotion);
  return [...ring.filter((key) => idOf(key) === id), ...others].join(' ');
};

/** Returns the ring without the key. @throws Refused as long as something may need it */
export const retire = async (ring: WrittenRing, id: string, place: Place | undefined): Promise<string> => {
  const others = without(ring, id);
  if (place === undefined)
    throw new Refused(
      'Pass --local or --remote, so that the command can read from the database what may need the key.',
    );
  await requirePossible(place, ring, id, (use, now) => checkRetirement(use, idOf(ring[0]), now));
  return others.join(' ');
};

/** Returns the ring without the key, at once. Says on standard error what that ends. */
export const burn = (ring: WrittenRing, id: string): string => {
  const others = without(ring, id);
  console.error(
    `When this ring is deployed, every token, session and code that the key ${id} sealed stops working, and those users have to sign in again. Upstream tokens that it sealed are lost until the user's next sign-in. A rollback brings the key back: don't roll back to a deployment that still has it.`,
  );
  if (id !== idOf(ring[0])) return others.join(' ');
  console.error(
    'The first key in this ring is new. Isolates that the deployment has not reached yet refuse what this key seals.',
  );
  // Not the next key in the ring: the key that seals from now on must be newer than the leak.
  return [freshKey(), ...others].join(' ');
};

/** @throws Refused if the database of the place shows that the change is not possible yet */
const requirePossible = async (
  place: Place,
  ring: WrittenRing,
  id: string,
  check: (use: KeyUse, now: number) => KeyCheck,
): Promise<void> => {
  const { uses, now } = await usesAt(place, ring);
  const use = uses.find((one) => one.id === id);
  if (use === undefined) throw new Error(`The database returned nothing about the key ${id}.`);
  const result = check(use, now);
  if (result.kind === 'refused') throw new Refused(result.why);
};

/** @throws Refused if the key isn't in the ring */
const without = (ring: WrittenRing, id: string): readonly string[] => {
  const others = ring.filter((key) => idOf(key) !== id);
  if (others.length < ring.length) return others;
  throw new Refused(`The ring has no key with this ID. Its keys are ${ring.map(idOf).join(', ')}.`);
};

const usesAt = async (
  place: Place,
  ring: WrittenRing,
): Promise<{ readonly uses: readonly KeyUse[]; readonly now: number }> => {
  const keys = ring.map(idOf).map((id) => ({ id, beginnings: sealedBeginnings(id) }));
  const { operator } = databaseAt(place);
  const now = await operator.now().catch(saysDatabase);
  return { uses: await operator.keyUse({ keys, now }).catch(saysDatabase), now };
};
