/** `npm run keys`: a key ring to start with, its rotation, and the sub-keys of an API elsewhere. */
import { audienceKeys } from '@words-with-chat/broker';
import { parseKeyRing } from '@words-with-chat/broker/seal';
import { describe, expect, it } from 'vitest';
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
  expect(ring.sealingKey.id).not.toBe(parseKeyRing(old).newest.id);
});

it('prints no ring in front of one that is damaged, and does not repeat it', async () => {
  const { code, stdout, stderr } = await runCommand('keys', { SEALING_KEYS: 'damaged.secret' });
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toContain('must be keys written');
  expect(stderr).not.toContain('damaged');
});

it('says every place where it looked for a ring', async () => {
  const { code, stdout, stderr } = await runCommand(
    'keys',
    { VARIABLES_FILE: '/nowhere' },
    { args: ['list'] },
  );
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  for (const place of ['SEALING_KEYS', 'standard input', '/nowhere']) expect(stderr).toContain(place);
});

describe('npm run keys -- audience', () => {
  const issuer = 'https://words.example';
  const resource = 'https://api.example/v1';

  it.each([
    ['SEALING_KEYS', (ring: string) => ({ SEALING_KEYS: ring }), [], () => ''],
    ['standard input', () => ({}), ['-'], (ring: string) => `${ring}\n`],
  ])('derives sub-keys of the resource from the ring in %s', async (_, variables, last, input) => {
    const ring = await fresh();
    const { code, stdout } = await runCommand(
      'keys',
      { ...variables(ring), ORIGIN: issuer },
      { args: ['audience', resource, ...last], input: input(ring) },
    );
    expect(code).toBe(0);
    expect(stdout).toBe(`${await audienceKeys({ sealingKeys: ring, issuer, resource })}\n`);
  });

  const usage = 'Write ORIGIN=https://words.example npm run keys';
  it.each([
    ['no issuer', { ORIGIN: '' }, [resource], usage],
    ['no resource', {}, [], usage],
    ['no ring', { SEALING_KEYS: '' }, [resource], 'sealingKeys must hold at least one key.'],
    ['a resource that is none', {}, ['api'], 'resource must be'],
  ])('says what is wrong, and prints no key, with %s', async (_, changes, args, sentence) => {
    const variables = { SEALING_KEYS: await fresh(), ORIGIN: issuer, ...changes };
    const { code, stdout, stderr } = await runCommand('keys', variables, { args: ['audience', ...args] });
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain(sentence);
  });
});
