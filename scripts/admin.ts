/**
 * `npm run admin`: shows users, grants and the audit log, and revokes grants or deletes users, in the
 * database of `npm start` or the deployed one (docs/operator.md).
 */
import { readArguments, usage } from './admin/arguments.ts';
import { runAdminCommand } from './admin/commands.ts';
import { printHelpIfRequested, runCommand } from './app/command.ts';
import { rethrowDatabaseError } from './database/databases.ts';
import { findDatabaseLocation } from './database/location.ts';

const main = async (): Promise<void> => {
  const given = readArguments(process.argv.slice(2));
  const databaseLocation = findDatabaseLocation(given.databaseLocation, process.env);
  if (databaseLocation === undefined) throw new Error('no place');
  const output = await runAdminCommand(databaseLocation, given).catch(rethrowDatabaseError);
  console.log(given.outputFormat === 'json' ? JSON.stringify(output.json, null, 2) : output.text);
};

if (!printHelpIfRequested(usage)) await runCommand(main);
