/**
 * `npm run keys`: prints a key ring for `SEALING_KEYS`, and the rings of a key rotation (docs/operator.md). The first key in a ring
 * seals, all keys open. Without a command, it prints a new ring with one key; if there is a ring in `SEALING_KEYS` or on standard input,
 * it appends a new key to that ring, like `add`.
 *
 * `add` appends a key to the ring in use, `promote` moves a key to the front, `list` shows the keys, `retire` removes a key that nothing
 * needs any longer, and `burn` removes a key without any check. `audience` prints the keys with which an API in another process opens its tokens,
 * derived for the issuer in `ORIGIN` (docs/resource-server.md).
 */
import { parseArgs } from 'node:util';
import { audienceKeys } from 'assistant-auth';
import { Refused, showsHelp } from './app/command.ts';
import { findPlace, type Place, placeOptions } from './database/place.ts';
import { add, burn, list, promote, retire } from './keys/changes.ts';
import { demandRing, freshKey, givenRing, writtenRing } from './keys/ring.ts';

const usage = `Write npm run keys, or npm run keys -- with one of
  add                                       the ring in use with a new key at the end, which does not seal yet
  promote <id> [--local | --remote]         the ring with this key at the front, where it seals
  list [--local | --remote]                 the keys in the ring, and what needs them
  retire <id> --local | --remote            the ring without a key that nothing needs any longer
  burn <id>                                 the ring without this key, even if something needs it
  audience <resource>                       the keys with which an API in another process opens its tokens
To pass the ring on standard input, end the command with -`;

interface Sources {
  readonly from: string | undefined;
  readonly place: Place | undefined;
}

const main = async (): Promise<string> => {
  const options = { ...placeOptions } as const;
  const { positionals, values } = parseArgs({ args: process.argv.slice(2), options, allowPositionals: true });
  const from = positionals.at(-1) === '-' ? '-' : undefined;
  const [command, ...rest] = from === undefined ? positionals : positionals.slice(0, -1);
  const place = findPlace(values, process.env);
  return carryOut(command, rest, { from, place });
};

const carryOut = async (
  command: string | undefined,
  rest: readonly string[],
  sources: Sources,
): Promise<string> => {
  switch (command) {
    case undefined:
      return newRing(sources);
    case 'add':
      requireNoArguments(rest);
      return add(await demandRing(sources));
    case 'list':
      requireNoArguments(rest);
      return list(await demandRing(sources), sources.place);
    case 'promote':
      return promote(await demandRing(sources), requireOneArgument(rest), sources.place);
    case 'retire':
      return retire(await demandRing(sources), requireOneArgument(rest), sources.place);
    case 'burn':
      return burn(await demandRing(sources), requireOneArgument(rest));
    case 'audience':
      return audience(rest, sources.from);
    default:
      throw new Refused(usage);
  }
};

/** A ring with one key; if a ring was given, that ring with a new key at the end. */
const newRing = async (sources: Sources): Promise<string> => {
  if (sources.from === '-') return add(await demandRing(sources));
  const given = writtenRing(await givenRing(undefined));
  return given === undefined ? freshKey() : add(given);
};

const requireNoArguments = (rest: readonly string[]): void => {
  if (rest.length > 0) throw new Refused(usage);
};

const requireOneArgument = ([id, ...more]: readonly string[]): string => {
  if (id === undefined || more.length > 0) throw new Refused(usage);
  return id;
};

const audience = async (
  [resource, ...more]: readonly string[],
  from: string | undefined,
): Promise<string> => {
  if (more.length > 0) throw new Refused(usage);
  const { ORIGIN: issuer = '' } = process.env;
  if (resource === undefined || issuer === '')
    throw new Refused('Write ORIGIN=https://words.example npm run keys -- audience https://api.example');
  return audienceKeys({ sealingKeys: await givenRing(from), issuer, resource });
};

try {
  if (!showsHelp(usage)) console.log(await main());
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
