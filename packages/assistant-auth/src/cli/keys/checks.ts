/**
 * Checks whether a key can be promoted (every running isolate must have it) or retired (nothing may need it
 * any longer).
 */
import type { KeyUsage } from '../../storage/sqlite/d1.ts';
import { formatInstant } from '../command.ts';

export type KeyCheck =
  | { readonly kind: 'allowed' }
  | {
      readonly kind: 'denied';
      /** The reason, as a sentence or more. */
      readonly reason: string;
    };

/** Returns when a key can be promoted at the earliest, rounded up to a full minute. */
export const formatPromotionTime = ({ promotableFrom }: KeyUsage): string =>
  formatInstant(promotableFrom === undefined ? undefined : Math.ceil(promotableFrom / 60) * 60);

/** Checks whether a key that is not the first can be promoted now. */
export const checkPromotion = (keyUsage: KeyUsage, now: number): KeyCheck => {
  const { id, promotableFrom } = keyUsage;
  const deny = (reason: string): KeyCheck => ({ kind: 'denied', reason });
  if (promotableFrom === undefined)
    return deny(
      `The deployment has not recorded the key ${id} yet. Deploy the ring with this key at the end. The next cleanup run records the key.`,
    );
  if (now < promotableFrom)
    return deny(
      `The key ${id} can be promoted after ${formatPromotionTime(keyUsage)}. Until then, isolates without this key may still be running.`,
    );
  return { kind: 'allowed' };
};

/** In seconds. Codes, forms, login transactions and access tokens expire within a day. */
const shortLivedSeconds = 86_400;

/** Returns the time after which nothing can need the key, or `undefined` if it is unknown. */
export const computeRetirementTime = ({
  sealedUpstreamTokens,
  sealedUntil,
  lastGrantExpiresAt = 0,
}: KeyUsage): number | undefined =>
  sealedUpstreamTokens > 0 || sealedUntil === undefined
    ? undefined
    : Math.max(sealedUntil + shortLivedSeconds, lastGrantExpiresAt);

/** @param sealingKeyId the ID of the key that seals */
export const checkRetirement = (keyUsage: KeyUsage, sealingKeyId: string, now: number): KeyCheck => {
  const { id, sealedUpstreamTokens, sealedUntil, activeGrants, lastGrantExpiresAt } = keyUsage;
  const deny = (reason: string): KeyCheck => ({ kind: 'denied', reason });
  if (id === sealingKeyId)
    return deny(`The key ${id} is the first in the ring and seals: promote another key first.`);
  if (keyUsage.isSealingPeriodUnknown)
    return deny(
      `No cleanup run has found the key ${id} at the front of the ring. It may still have sealed tokens, if it was promoted and rolled back between two cleanup runs. If it was never deployed as the first key, "burn ${id}" removes it and nothing stops working. Otherwise, promote it for more than an hour, then promote another key: after that it can be retired.`,
    );
  if (sealedUntil === undefined)
    return deny(`No cleanup run has found another key at the front of the ring after the key ${id} yet.`);
  if (sealedUpstreamTokens > 0)
    return deny(
      `${formatCount(sealedUpstreamTokens, 'stored upstream token')} ${isOrAre(sealedUpstreamTokens)} sealed with the key ${id}. Every cleanup run reseals up to a hundred.`,
    );
  if (activeGrants > 0)
    return deny(
      `${formatCount(activeGrants, 'active grant')} may have tokens that the key ${id} sealed, the last one until ${formatInstant(lastGrantExpiresAt)}.`,
    );
  const retirableFrom = sealedUntil + shortLivedSeconds;
  if (now < retirableFrom)
    return deny(
      `Codes, forms and access tokens that the key ${id} sealed may be valid until ${formatInstant(retirableFrom)}.`,
    );
  return { kind: 'allowed' };
};

const formatCount = (number: number, noun: string): string => `${number} ${noun}${number === 1 ? '' : 's'}`;

const isOrAre = (number: number): string => (number === 1 ? 'is' : 'are');
