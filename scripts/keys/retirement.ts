/** Whether a key may leave its ring without anybody missing it. */
import type { KeyUse } from '@words-with-chat/store-d1';
import { instant } from '../database/table.ts';

export type Retirement =
  | { readonly kind: 'possible' }
  | {
      readonly kind: 'refused';
      /** A sentence. */
      readonly why: string;
    };

/** Codes, forms and journeys live less than a day, and so do access tokens. */
const shortLived = 86_400;

/** Tells from when on nothing can need the key any longer; `undefined` as long as that is not known. */
export const retirableFrom = ({ storedTokens, sealedUntil, neededUntil = 0 }: KeyUse): number | undefined =>
  storedTokens > 0 || sealedUntil === undefined ? undefined : Math.max(sealedUntil + shortLived, neededUntil);

/** @param newest the id of the key that seals */
export const judge = (use: KeyUse, newest: string, now: number): Retirement => {
  const { id, storedTokens, sealedUntil, livingGrants, neededUntil } = use;
  const refused = (why: string): Retirement => ({ kind: 'refused', why });
  if (id === newest)
    return refused(`The key ${id} is the newest and seals: put another in front of it first.`);
  if (sealedUntil === undefined)
    return refused(`The deployment has not swept with a key after ${id} yet; it does so every hour.`);
  if (storedTokens > 0)
    return refused(
      `${count(storedTokens, 'stored token')} of providers ${are(storedTokens)} sealed with the key ${id}; every sweep seals a hundred anew.`,
    );
  if (livingGrants > 0)
    return refused(
      `${count(livingGrants, 'living grant')} may hold what the key ${id} sealed, the last until ${instant(neededUntil)}.`,
    );
  const from = sealedUntil + shortLived;
  if (now < from)
    return refused(`Codes and forms that the key ${id} sealed may be under way until ${instant(from)}.`);
  return { kind: 'possible' };
};

const count = (number: number, what: string): string => `${number} ${what}${number === 1 ? '' : 's'}`;

const are = (number: number): string => (number === 1 ? 'is' : 'are');
