/** Whether `npm run admin -- revoke` has ended anything: a mistyped id must not look as if it had. */
import type { AuditEntry } from 'assistant-auth/d1';
import { CommandError } from '../app/command.ts';
import type { Target } from './arguments.ts';
import type { CommandOutput } from './output.ts';

/** The reason in the audit. */
export const revocationReason = 'revoked by the operator';

/**
 * Finds the row that an ending has left among the newest of the audit.
 * @param now when it ended
 * @throws Refused when there is none
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

/** A row does not name the grant. */
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
