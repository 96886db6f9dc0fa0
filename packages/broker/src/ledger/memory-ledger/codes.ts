/** Authorization codes: spent exactly once, and a late second redemption ends the grant (RFC 6749 §4.1.2). */
import type { CodeClaim, CodeClaimOutcome, Redemption, RedemptionOutcome } from '../ledger.ts';
import { type Memory, store, type Use } from './memory.ts';
import { revoke } from './revocations.ts';
import { grantStatus } from './sign-ins.ts';

export const redeemCode = (memory: Memory, redemption: Redemption): RedemptionOutcome => {
  const { grantId, clientId, now, refreshAbsoluteExpiresAt } = redemption;
  const grant = memory.grants.get(grantId);
  if (grant === undefined || grant.clientId !== clientId || grant.revokedAt !== undefined) return spent;
  if (grant.use !== undefined) {
    if (grant.use.redeemedAt >= now - redemption.replayGrace) return spent;
    revoke(memory, { kind: 'grant', id: grantId }, now);
    return { kind: 'refused', reason: 'replayed' };
  }
  if (now >= redemption.codeExpiresAt) return spent;
  const use: Use = {
    redeemedAt: now,
    lastUsedAt: now,
    accessDiesAt: redemption.accessExpiresAt,
    generation: 0,
    rotatedAt: now,
    refreshIdleExpiresAt: Math.min(redemption.refreshIdleExpiresAt, refreshAbsoluteExpiresAt),
    refreshAbsoluteExpiresAt,
  };
  return { kind: 'redeemed', grant: store(memory, grant, use) };
};

export const claimCode = (memory: Memory, { grantId, now }: CodeClaim): CodeClaimOutcome => {
  const grant = memory.grants.get(grantId);
  const status = grantStatus(memory, grantId);
  if (grant === undefined || status !== 'active') return status;
  if (grant.codeClaimedAt !== undefined || grant.use !== undefined) return status;
  memory.grants.set(grantId, { ...grant, codeClaimedAt: now });
  return 'claimed';
};

const spent: RedemptionOutcome = { kind: 'refused', reason: 'spent' };
