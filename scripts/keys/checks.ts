/** Checks whether a key can be promoted (every running isolate must have it) or retired (nothing may need it any longer). */
import type { KeyUse } from 'assistant-auth/d1';
import { instant } from '../database/table.ts';

export type KeyCheck =
  | { readonly kind: 'possible' }
  | {
      readonly kind: 'refused';
      /** A sentence. */
      readonly why: string;
    };

/** Returns from when a key can be promoted, rounded up to a full minute. */
export const promotableFrom = ({ promotableFrom: from }: KeyUse): string =>
  instant(from === undefined ? undefined : Math.ceil(from / 60) * 60);

/** Checks whether a key that is not the first can be promoted now. */
export const checkPromotion = (use: KeyUse, now: number): KeyCheck => {
  const { id, promotableFrom: from } = use;
  const refused = (why: string): KeyCheck => ({ kind: 'refused', why });
  if (from === undefined)
    return refused(
      `The deployment has not recorded the key ${id} yet. Deploy the ring with this key at the end. The next cleanup run records the key.`,
    );
  if (now < from)
    return refused(
      `The key ${id} can be promoted from ${promotableFrom(use)}. Until then, isolates without this key may still run.`,
    );
  return { kind: 'possible' };
};

/** In seconds. Codes, forms, login transactions and access tokens expire within a day. */
const shortLived = 86_400;

/** Returns from when nothing can need the key any longer, or `undefined` if that is unknown. */
export const retirableFrom = ({ storedTokens, sealedUntil, neededUntil = 0 }: KeyUse): number | undefined =>
  storedTokens > 0 || sealedUntil === undefined ? undefined : Math.max(sealedUntil + shortLived, neededUntil);

/** @param first the ID of the key that seals */
export const checkRetirement = (use: KeyUse, first: string, now: number): KeyCheck => {
  const { id, storedTokens, sealedUntil, livingGrants, neededUntil } = use;
  const refused = (why: string): KeyCheck => ({ kind: 'refused', why });
  if (id === first)
    return refused(`The key ${id} is the first in the ring and seals: promote another key first.`);
  if (use.isSealingPeriodUnknown)
    return refused(
      `No cleanup run has found the key ${id} at the front of the ring. It may still have sealed tokens, if it was promoted and rolled back between two cleanup runs. If it was never deployed as the first key, "burn ${id}" removes it and nothing stops working. Otherwise, promote it for more than an hour, then promote another key: after that it can be retired.`,
    );
  if (sealedUntil === undefined)
    return refused(`No cleanup run has found another key at the front of the ring after the key ${id} yet.`);
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
