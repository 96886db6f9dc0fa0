/** What a ring is told of, and how keys leave it. */
import { sealedBeginnings } from '@words-with-chat/broker/seal';
import type { KeyUse } from '@words-with-chat/store-d1';
import { Refused } from '../app/command.ts';
import { databaseAt, saysDatabase } from '../database/databases.ts';
import type { Place } from '../database/place.ts';
import { instant, table } from '../database/table.ts';
import { judge, retirableFrom } from './retirement.ts';
import { freshKey, idOf, type WrittenRing } from './ring.ts';

/** Tells of every key by its id: what it is for, and, of a place, what needs it. */
export const list = async (ring: WrittenRing, place: Place | undefined): Promise<string> => {
  const role = (index: number): string => (index === 0 ? 'seals and opens' : 'opens');
  if (place === undefined)
    return table(
      ['key', 'it'],
      ring.map((key, index) => [idOf(key), role(index)]),
    );
  const { uses } = await usesAt(place, ring);
  return table(
    ['key', 'it', 'stored tokens', 'sealed until', 'living grants', 'may retire from'],
    uses.map((use, index) => [
      ...[use.id, role(index), String(use.storedTokens), instant(use.sealedUntil), String(use.livingGrants)],
      index === 0 ? '-' : instant(retirableFrom(use)),
    ]),
  );
};

/** Gives the ring without the key. @throws Refused as long as something may need it */
export const retire = async (ring: WrittenRing, id: string, place: Place | undefined): Promise<string> => {
  const others = without(ring, id);
  if (place === undefined)
    throw new Refused(
      'What may need a key stands in the database of its deployment: write --local or --remote.',
    );
  const { uses, now } = await usesAt(place, ring);
  const use = uses.find((one) => one.id === id);
  if (use === undefined) throw new Error(`nothing was said of the key ${id}`);
  const retirement = judge(use, idOf(ring[0]), now);
  if (retirement.kind === 'refused') throw new Refused(retirement.why);
  return others.join(' ');
};

/** Gives the ring without the key, at once; what that ends is said on standard error. */
export const burn = (ring: WrittenRing, id: string): string => {
  const others = without(ring, id);
  console.error(
    `Deployed, this ends every token, session and code that the key ${id} sealed: those people sign in again. Stored tokens of providers that it sealed are lost until the next sign-in.`,
  );
  // What seals from now on is younger than what leaked.
  return (id === idOf(ring[0]) ? [freshKey(ring), ...others] : others).join(' ');
};

/** @throws Refused for a key that is not in the ring */
const without = (ring: WrittenRing, id: string): readonly string[] => {
  const others = ring.filter((key) => idOf(key) !== id);
  if (others.length < ring.length) return others;
  throw new Refused(`There is no key of that id in the ring, which has ${ring.map(idOf).join(', ')}.`);
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
