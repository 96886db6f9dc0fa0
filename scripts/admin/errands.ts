/** What `npm run admin` does: it asks the ledger's database, and ends what a person names. */
import { createInterface } from 'node:readline/promises';
import { Refused } from '../app/command.ts';
import { databaseAt } from '../database/databases.ts';
import type { Place } from '../database/place.ts';
import type { Answer } from './answer.ts';
import type { Arguments } from './arguments.ts';
import { ended, revoked } from './ended.ts';
import { auditTable, grantsTable, unwatchedTable, usersTable } from './lists.ts';

/** @throws Refused for a user who does not exist, or a deletion that nobody confirmed */
export const runErrand = async (place: Place, { errand, page }: Arguments): Promise<Answer> => {
  const { ledger, operator } = databaseAt(place);
  switch (errand.kind) {
    case 'users':
      return listed(await operator.users(page, await operator.now()), usersTable);
    case 'grants':
      return listed((await operator.grants(errand.userId, await operator.now())) ?? nobody(), grantsTable);
    case 'unwatched':
      return listed(await operator.unwatched(page, await operator.now()), unwatchedTable);
    case 'audit':
      return listed(await operator.audit(page, errand.userId), auditTable);
    case 'revoke': {
      const now = await operator.now();
      await ledger.revoke(errand.target, revoked, now, 'operator');
      return ended(errand.target, await operator.audit({ limit: 100, skip: 0 }), now);
    }
    case 'delete': {
      const { userId } = errand;
      if (!errand.confirmed) await confirm(userId);
      const { kind } = await ledger.deleteUser({ userId, by: 'operator', now: await operator.now() });
      if (kind === 'unknown') return nobody();
      return { json: { deleted: userId }, text: 'The user is deleted, with everything that was theirs.' };
    }
  }
};

const listed = <Row>(rows: readonly Row[], write: (rows: readonly Row[]) => string): Answer => ({
  json: rows,
  text: rows.length === 0 ? 'None.' : write(rows),
});

const nobody = (): never => {
  throw new Refused('There is no such user.');
};

const confirm = async (userId: string): Promise<void> => {
  if (!process.stdin.isTTY) throw new Refused('Where nobody can be asked, a deletion takes --yes.');
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await terminal.question(`Delete the user ${userId} for good? Write yes: `);
  terminal.close();
  if (answer.trim() !== 'yes') throw new Refused('Nothing was deleted.');
};
