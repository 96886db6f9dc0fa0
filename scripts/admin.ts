/**
 * `npm run admin`: shows users, grants and the audit log, and revokes grants or deletes users, in the
 * database of `npm start` or the deployed one (docs/operator.md).
 */
import { readArguments, usage } from './admin/arguments.ts';
import { runAdminCommand } from './admin/commands.ts';
import { printHelpIfRequested, runCommand } from './app/command.ts';
import { findDatabaseLocation } from './database/database.ts';

const main = async (): Promise<void> => {
  const parsedArguments = readArguments(process.argv.slice(2));
  const databaseLocation = findDatabaseLocation(parsedArguments.databaseFlags, process.env);
  if (databaseLocation === undefined) throw new Error('no database was selected');
  const output = await runAdminCommand(databaseLocation, parsedArguments);
  console.log(parsedArguments.outputFormat === 'json' ? JSON.stringify(output.json, null, 2) : output.text);
};

if (!printHelpIfRequested(usage)) await runCommand(main);
