/** Decides whether a key can be retired: only if nothing needs it any longer. */
import type { KeyUse } from '@words-with-chat/store-d1';
import { instant } from '../database/table.ts';

export type Judgment =
  | { readonly kind: 'possible' }
  | {
      readonly kind: 'refused';
      /** A sentence. */
      readonly why: string;
    };

/** In seconds. Codes, forms, login transactions and access tokens expire within a day. */
const shortLived = 86_400;

/** Returns from when nothing can need the key any longer, or `undefined` if that is unknown. */
export const retirableFrom = ({ storedTokens, sealedUntil, neededUntil = 0 }: KeyUse): number | undefined =>
  storedTokens > 0 || sealedUntil === undefined ? undefined : Math.max(sealedUntil + shortLived, neededUntil);

/** @param first the ID of the key that seals */
export const judgeRetirement = (use: KeyUse, first: string, now: number): Judgment => {
  const { id, storedTokens, sealedUntil, livingGrants, neededUntil } = use;
  const refused = (why: string): Judgment => ({ kind: 'refused', why });
  if (id === first)
    return refused(`The key ${id} is the first in the ring and seals: promote another key first.`);
  if (use.mayHaveSealedUnseen)
    return refused(
      `No cleanup run has found the key ${id} at the front of the ring. It may still have sealed tokens, if it was promoted and rolled back between two cleanup runs. If it was never deployed as the first key, "burn ${id}" removes it and nothing stops working. Otherwise, promote it for more than an hour, then promote another key: after that it can be retired.`,
    );
  if (sealedUntil === undefined)
    return refused(
      `No cleanup run has found another key at the front of the ring after the key ${id} yet. There is one every hour.`,
    );
  if (storedTokens > 0)
    return refused(
      `${count(storedTokens, 'stored upstream token')} ${are(storedTokens)} sealed with the key ${id}. Every cleanup run reseals up to a hundred.`,
    );
  if (livingGrants > 0)
    return refused(
      `${count(livingGrants, 'active grant')} may have tokens that the key ${id} sealed, the last one until ${instant(neededUntil)}.`,
    );
  const from = sealedUntil + shortLived;
  if (now < from)
    return refused(
      `Codes, forms and access tokens that the key ${id} sealed may be valid until ${instant(from)}.`,
    );
  return { kind: 'possible' };
};

const count = (number: number, what: string): string => `${number} ${what}${number === 1 ? '' : 's'}`;

const are = (number: number): string => (number === 1 ? 'is' : 'are');
