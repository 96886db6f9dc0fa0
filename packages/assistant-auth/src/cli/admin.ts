/**
 * The command `admin`: shows users, grants, providers, statistics and the audit log, and revokes grants or
 * deletes users (docs/guides/manage-users.md).
 */
import { formatAdminUsage, readArguments } from './admin/arguments.ts';
import { runAdminCommand } from './admin/commands.ts';
import { isHelpRequested, type Program, withUsageHint } from './arguments.ts';
import { formatOutput, UsageError } from './command.ts';

/**
 * Runs the command.
 * @returns what to print to standard output
 * @throws UsageError if the arguments are wrong. CommandError if the command can't do what it was asked to do
 */
export const runAdmin = async (args: readonly string[], program: Program): Promise<string> => {
  if (isHelpRequested(args)) return formatAdminUsage(program);
  return withUsageHint(program.command, async () => {
    const { databaseFlags, outputFormat, ...parsedArguments } = readArguments(args, program);
    const databaseLocation = program.databases.find(databaseFlags) ?? rejectMissingDatabase(program);
    return formatOutput(await runAdminCommand(databaseLocation, parsedArguments, program), outputFormat);
  });
};

const rejectMissingDatabase = ({ databases }: Program): never => {
  throw new UsageError(`Pass ${databases.names} to select the database.`);
};
