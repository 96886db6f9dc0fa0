/**
 * The command `keys`: prints a key ring for the option `sealingKeys`, and the rings of a key rotation
 * (docs/guides/keys.md). The first key in a ring seals, all keys open. Without a command, it prints a new
 * ring with one key; if there is a ring in `SEALING_KEYS` or on standard input, it appends a new key to that
 * ring, like `add`.
 *
 * `add` appends a key to the ring in use, `promote` moves a key to the front, `list` shows the keys, `retire`
 * removes a key that is no longer needed, and `burn` removes a key without any check. `resource` prints the
 * keys with which an API in another process opens its tokens (docs/guides/api-in-another-process.md).
 */
import { deriveResourceKeys } from '../tokens/sealers.ts';
import {
  isHelpRequested,
  type Program,
  parseArguments,
  rejectCommand,
  rejectExtraArguments,
  rejectOtherOptions,
  requireArgument,
  withUsageHint,
} from './arguments.ts';
import { formatOutput, UsageError } from './command.ts';
import type { DatabaseFlags, DatabaseLocation } from './database/location.ts';
import { add, burn, list, promote, retire } from './keys/changes.ts';
import {
  generateRingKey,
  type KeyRingEntries,
  readPassedKeyRing,
  requireKeyRing,
  type StoredKeyRing,
  splitKeyRing,
} from './keys/ring.ts';

/** How the command is called. */
export interface KeysProgram extends Program {
  /** Returns the place that stores the ring in use. Default: none. */
  findStoredKeyRing?(flags: DatabaseFlags): StoredKeyRing;
}

/** The arguments of the command. */
interface KeysArguments {
  readonly command: string | undefined;
  readonly rest: readonly string[];
  /** `-` to read the ring from standard input. */
  readonly ringArgument: string | undefined;
  readonly stored: StoredKeyRing | undefined;
  readonly issuer: string;
  readonly databaseLocation: DatabaseLocation | undefined;
  readonly outputFormat: 'json' | 'text';
}

/**
 * Runs the command.
 * @returns what to print to standard output: only the ring, the resource keys, a list, or the usage. The rest
 * is printed to standard error
 * @throws UsageError if the arguments are wrong or there is no ring. CommandError if the change to the ring is
 *   not possible
 */
export const runKeys = async (args: readonly string[], program: KeysProgram): Promise<string> => {
  if (isHelpRequested(args)) return formatUsage(program);
  return withUsageHint(program.command, async () => runKeysCommand(readArguments(args, program), program));
};

const formatUsage = ({ synopsis, databases }: Program): string => `Usage: ${synopsis}

Commands:
  (no command)              print a new key ring; if SEALING_KEYS is set, same as add
  add                       print the ring in use with a new key at the end, which doesn't seal yet
  promote <id> [<database>] print the ring with this key at the front, where it seals
  list [<database>]         list the keys in the ring, and what needs them
  retire <id> <database>    print the ring without a key that nothing needs anymore
  burn <id>                 print the ring without this key, even if something needs it
  resource <resource>       print the keys with which an API in another process opens its tokens

${databases.usage}

Options:
  --json             for list: print JSON
  --issuer <url>     for resource: the issuer (default: the environment variable ORIGIN)
  -                  as the last argument: read the ring from standard input
  -h, --help         print this text`;

const readArguments = (args: readonly string[], program: KeysProgram): KeysArguments => {
  const { positionals, values } = parseArguments(args, {
    ...program.databases.options,
    issuer: { type: 'string' },
    json: { type: 'boolean' },
  });
  const ringArgument = positionals.at(-1) === '-' ? '-' : undefined;
  const [command, ...rest] = ringArgument === undefined ? positionals : positionals.slice(0, -1);
  rejectOtherOptions(values, command ?? '', { issuer: ['resource'], json: ['list'] });
  const { ORIGIN = '' } = process.env;
  const { issuer = ORIGIN, json } = values;
  return {
    ...{ command, rest, ringArgument },
    stored: program.findStoredKeyRing?.(values),
    issuer: String(issuer),
    databaseLocation: program.databases.find(values),
    outputFormat: json === true ? 'json' : 'text',
  };
};

const runKeysCommand = async (keysArguments: KeysArguments, program: Program): Promise<string> => {
  const { command, rest, databaseLocation, outputFormat } = keysArguments;
  switch (command) {
    case undefined:
      return createKeyRing(keysArguments, program);
    case 'add':
      rejectExtraArguments(rest);
      return add(await requireKeyRing(keysArguments), program);
    case 'list':
      rejectExtraArguments(rest);
      return formatOutput(await list(await requireKeyRing(keysArguments), databaseLocation), outputFormat);
    case 'promote': {
      const id = readId(command, rest);
      return promote(await requireKeyRing(keysArguments), id, databaseLocation, program);
    }
    case 'retire': {
      const id = readId(command, rest);
      return retire(await requireKeyRing(keysArguments), id, databaseLocation, program);
    }
    case 'burn': {
      const id = readId(command, rest);
      return burn(await requireKeyRing(keysArguments), id);
    }
    case 'resource':
      return printResourceKeys(keysArguments, program);
    default:
      return rejectCommand(command, ['add', 'promote', 'list', 'retire', 'burn', 'resource']);
  }
};

const readId = (command: string, [id, ...extraArguments]: readonly string[]): string => {
  rejectExtraArguments(extraArguments);
  return requireArgument(id, command, 'id');
};

/** Returns a ring with one key; if a ring was passed, that ring with a new key at the end. */
const createKeyRing = async (keysArguments: KeysArguments, program: Program): Promise<string> => {
  if (keysArguments.ringArgument === '-') return add(await requireKeyRing(keysArguments), program);
  const passedRing: KeyRingEntries | undefined = splitKeyRing(await readPassedKeyRing(undefined));
  return passedRing === undefined ? generateRingKey() : add(passedRing, program);
};

const printResourceKeys = async (
  { rest, ringArgument, issuer }: KeysArguments,
  program: Program,
): Promise<string> => {
  const [resource, ...extraArguments] = rest;
  rejectExtraArguments(extraArguments);
  if (resource === undefined || issuer === '')
    throw new UsageError(
      `Pass the resource and the issuer, for example: ${program.command} resource https://api.example --issuer https://words.example`,
    );
  return deriveResourceKeys({ sealingKeys: await readPassedKeyRing(ringArgument), issuer, resource });
};
