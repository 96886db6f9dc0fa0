/** Sessions: grants of the account page, which end as any grant does. */
import type { GrantId } from '../../protocol/identity.ts';
import { accountClientId } from '../../protocol/reserved.ts';
import type { EpochSeconds } from '../../protocol/time.ts';
import type { Session, SessionUse } from '../ledger.ts';
import { type Grant, identityKey, type Memory, type Use } from './memory.ts';

export const useSession = (
  memory: Memory,
  { grantId, now, idleExpiresAt }: SessionUse,
): Session | undefined => {
  const grant = findSession(memory, grantId, now);
  if (grant === undefined) return undefined;
  const { use, userId } = grant;
  const carriedOn = {
    ...use,
    lastUsedAt: Math.max(use.lastUsedAt, now),
    refreshIdleExpiresAt: Math.min(idleExpiresAt, use.refreshAbsoluteExpiresAt),
  };
  memory.grants.set(grantId, { ...grant, use: carriedOn });
  const identity = memory.identities.get(identityKey(grant.identity));
  if (identity?.userId !== userId) return undefined;
  const { provider, subject, label, sealedRefreshToken } = identity;
  return {
    userId,
    identity: {
      ...{ provider, subject },
      ...(label !== undefined && { label }),
      watched: sealedRefreshToken !== undefined,
    },
  };
};

/** The session, if it lives. */
export const findSession = (
  { grants }: Memory,
  grantId: GrantId,
  now: EpochSeconds,
): (Grant & { readonly use: Use }) | undefined => {
  const grant = grants.get(grantId);
  if (grant?.use === undefined || grant.clientId !== accountClientId || grant.revokedAt !== undefined)
    return undefined;
  return now < grant.use.refreshIdleExpiresAt ? { ...grant, use: grant.use } : undefined;
};
