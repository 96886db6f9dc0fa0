/** `npm run keys`: a key ring to start with, and its rotation. */
import { parseKeyRing } from '@words-with-chat/broker/seal';
import { expect, it } from 'vitest';
import { runCommand } from './command.ts';

const fresh = async (): Promise<string> => (await runCommand('keys', {})).stdout.trim();

it('prints a ring of one key, another each time', async () => {
  const [one, other] = await Promise.all([fresh(), fresh()]);
  expect(parseKeyRing(one).keys.size).toBe(1);
  expect(one).not.toBe(other);
});

it.each([
  ['SEALING_KEYS', (ring: string) => runCommand('keys', { SEALING_KEYS: ring })],
  ['standard input', (ring: string) => runCommand('keys', {}, { args: ['-'], input: `${ring}\n` })],
])('puts a new key in front of the ring in %s, under a name of its own', async (_, rotate) => {
  const old = await fresh();
  const { code, stdout } = await rotate(old);
  const ring = parseKeyRing(stdout);
  expect(code).toBe(0);
  expect(stdout.trim().split(' ').slice(1)).toEqual([old]);
  expect(ring.keys.size).toBe(2);
  expect(ring.newest.id).not.toBe(parseKeyRing(old).newest.id);
});

it('prints no ring in front of one that is damaged, and does not repeat it', async () => {
  const { code, stdout, stderr } = await runCommand('keys', { SEALING_KEYS: 'damaged.secret' });
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toContain('must be keys written');
  expect(stderr).not.toContain('damaged');
});
