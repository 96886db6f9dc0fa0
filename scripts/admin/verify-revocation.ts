/**
 * Verifies that `npm run admin -- revoke` revoked something, because a mistyped ID must not look like a
 * success.
 */
import type { AuditEntry } from 'assistant-auth/d1';
import { CommandError } from '../app/command.ts';
import type { Target } from './arguments.ts';
import type { CommandOutput } from './output.ts';

/** The reason in the audit log. */
export const revocationReason = 'revoked by the operator';

/**
 * Finds the row of the revocation among the newest rows of the audit log.
 * @param now the time of the revocation
 * @throws CommandError if there is none
 */
export const verifyRevocation = (
  target: Target,
  newest: readonly AuditEntry[],
  now: number,
): CommandOutput => {
  const isRevoked = newest.some(
    (row) =>
      row.event === 'revoked' &&
      row.at === now &&
      row.reason === revocationReason &&
      matchesTarget(target, row),
  );
  if (!isRevoked) throw new CommandError(`Nothing was left to end of a ${target.kind} of that id.`);
  return {
    json: { revoked: target },
    text: `All of the ${target.kind} ${target.id} has ended: refresh tokens and sessions now, access tokens within ten seconds.`,
  };
};

/** Audit rows contain no grant ID, so any row with a user and a client matches a grant. */
const matchesTarget = ({ kind, id }: Target, { userId, clientId }: AuditEntry): boolean => {
  switch (kind) {
    case 'user':
      return userId === id && clientId === undefined;
    case 'client':
      return clientId === id && userId === undefined;
    case 'grant':
      return userId !== undefined && clientId !== undefined;
  }
};
