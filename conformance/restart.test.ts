/**
 * Tests a restart of the local system: data, tokens and users are the same, although the fake provider has
 * lost its state.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  buildGptCallbackUrl,
  callApi,
  findConsecutivePorts,
  type GptAction,
  readCallback,
  redeemCode,
  refreshTokens,
  startSignIn,
} from '@words-with-chat/lab';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { type LocalSystem, startLocalSystem } from '../scripts/local-system/system.ts';
import { testUser, testUsers } from './clients.ts';
import { signIn } from './sign-in.ts';

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

const action = (): GptAction => ({
  authorizationUrl: `${system.origin}/authorize`,
  tokenUrl: `${system.origin}/token`,
  clientId: system.gptClientId,
  clientSecret: system.gptClientSecret,
  scope: '',
  redirectUri: buildGptCallbackUrl('g-0123456789abcdef0123456789abcdef'),
  tokenExchange: 'post',
});

const signInAgain = async () => {
  const startedSignIn = startSignIn(action(), crypto.randomUUID());
  const callback = readCallback(startedSignIn, await signIn(startedSignIn.url, testUser('restart')));
  const answer = callback.kind === 'code' ? await redeemCode(action(), callback.code, fetch) : undefined;
  if (answer?.kind !== 'tokens') throw new Error(`no tokens: ${callback.kind}`);
  return answer;
};

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
