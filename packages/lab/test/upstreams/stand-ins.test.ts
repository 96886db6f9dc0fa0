/** What all stand-ins have in common. */
import { execFile } from 'node:child_process';
import crypto, { randomBytes, randomUUID } from 'node:crypto';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { people } from '../../src/index.ts';
import { type Name, names, signIn, standIns, startWith, subjects } from './visit.ts';

const run = promisify(execFile);
const real = { randomBytes: crypto.randomBytes, randomUUID: crypto.randomUUID };

describe.each(names)('the %s stand-in', (name) => {
  const standIn = standIns[name];

  it('listens on 127.0.0.1 alone', async () => {
    const { issuer, close } = await startWith(standIn.start);
    await expect(fetch(issuer.replace('127.0.0.1', '[::1]'))).rejects.toThrow('fetch failed');
    await close();
    expect(issuer).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    await expect(fetch(issuer)).rejects.toThrow('fetch failed');
  });

  it('vouches for every person by the same key after a restart', async () => {
    const first = await subjects(name);
    expect(first.map((line) => line.split(' ')[0])).toEqual(people.map(({ email }) => email));
    expect(new Set(first.map((line) => line.split(' ')[1])).size).toBe(people.length);
    expect(await subjects(name)).toEqual(first);
  });

  it('says that its port is taken', async () => {
    const { issuer, close } = await startWith(standIn.start);
    const again = startWith(standIn.start, Number(new URL(issuer).port));
    await expect(again).rejects.toMatchObject({ code: 'EADDRINUSE' });
    await close();
  });

  it('leaves randomness as it found it', async () => {
    const { close } = await startWith(standIn.start);
    await close();
    expect({ randomBytes: crypto.randomBytes, randomUUID: crypto.randomUUID }).toEqual(real);
    expect({ randomBytes, randomUUID }).toEqual(real);
    expect(randomBytes(16)).not.toEqual(randomBytes(16));
    expect(randomUUID()).not.toBe(randomUUID());
  });
});

it('all vouch by the same keys in a fresh process', async () => {
  const program = new URL('subjects.ts', import.meta.url).pathname;
  const { stdout } = await run(process.execPath, [program]);
  const here: (readonly string[])[] = [];
  for (const name of names) here.push(await subjects(name));
  expect(JSON.parse(stdout)).toEqual(here);
});

it.each<[Name, object]>([
  ['google', { email: 'ada.marlow@example.com', nonce: 'a nonce' }],
  ['github', { id: expect.any(Number), login: 'ada-marlow', email: 'ada.marlow@example.com' }],
  [
    'microsoft',
    { tid: '9188040d-6c67-4c5b-b112-36a304b66dad', oid: expect.stringMatching(/^[0-9a-f-]{36}$/) },
  ],
  ['apple', { email: 'ada.marlow@example.com', email_verified: 'true' }],
  ['oidc', { email: 'ada.marlow@example.com', email_verified: true, name: 'Ada Marlow' }],
])('the %s stand-in speaks its provider’s dialect', async (name, facts) => {
  const { issuer, close } = await startWith(standIns[name].start);
  const said = await signIn(standIns[name], issuer, people[0].email);
  await close();
  expect(said).toMatchObject(facts);
});
