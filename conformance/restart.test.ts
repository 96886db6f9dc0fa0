/** A local system that is ended and started again: data, tokens and people are the same, but the stand-in has forgotten its own tokens. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  beginSignIn,
  callApi,
  freePortsInARow,
  type GptAction,
  gptCallback,
  readCallback,
  redeemCode,
  refreshTokens,
} from '@words-with-chat/lab';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { type LocalSystem, startLocalSystem } from '../scripts/local-system/system.ts';
import { player, players } from './players.ts';
import { signIn } from './sign-in.ts';

const { platform } = inject('system');

let dataFolder: string;
let system: LocalSystem;
let ports: { readonly port: number; readonly standInPort: number };

const start = (): Promise<LocalSystem> =>
  startLocalSystem({ platform, ...ports, dataFolder, people: players, log: () => {} });

beforeAll(async () => {
  dataFolder = await mkdtemp(join(tmpdir(), 'words-with-chat-'));
  const port = await freePortsInARow(6);
  ports = { port, standInPort: port + 1 };
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
  redirectUri: gptCallback('g-0123456789abcdef0123456789abcdef'),
  tokenExchange: 'post',
});

const signInAgain = async () => {
  const begun = beginSignIn(action(), crypto.randomUUID());
  const callback = readCallback(begun, await signIn(begun.url, player('restart')));
  const answer = callback.kind === 'code' ? await redeemCode(action(), callback.code, fetch) : undefined;
  if (answer?.kind !== 'tokens') throw new Error(`no tokens: ${callback.kind}`);
  return answer;
};

const score = (method: 'GET' | 'POST', accessToken: string) =>
  callApi({ method, url: `${system.origin}/api/scoring` }, accessToken, fetch);

it('keeps the score, the tokens and the person over a restart, until the stand-in is asked and knows nobody', async () => {
  const before = await signInAgain();
  const one = { kind: 'answered', status: 200, body: { score: 1 } };
  expect(await score('POST', before.accessToken)).toEqual(one);
  const secret = system.gptClientSecret;

  await system.close();
  await expect(fetch(system.origin)).rejects.toThrow('fetch failed');
  system = await start();

  expect(system.gptClientSecret).toBe(secret);
  expect(await score('GET', before.accessToken)).toEqual(one);
  // As after a withdrawal at Google, which ChatGPT answers with a new sign-in.
  expect(await refreshTokens(action(), before.refreshToken ?? '', fetch)).toMatchObject({
    kind: 'refused',
    status: 401,
    body: { error: 'invalid_grant' },
  });
  expect(await score('GET', (await signInAgain()).accessToken)).toEqual(one);
});
