/** Runs the commands of `npm run admin`: queries the storage's database, revokes grants and deletes users. */
import { createInterface } from 'node:readline/promises';
import { CommandError } from '../app/command.ts';
import { openDatabase } from '../database/databases.ts';
import type { DatabaseLocation } from '../database/location.ts';
import type { Arguments } from './arguments.ts';
import {
  formatAuditTable,
  formatGrantsTable,
  formatNoUpstreamTokenTable,
  formatUsersTable,
} from './lists.ts';
import type { CommandOutput } from './output.ts';
import { revocationReason, verifyRevocation } from './verify-revocation.ts';

/**
 * @throws CommandError if the user does not exist, a revocation revoked nothing, or a deletion was not
 * confirmed
 */
export const runAdminCommand = async (
  databaseLocation: DatabaseLocation,
  { adminCommand, page }: Arguments,
): Promise<CommandOutput> => {
  const { storage, operator } = openDatabase(databaseLocation);
  switch (adminCommand.kind) {
    case 'users':
      return formatRows(await operator.listUsers(page, await operator.readClock()), formatUsersTable);
    case 'grants':
      return formatRows(
        (await operator.listGrants(adminCommand.userId, await operator.readClock())) ?? rejectUnknownUser(),
        formatGrantsTable,
      );
    case 'no-upstream-token':
      return formatRows(
        await operator.listIdentitiesWithoutUpstreamToken(page, await operator.readClock()),
        formatNoUpstreamTokenTable,
      );
    case 'audit':
      return formatRows(await operator.listAuditEntries(page, adminCommand.userId), formatAuditTable);
    case 'revoke': {
      const now = await operator.readClock();
      await storage.revoke(adminCommand.target, revocationReason, now, 'operator');
      return verifyRevocation(
        adminCommand.target,
        await operator.listAuditEntries({ limit: 100, skip: 0 }),
        now,
      );
    }
    case 'delete': {
      const { userId } = adminCommand;
      if (!adminCommand.confirmed) await confirm(userId);
      const { kind } = await storage.deleteUser({
        userId,
        actor: 'operator',
        now: await operator.readClock(),
      });
      if (kind === 'unknown') return rejectUnknownUser();
      return { json: { deleted: userId }, text: 'The user is deleted, with everything that was theirs.' };
    }
  }
};

const formatRows = <Row>(rows: readonly Row[], write: (rows: readonly Row[]) => string): CommandOutput => ({
  json: rows,
  text: rows.length === 0 ? 'None.' : write(rows),
});

const rejectUnknownUser = (): never => {
  throw new CommandError('There is no such user.');
};

const confirm = async (userId: string): Promise<void> => {
  if (!process.stdin.isTTY) throw new CommandError('Where nobody can be asked, a deletion takes --yes.');
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await terminal.question(`Delete the user ${userId} for good? Write yes: `);
  terminal.close();
  if (answer.trim() !== 'yes') throw new CommandError('Nothing was deleted.');
};
