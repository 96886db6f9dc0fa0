/** What all fake providers have in common. */
import { execFile } from 'node:child_process';
import crypto, { randomBytes, randomUUID } from 'node:crypto';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { fakeUsers } from '../../src/index.ts';
import {
  collectSubjects,
  fakeProviders,
  type ProviderName,
  providerNames,
  signIn,
  startFakeProvider,
} from './visit.ts';

const run = promisify(execFile);
const real = { randomBytes: crypto.randomBytes, randomUUID: crypto.randomUUID };

describe.each(providerNames)('the %s fake provider', (name) => {
  const fakeProvider = fakeProviders[name];

  it('listens on 127.0.0.1 alone', async () => {
    const { issuer, close } = await startFakeProvider(fakeProvider.start);
    await expect(fetch(issuer.replace('127.0.0.1', '[::1]'))).rejects.toThrow('fetch failed');
    await close();
    expect(issuer).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    await expect(fetch(issuer)).rejects.toThrow('fetch failed');
  });

  it('uses the same signing key after a restart', async () => {
    const first = await collectSubjects(name);
    expect(first.map((line) => line.split(' ')[0])).toEqual(fakeUsers.map(({ email }) => email));
    expect(new Set(first.map((line) => line.split(' ')[1])).size).toBe(fakeUsers.length);
    expect(await collectSubjects(name)).toEqual(first);
  });

  it('says that its port is taken', async () => {
    const { issuer, close } = await startFakeProvider(fakeProvider.start);
    const again = startFakeProvider(fakeProvider.start, Number(new URL(issuer).port));
    await expect(again).rejects.toMatchObject({ code: 'EADDRINUSE' });
    await close();
  });

  it('leaves randomness as it found it', async () => {
    const { close } = await startFakeProvider(fakeProvider.start);
    await close();
    expect({ randomBytes: crypto.randomBytes, randomUUID: crypto.randomUUID }).toEqual(real);
    expect({ randomBytes, randomUUID }).toEqual(real);
    expect(randomBytes(16)).not.toEqual(randomBytes(16));
    expect(randomUUID()).not.toBe(randomUUID());
  });
});

it('all use the same signing keys in a new process', async () => {
  const program = new URL('subjects.ts', import.meta.url).pathname;
  const { stdout } = await run(process.execPath, [program]);
  const here: (readonly string[])[] = [];
  for (const name of providerNames) here.push(await collectSubjects(name));
  expect(JSON.parse(stdout)).toEqual(here);
});

it.each<[ProviderName, object]>([
  ['google', { email: 'ada.marlow@example.com', nonce: 'a nonce' }],
  ['github', { id: expect.any(Number), login: 'ada-marlow', email: 'ada.marlow@example.com' }],
  [
    'microsoft',
    { tid: '9188040d-6c67-4c5b-b112-36a304b66dad', oid: expect.stringMatching(/^[0-9a-f-]{36}$/) },
  ],
  ['apple', { email: 'ada.marlow@example.com', email_verified: 'true' }],
  ['oidc', { email: 'ada.marlow@example.com', email_verified: true, name: 'Ada Marlow' }],
])('the %s fake provider sends the claims of its provider', async (name, claims) => {
  const { issuer, close } = await startFakeProvider(fakeProviders[name].start);
  const said = await signIn(fakeProviders[name], issuer, fakeUsers[0].email);
  await close();
  expect(said).toMatchObject(claims);
});
