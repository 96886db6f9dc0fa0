/**
 * `npm run keys`: prints a key ring for `SEALING_KEYS`. With a ring in `SEALING_KEYS`, or on standard input when the last argument
 * is `-`, a new key is put in front of it, which is a rotation: the new one seals from now on, the old ones still open.
 *
 * `add` does the same to the ring that is in use, `list` tells of its keys, `retire <id>` prints it without a key that nothing
 * needs any longer, and `burn <id>` without one whether something needs it or not (docs/operator.md). `audience <resource>` prints
 * what an API in another process opens its tokens with: the sub-keys of its own identifier, derived for the issuer in `ORIGIN`
 * (docs/resource-server.md).
 */
import { parseArgs } from 'node:util';
import { audienceKeys } from '@words-with-chat/broker';
import { Refused, showsHelp } from './app/command.ts';
import { findPlace, type Place, placeOptions } from './database/place.ts';
import { burn, list, retire } from './keys/changes.ts';
import { demandRing, freshKey, givenRing, usedRing, writtenRing } from './keys/ring.ts';

const usage = `Write npm run keys, or npm run keys -- with one of
  add                                       another key in front of the ring in use
  list [--local | --remote]                 the keys of the ring, and what needs them
  retire <id> --local | --remote            the ring without a key that nothing needs any longer
  burn <id>                                 the ring without it, whatever needs it
  audience <resource>                       what an API in another process opens its tokens with
and - at the end to pass the ring on standard input.`;

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
  [first, ...more]: readonly string[],
  sources: { readonly from: string | undefined; readonly place: Place | undefined },
): Promise<string> => {
  if (more.length > 0) throw new Refused(usage);
  switch (command) {
    case undefined:
      return withFreshKey(writtenRing(await givenRing(sources.from)));
    case 'add':
      return withFreshKey(await usedRing(sources));
    case 'list':
      return list(await demandRing(sources), sources.place);
    case 'retire':
      return retire(await demandRing(sources), demandId(first), sources.place);
    case 'burn':
      return burn(await demandRing(sources), demandId(first));
    case 'audience':
      return audience(first, sources.from);
    default:
      throw new Refused(usage);
  }
};

const withFreshKey = (ring: readonly string[] = []): string => [freshKey(ring), ...ring].join(' ');

const demandId = (id: string | undefined): string => {
  if (id === undefined) throw new Refused(usage);
  return id;
};

const audience = async (resource: string | undefined, from: string | undefined): Promise<string> => {
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
