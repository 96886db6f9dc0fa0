/**
 * Tests `npm run keys`: a new key ring, the steps of its rotation, and the keys of an API in another process.
 */
import { deriveResourceKeys } from 'assistant-auth';
import { parseKeyRing } from 'assistant-auth/seal';
import { describe, expect, it } from 'vitest';
import { runCommand } from './command.ts';

const fresh = async (): Promise<string> => (await runCommand('keys', {})).stdout.trim();

const idOf = (key: string): string => key.split('.')[0] ?? '';

it.each([
  ['add, and no ring anywhere', ['add'], ''],
  ['add, and an empty file on standard input', ['add', '-'], '\n'],
  ['no command, and an empty file on standard input', ['-'], ' '],
])('prints no new ring if there is none to add a key to: %s', async (_, args, input) => {
  const { code, stdout, stderr } = await runCommand('keys', { VARIABLES_FILE: '/nowhere' }, { args, input });
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toContain('There is no ring');
});

it('prints a ring of one key, another each time', async () => {
  const [one, other] = await Promise.all([runCommand('keys', {}), runCommand('keys', {})]);
  expect(one).toMatchObject({ code: 0, stderr: '' });
  expect(parseKeyRing(one.stdout).keys.size).toBe(1);
  expect(one.stdout).not.toBe(other.stdout);
});

it.each([
  ['SEALING_KEYS', (ring: string) => runCommand('keys', { SEALING_KEYS: ring })],
  ['SEALING_KEYS, with add', (ring: string) => runCommand('keys', { SEALING_KEYS: ring }, { args: ['add'] })],
  ['standard input', (ring: string) => runCommand('keys', {}, { args: ['-'], input: `${ring}\n` })],
  ['standard input, with add', (ring: string) => runCommand('keys', {}, { args: ['add', '-'], input: ring })],
])('appends a new key, which does not seal yet, and says what to do next: %s', async (_, add) => {
  const old = await fresh();
  const { code, stdout, stderr } = await add(old);
  const [first, last = '', ...more] = stdout.trim().split(' ');
  expect({ code, first, more }).toEqual({ code: 0, first: old, more: [] });
  expect(parseKeyRing(stdout).sealingKey.id).toBe(idOf(old));
  expect(idOf(last)).not.toBe(idOf(old));
  expect(stderr).toContain(`promote ${idOf(last)}`);
  for (const key of [old, last]) expect(stderr).not.toContain(key.split('.')[1]);
});

it.each([
  ['no command', []],
  ['add', ['add']],
  ['promote', ['promote', 'damaged']],
])('prints no ring if the given ring is damaged, and does not repeat that: %s', async (_, args) => {
  const { code, stdout, stderr } = await runCommand('keys', { SEALING_KEYS: 'damaged.secret' }, { args });
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toContain('must be keys written');
  expect(stderr).not.toContain('damaged');
});

describe('npm run keys -- promote', () => {
  it('moves a key to the front, and warns that it did not check the deployment', async () => {
    const ring = (await runCommand('keys', { SEALING_KEYS: await fresh() })).stdout.trim();
    const [first = '', last = ''] = ring.split(' ');
    const three = (await runCommand('keys', { SEALING_KEYS: ring })).stdout.trim();
    const promoted = await runCommand('keys', { SEALING_KEYS: three }, { args: ['promote', idOf(last)] });
    expect(promoted.code).toBe(0);
    expect(promoted.stdout).toBe(`${last} ${first} ${three.split(' ')[2]}\n`);
    expect(promoted.stderr).toContain('it was not checked whether the deployed app has the key');
    for (const key of three.split(' ')) expect(promoted.stderr).not.toContain(key.split('.')[1]);
  });
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
  ])('derives the keys of the resource from the ring in %s', async (_, variables, last, input) => {
    const ring = await fresh();
    const { code, stdout } = await runCommand(
      'keys',
      { ...variables(ring), ORIGIN: issuer },
      { args: ['audience', resource, ...last], input: input(ring) },
    );
    expect(code).toBe(0);
    expect(stdout).toBe(`${await deriveResourceKeys({ sealingKeys: ring, issuer, resource })}\n`);
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
