/**
 * `npm run keys`: prints a key ring for `SEALING_KEYS`. With a ring in `SEALING_KEYS`, or on standard input when the argument is
 * `-`, the new key is put in front of it, which is a rotation: the new one seals from now on, the old ones still open.
 */
import { randomBytes } from 'node:crypto';
import { text } from 'node:stream/consumers';
import { generateKey, parseKeyRing } from '@words-with-chat/broker/seal';

const main = async (): Promise<void> => {
  const { SEALING_KEYS = '' } = process.env;
  const given = process.argv[2] === '-' ? await text(process.stdin) : SEALING_KEYS;
  const keys = given.split(/\s+/).filter((key) => key !== '');
  if (keys.length > 0) parseKeyRing(given);
  console.log([freshKey(keys), ...keys].join(' '));
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
