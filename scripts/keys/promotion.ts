/** Decides whether a key can be promoted: only if every running isolate can open what it seals. */
import type { KeyUse } from '@words-with-chat/store-d1';
import { instant } from '../database/table.ts';
import type { Judgment } from './retirement.ts';

/** Returns from when a key can be promoted, rounded up to a full minute. */
export const promotableFrom = ({ promotableFrom: from }: KeyUse): string =>
  instant(from === undefined ? undefined : Math.ceil(from / 60) * 60);

/** Decides whether a key that is not the first can be promoted now. */
export const judgePromotion = (use: KeyUse, now: number): Judgment => {
  const { id, promotableFrom: from } = use;
  const refused = (why: string): Judgment => ({ kind: 'refused', why });
  if (from === undefined)
    return refused(
      `The deployment has not recorded the key ${id} yet. Deploy the ring with this key at the end. The next cleanup run records the key; there is one every hour.`,
    );
  if (now < from)
    return refused(
      `The key ${id} can be promoted from ${promotableFrom(use)}. Until then, isolates without this key may still run.`,
    );
  return { kind: 'possible' };
};
