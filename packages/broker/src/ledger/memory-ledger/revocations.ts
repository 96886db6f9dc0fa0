/** Revocations: ending grants on request, and telling which access tokens are dead. */
import type { GrantId, UserId } from '../../protocol/identity.ts';
import type { EpochSeconds } from '../../protocol/time.ts';
import type { RevocationPage, RevocationTarget, TokenOrigin } from '../ledger.ts';
import type { Grant, Memory } from './memory.ts';

export const revoke = (memory: Memory, target: RevocationTarget, now: EpochSeconds): void => {
  const targeted = [...memory.grants.values()].filter((grant) => isOf(grant, target));
  const living = targeted.filter(({ revokedAt }) => revokedAt === undefined);
  for (const grant of living) memory.grants.set(grant.id, { ...grant, revokedAt: now });
  if (!living.some(({ use }) => use !== undefined && use.accessDiesAt > now)) return;
  const uses = targeted.flatMap(({ use }) => use ?? []);
  memory.lastSeq += 1;
  const line = {
    ...target,
    seq: memory.lastSeq,
    // Not before the newest token was issued, should the clock have been set back meanwhile.
    revokedAt: uses.reduce((latest, { lastUsedAt }) => Math.max(latest, lastUsedAt), now),
    deadAfter: uses.reduce((latest, { accessDiesAt }) => Math.max(latest, accessDiesAt), now),
  };
  memory.lines = [...memory.lines, line];
};

/** Ends several grants, each with a line of its own: their users and clients may have others. */
export const endEach = (memory: Memory, grants: readonly Grant[], now: EpochSeconds): void => {
  for (const { id } of grants) revoke(memory, { kind: 'grant', id }, now);
};

export const revocationsSince = (
  { lines }: Memory,
  cursor: number | undefined,
  now: EpochSeconds,
  limit: number,
): RevocationPage => {
  const newest = lines.at(-1)?.seq ?? 0;
  const after = cursor === undefined || cursor > newest ? 0 : cursor;
  const news = lines.filter(({ seq, deadAfter }) => seq > after && deadAfter > now);
  if (news.length > limit) return { kind: 'too-many' };
  return {
    kind: 'page',
    revocations: news.map(({ seq: _, ...revocation }) => revocation),
    cursor: newest,
  };
};

export const isRevoked = ({ lines }: Memory, token: TokenOrigin, now: EpochSeconds): boolean =>
  lines.some(
    (line) =>
      line.revokedAt >= token.issuedAt && line.deadAfter > now && isOf({ ...token, id: token.grantId }, line),
  );

const isOf = (
  { id, userId, clientId }: { readonly id: GrantId; readonly userId: UserId; readonly clientId: string },
  target: RevocationTarget,
): boolean => {
  switch (target.kind) {
    case 'grant':
      return target.id === id;
    case 'user':
      return target.id === userId;
    case 'client':
      return target.id === clientId;
  }
};
