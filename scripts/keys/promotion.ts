/** Decides whether a key may seal: only if no isolate runs any longer that can't open what it seals. */
import type { KeyUse } from '@words-with-chat/store-d1';
import { instant } from '../database/table.ts';
import type { Judgment } from './retirement.ts';

/** Returns from when a key may be promoted, in minutes, rounded up. */
export const promotableFrom = ({ promotableFrom: from }: KeyUse): string =>
  instant(from === undefined ? undefined : Math.ceil(from / 60) * 60);

/** Decides whether a key that is not the first may be promoted now. */
export const judgePromotion = (use: KeyUse, now: number): Judgment => {
  const { id, promotableFrom: from } = use;
  const refused = (why: string): Judgment => ({ kind: 'refused', why });
  if (from === undefined)
    return refused(
      `The deployment has not recorded yet that it opens with the key ${id}. Deploy the ring with this key at the end; the next cleanup run, at most an hour later, records it.`,
    );
  if (now < from)
    return refused(
      `The key ${id} can be promoted from ${promotableFrom(use)}. Until then, isolates may run that were started without it.`,
    );
  return { kind: 'possible' };
};
