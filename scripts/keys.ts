/**
 * `npm run keys`: prints a key ring for `SEALING_KEYS`, and the rings of a key rotation (docs/operator.md).
 * The first key in a ring seals, all keys open. Without a command, it prints a new ring with one key; if
 * there is a ring in `SEALING_KEYS` or on standard input, it appends a new key to that ring, like `add`.
 *
 * `add` appends a key to the ring in use, `promote` moves a key to the front, `list` shows the keys, `retire`
 * removes a key that is no longer needed, and `burn` removes a key without any check. `resource` prints the
 * keys with which an API in another process opens its tokens, derived for the issuer in `ORIGIN`
 * (docs/resource-server.md).
 */
import { parseArgs } from 'node:util';
import { deriveResourceKeys } from 'assistant-auth';
import { CommandError, printHelpIfRequested } from './app/command.ts';
import { type DatabaseLocation, databaseOptions, findDatabaseLocation } from './database/database.ts';
import { add, burn, list, promote, retire } from './keys/changes.ts';
import { generateRingKey, readPassedKeyRing, requireKeyRing, splitKeyRing } from './keys/ring.ts';

const usage = `Usage: npm run keys [-- <command>]

Commands:
  (no command)                          print a new key ring; if SEALING_KEYS is set, same as add
  add                                   print the ring in use with a new key at the end, which doesn't seal yet
  promote <id> [--local | --remote]     print the ring with this key at the front, where it seals
  list [--local | --remote]             list the keys in the ring, and what needs them
  retire <id> --local | --remote        print the ring without a key that nothing needs anymore
  burn <id>                             print the ring without this key, even if something needs it
  resource <resource>                   print the keys with which an API in another process opens its tokens

Options:
  --local            check with the database of npm start
  --remote           check with the deployed database
  --pages            the app is a Pages project, not a Worker
  -                  as the last argument: read the ring from standard input`;

interface Sources {
  readonly ringArgument: string | undefined;
  readonly databaseLocation: DatabaseLocation | undefined;
}

const main = async (): Promise<string> => {
  const options = { ...databaseOptions } as const;
  const { positionals, values } = parseArgs({ args: process.argv.slice(2), options, allowPositionals: true });
  const ringArgument = positionals.at(-1) === '-' ? '-' : undefined;
  const [command, ...rest] = ringArgument === undefined ? positionals : positionals.slice(0, -1);
  const databaseLocation = findDatabaseLocation(values, process.env);
  return runKeysCommand(command, rest, { ringArgument, databaseLocation });
};

const runKeysCommand = async (
  command: string | undefined,
  rest: readonly string[],
  sources: Sources,
): Promise<string> => {
  switch (command) {
    case undefined:
      return createKeyRing(sources);
    case 'add':
      requireNoArguments(rest);
      return add(await requireKeyRing(sources));
    case 'list':
      requireNoArguments(rest);
      return list(await requireKeyRing(sources), sources.databaseLocation);
    case 'promote':
      return promote(await requireKeyRing(sources), requireOneArgument(rest), sources.databaseLocation);
    case 'retire':
      return retire(await requireKeyRing(sources), requireOneArgument(rest), sources.databaseLocation);
    case 'burn':
      return burn(await requireKeyRing(sources), requireOneArgument(rest));
    case 'resource':
      return printResourceKeys(rest, sources.ringArgument);
    default:
      throw new CommandError(usage);
  }
};

/** A ring with one key; if a ring was given, that ring with a new key at the end. */
const createKeyRing = async (sources: Sources): Promise<string> => {
  if (sources.ringArgument === '-') return add(await requireKeyRing(sources));
  const passedRing = splitKeyRing(await readPassedKeyRing(undefined));
  return passedRing === undefined ? generateRingKey() : add(passedRing);
};

const requireNoArguments = (rest: readonly string[]): void => {
  if (rest.length > 0) throw new CommandError(usage);
};

const requireOneArgument = ([id, ...extraArguments]: readonly string[]): string => {
  if (id === undefined || extraArguments.length > 0) throw new CommandError(usage);
  return id;
};

const printResourceKeys = async (
  [resource, ...extraArguments]: readonly string[],
  ringArgument: string | undefined,
): Promise<string> => {
  if (extraArguments.length > 0) throw new CommandError(usage);
  const { ORIGIN: issuer = '' } = process.env;
  if (resource === undefined || issuer === '')
    throw new CommandError(
      'Set ORIGIN and pass the resource, for example: ORIGIN=https://words.example npm run keys -- resource https://api.example',
    );
  return deriveResourceKeys({ sealingKeys: await readPassedKeyRing(ringArgument), issuer, resource });
};

try {
  if (!printHelpIfRequested(usage)) console.log(await main());
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
