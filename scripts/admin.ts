/**
 * `npm run admin`: the command `assistant-auth admin` with the database of `npm start` or the deployed one
 * (docs/game/commands.md).
 */
import { runAdmin } from '../packages/assistant-auth/src/cli/admin.ts';
import { printOutput, runCommand } from './app/command.ts';
import { createDatabaseOptions } from './database/database.ts';

const program = {
  synopsis: 'npm run admin -- <command> [options]',
  command: 'npm run admin --',
  // The local database, where a mistake does the least harm.
  databases: createDatabaseOptions(process.env, 'local'),
};

await runCommand(async () => printOutput(await runAdmin(process.argv.slice(2), program)));
