/**
 * Tests a restart of the local system: data, tokens and users are kept, although the fake providers have lost
 * their state.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildGptAction, callApi, findConsecutivePorts, refreshTokens } from '@words-with-chat/lab';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { type LocalSystem, startLocalSystem } from '../scripts/local-system/system.ts';
import { scoreWithoutRounds } from './scores.ts';
import { obtainTokens } from './sign-in.ts';
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
  buildGptAction(system.origin, {
    clientId: system.gptClientId,
    clientSecret: system.gptClientSecret,
  });

const signIn = () => obtainTokens(action(), testUser('restart'));

const callScoring = (method: 'GET' | 'POST', accessToken: string) =>
  callApi({ method, url: `${system.origin}/api/scoring` }, accessToken, fetch);

it('keeps the score, the tokens and the user across a restart', async () => {
  const tokens = await signIn();
  expect(await callScoring('POST', tokens.accessToken)).toMatchObject({ body: { score: 1 } });
  const scoreResponse = { kind: 'response', status: 200, body: scoreWithoutRounds(1) };
  const secret = system.gptClientSecret;

  await system.close();
  await expect(fetch(system.origin)).rejects.toThrow('fetch failed');
  system = await start();

  expect(system.gptClientSecret).toBe(secret);
  expect(await callScoring('GET', tokens.accessToken)).toEqual(scoreResponse);
  const refreshed = await refreshTokens(action(), tokens.refreshToken ?? '', fetch);
  if (refreshed.kind === 'error') throw new Error(`refresh was refused with ${refreshed.status}`);
  expect(await callScoring('GET', refreshed.accessToken)).toEqual(scoreResponse);
  expect(await callScoring('GET', (await signIn()).accessToken)).toEqual(scoreResponse);
});
