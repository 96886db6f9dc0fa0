/**
 * The command `admin`: shows users, grants, providers and the audit log, and revokes grants or deletes users
 * (docs/operator.md).
 */
import { formatAdminUsage, readArguments } from './admin/arguments.ts';
import { runAdminCommand } from './admin/commands.ts';
import { isHelpRequested, type Program, withUsageHint } from './arguments.ts';
import { UsageError } from './command.ts';

/**
 * Runs the command.
 * @returns what to print to standard output
 * @throws CommandError if the arguments are wrong, or if the command can't do what it was asked to do
 */
export const runAdmin = async (args: readonly string[], program: Program): Promise<string> => {
  if (isHelpRequested(args)) return formatAdminUsage(program);
  const { databaseLocation, ...parsedArguments } = await withUsageHint(program.command, async () => {
    const { databaseFlags, ...rest } = readArguments(args, program);
    return {
      ...rest,
      databaseLocation: program.databases.find(databaseFlags) ?? rejectMissingDatabase(program),
    };
  });
  const output = await runAdminCommand(databaseLocation, parsedArguments, program);
  return parsedArguments.outputFormat === 'json' ? JSON.stringify(output.json, null, 2) : output.text;
};

const rejectMissingDatabase = ({ databases }: Program): never => {
  throw new UsageError(`Pass ${databases.names} to select the database.`);
};
