/**
 * Tests a restart of the local system: data, tokens and users are kept, although the fake providers have lost
 * their state.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { callApi, findConsecutivePorts, refreshTokens } from '@words-with-chat/lab';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { type LocalSystem, startLocalSystem } from '../scripts/local-system/system.ts';
import { createHostedGptAction, obtainTokens } from './sign-in.ts';
import { testUser, testUsers } from './test-users.ts';

const { platform } = inject('system');

let dataFolder: string;
let system: LocalSystem;
let ports: { readonly port: number; readonly fakeProviderPort: number };

const start = (): Promise<LocalSystem> =>
  startLocalSystem({ platform, ...ports, dataFolder, users: testUsers, log: () => {} });

beforeAll(async () => {
  dataFolder = await mkdtemp(join(tmpdir(), 'words-with-chat-'));
  const port = await findConsecutivePorts(6);
  ports = { port, fakeProviderPort: port + 1 };
  system = await start();
});

afterAll(async () => {
  await system.close();
  await rm(dataFolder, { recursive: true });
});

const action = () =>
  createHostedGptAction(system.origin, {
    clientId: system.gptClientId,
    clientSecret: system.gptClientSecret,
  });

const signInAgain = () => obtainTokens(action(), testUser('restart'));

const score = (method: 'GET' | 'POST', accessToken: string) =>
  callApi({ method, url: `${system.origin}/api/scoring` }, accessToken, fetch);

it('keeps the score, the tokens and the user across a restart', async () => {
  const before = await signInAgain();
  const one = { kind: 'response', status: 200, body: { score: 1 } };
  expect(await score('POST', before.accessToken)).toEqual(one);
  const secret = system.gptClientSecret;

  await system.close();
  await expect(fetch(system.origin)).rejects.toThrow('fetch failed');
  system = await start();

  expect(system.gptClientSecret).toBe(secret);
  expect(await score('GET', before.accessToken)).toEqual(one);
  const refreshed = await refreshTokens(action(), before.refreshToken ?? '', fetch);
  if (refreshed.kind === 'error') throw new Error(`refresh was refused with ${refreshed.status}`);
  expect(await score('GET', refreshed.accessToken)).toEqual(one);
  expect(await score('GET', (await signInAgain()).accessToken)).toEqual(one);
});
