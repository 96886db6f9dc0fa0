/**
 * `npm run keys`: prints a key ring for `SEALING_KEYS`. With a ring in `SEALING_KEYS`, or on standard input when the last argument
 * is `-`, the new key is put in front of it, which is a rotation: the new one seals from now on, the old ones still open.
 * `npm run keys -- audience <resource>` prints what an API in another process opens its tokens with: the sub-keys of its own
 * identifier, derived from that ring for the issuer in `ORIGIN` (docs/resource-server.md).
 */
import { randomBytes } from 'node:crypto';
import { text } from 'node:stream/consumers';
import { audienceKeys } from '@words-with-chat/broker';
import { generateKey, parseKeyRing } from '@words-with-chat/broker/seal';

const main = async (): Promise<void> => {
  const [command, ...rest] = process.argv.slice(2);
  if (command === 'audience') return printAudience(rest);
  const given = await givenRing(command);
  const keys = given.split(/\s+/).filter((key) => key !== '');
  if (keys.length > 0) parseKeyRing(given);
  console.log([freshKey(keys), ...keys].join(' '));
};

const printAudience = async ([resource, from]: readonly string[]): Promise<void> => {
  const { ORIGIN: issuer = '' } = process.env;
  if (resource === undefined || issuer === '')
    throw new Error('Write ORIGIN=https://words.example npm run keys -- audience https://api.example');
  console.log(await audienceKeys({ sealingKeys: await givenRing(from), issuer, resource }));
};

const givenRing = async (from: string | undefined): Promise<string> => {
  const { SEALING_KEYS = '' } = process.env;
  return from === '-' ? text(process.stdin) : SEALING_KEYS;
};

/** Named by the day, so that one sees its age. */
const freshKey = (keys: readonly string[]): string => {
  const today = new Date().toISOString().slice(0, 10);
  const taken = new Set(keys.map((key) => key.split('.')[0]));
  let id = today;
  for (let count = 2; taken.has(id); count++) id = `${today}-${count}`;
  return generateKey(id, (length) => new Uint8Array(randomBytes(length)));
};

try {
  await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
