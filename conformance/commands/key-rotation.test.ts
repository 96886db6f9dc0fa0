/**
 * Tests a key rotation in workerd, with the rings that the commands print. Workers with different rings run
 * side by side, with one database and one origin, and adding and promoting the key are each rolled back once
 * (docs/operator.md).
 */
import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildGptCallbackUrl, findConsecutivePorts, startGoogleWithSession } from '@words-with-chat/lab';
import {
  allowInsecureRequests,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  type ClientAuth,
  ClientSecretPost,
  type Configuration,
  calculatePKCECodeChallenge,
  discovery,
  fetchProtectedResource,
  None,
  randomPKCECodeVerifier,
  refreshTokenGrant,
} from 'openid-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findDatabaseLocation, withDatabase } from '../../scripts/database/database.ts';
import { planFakeProviders } from '../../scripts/local-system/fake-providers/fake-providers.ts';
import { startWorker, type Worker } from '../../scripts/local-system/worker.ts';
import { signIn } from '../sign-in.ts';
import { runCommand } from './command.ts';
import { type ReverseProxy, startReverseProxy } from './reverse-proxy.ts';

const secret = 'gpt-secret-0123456789-0123456789-0123456789';
const clientVariables = {
  ...{ GPT_CLIENT_ID: 'gpt', GPT_CLIENT_SECRET: secret },
  STATIC_CLIENTS: JSON.stringify([
    { id: 'app', name: 'App', redirectUris: ['http://127.0.0.1/callback'], offlineAccess: 'on-request' },
  ]),
};

/** Users who take turns signing in, because each one can sign in only 20 times in ten minutes. */
const fakeUsers = Array.from({ length: 5 }, (_, n) => ({
  name: `Player ${n}`,
  email: `player-${n}@example.com`,
}));
let signIns = 0;

/** The tokens of one sign-in at each client. */
interface IssuedTokens {
  readonly accessToken: string;
  /** ChatGPT's refresh token, which stays the same. */
  readonly stable: string;
  /** The public client's refresh token, which changes with each refresh. */
  rotating: string;
}

let folder: string;
let origin: string;
let firstPort: number;
let proxy: ReverseProxy;
let closeProviders: () => Promise<void>;
const workers: Worker[] = [];

const folderOf = (at: number): string => join(folder, String(at));

const keys = async (ring: string, ...args: readonly string[]): Promise<string> => {
  const variables = { SEALING_KEYS: ring, LOCAL_DATA_FOLDER: folderOf(0) };
  const { code, stdout, stderr } = await runCommand('keys', variables, { args });
  if (code !== 0) throw new Error(stderr);
  return stdout.trim();
};

const idsOf = (ring: string): readonly string[] => ring.split(' ').map((key) => key.split('.')[0] ?? '');

/**
 * Simulates a cleanup run of a deployment with this ring two hours ago, because a local Worker has no
 * schedule.
 */
const cleanUp = async (ring: string): Promise<void> => {
  const place = findDatabaseLocation({ local: true }, { LOCAL_DATA_FOLDER: folderOf(0) });
  if (place === undefined) throw new Error('there is no database');
  const now = Math.floor(Date.now() / 1000) - 7200;
  const ringKeys = idsOf(ring);
  const [sealingKey = ''] = ringKeys;
  await withDatabase(place, ({ storage }) =>
    storage.cleanUp({ now, deleteAuditBefore: 0, sealingKey, ringKeys }),
  );
};

/** Starts a Worker with this ring, in its own data folder but with the database of the first Worker. */
const start = async (ring: string, providers: Readonly<Record<string, string>>): Promise<void> => {
  const at = workers.length;
  const dataFolder = folderOf(at);
  await mkdir(dataFolder);
  if (at > 0) await symlink(join(folderOf(0), 'state'), join(dataFolder, 'state'));
  const variables = { ...clientVariables, ...providers, SEALING_KEYS: ring };
  const lines: string[] = [];
  const options = { dataFolder, origin, port: firstPort + at, variables };
  workers.push(
    await startWorker({ ...options, log: (line) => lines.push(line) }).catch((cause: unknown) => {
      throw new Error(lines.join('\n'), { cause });
    }),
  );
};

/** The position of each ring's Worker in `workers`. */
const [before, added, promoted] = [0, 1, 2];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'words-with-chat-'));
  const port = await findConsecutivePorts(9);
  origin = `http://localhost:${port}`;
  firstPort = port + 6;
  proxy = await startReverseProxy(port);
  const fakeProviders = {
    port,
    fakeProviderPort: port + 1,
    users: fakeUsers,
    startGoogle: startGoogleWithSession,
  };
  const planned = planFakeProviders(fakeProviders, {});
  closeProviders = (await planned.start()).close;

  const fresh = await keys('');
  await start(fresh, planned.variables);
  const both = await keys(fresh, 'add');
  await start(both, planned.variables);
  await cleanUp(both);
  const [, id = ''] = idsOf(both);
  await start(await keys(both, 'promote', id, '--local'), planned.variables);
});

afterAll(async () => {
  proxy.close();
  await Promise.all(workers.map((worker) => worker.close()));
  await closeProviders();
  await rm(folder, { recursive: true });
});

/** Sends the next requests to these Workers, in turn. */
const routeTo = (...positions: readonly number[]): void =>
  proxy.alternate(positions.map((position) => firstPort + position));

const discover = (clientId: string, authentication: ClientAuth): Promise<Configuration> =>
  discovery(new URL(origin), clientId, {}, authentication, {
    algorithm: 'oauth2',
    execute: [allowInsecureRequests],
  });

/** Configures both clients from the server metadata (RFC 8414). */
const clientsOf = async () => ({
  app: await discover('app', None()),
  gpt: await discover('gpt', ClientSecretPost(secret)),
});

const score = async (config: Configuration, accessToken: string): Promise<number> => {
  const url = new URL('/api/scoring', origin);
  return (await fetchProtectedResource(config, accessToken, url, 'GET')).status;
};

/** Signs in at both clients. */
const signInAtBoth = async ({ app, gpt }: Awaited<ReturnType<typeof clientsOf>>): Promise<IssuedTokens> => {
  const user = fakeUsers[signIns++ % fakeUsers.length];
  if (user === undefined) throw new Error('there is no user to sign in');
  const state = crypto.randomUUID();
  const atGpt = buildAuthorizationUrl(gpt, {
    ...{
      redirect_uri: buildGptCallbackUrl('g-0123456789abcdef0123456789abcdef'),
      scope: 'words,score',
      state,
    },
  });
  const gptTokens = await authorizationCodeGrant(gpt, await signIn(atGpt, user), { expectedState: state });
  const pkceCodeVerifier = randomPKCECodeVerifier();
  const atApp = buildAuthorizationUrl(app, {
    ...{ redirect_uri: 'http://127.0.0.1:51234/callback', scope: 'score offline_access', state },
    code_challenge: await calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
  });
  const callback = await signIn(atApp, user);
  const appTokens = await authorizationCodeGrant(app, callback, { pkceCodeVerifier, expectedState: state });
  const { refresh_token: stable = '' } = gptTokens;
  const { access_token: accessToken, refresh_token: rotating = '' } = appTokens;
  return { accessToken, stable, rotating };
};

/**
 * Calls the API with the access token, refreshes with both refresh tokens, and calls the API with a new
 * access token.
 */
const useTokens = async (
  { app, gpt }: Awaited<ReturnType<typeof clientsOf>>,
  signed: IssuedTokens,
): Promise<void> => {
  expect(await score(app, signed.accessToken)).toBe(200);
  const { refresh_token: same } = await refreshTokenGrant(gpt, signed.stable);
  expect(same).toBe(signed.stable);
  const { refresh_token: next = '', access_token: token } = await refreshTokenGrant(app, signed.rotating);
  expect(await score(app, token)).toBe(200);
  signed.rotating = next;
};

describe('a key rotation', () => {
  const everything: IssuedTokens[] = [];

  it.each([
    ['only the old ring is deployed', [before]],
    ['while the key is added, the old Worker gets the first request', [before, added]],
    ['while the key is added, the new Worker gets the first request', [added, before]],
    ['after adding the key was rolled back', [before]],
    ['after the key was added again', [added]],
    ['while the key is promoted, the old Worker gets the first request', [added, promoted]],
    ['while the key is promoted, the new Worker gets the first request', [promoted, added]],
    ['after promoting the key was rolled back', [added]],
    ['after the key was promoted again', [promoted]],
  ])('T16.1 side by side: %s', async (_, running) => {
    routeTo(...running);
    const clients = await clientsOf();
    everything.push(await signInAtBoth(clients));
    for (const signed of everything) await useTokens(clients, signed);
    for (const position of running) {
      routeTo(position);
      for (const signed of everything) await useTokens(clients, signed);
    }
    routeTo(...running);
    await useTokens(clients, await signInAtBoth(clients));
    expect(new Set(proxy.served())).toEqual(new Set(running.map((position) => firstPort + position)));
  });

  const post = async (path: string, form: Readonly<Record<string, string>>) => {
    const response = await fetch(origin + path, { method: 'POST', body: new URLSearchParams(form) });
    return { status: response.status, body: await response.json() };
  };

  it('T16.2 a key that seals without having been added everywhere: its tokens are refused but not revoked', async () => {
    routeTo(promoted);
    const clients = await clientsOf();
    const signed = await signInAtBoth(clients);
    routeTo(before);
    expect(await score(clients.app, signed.accessToken).catch(({ status }) => status)).toBe(401);
    const refresh = { grant_type: 'refresh_token', client_id: 'gpt', client_secret: secret };
    expect(await post('/token', { ...refresh, refresh_token: signed.stable })).toMatchObject({
      ...{ status: 401, body: { error: 'invalid_grant' } },
    });
    const rotating = { grant_type: 'refresh_token', client_id: 'app', refresh_token: signed.rotating };
    expect(await post('/token', rotating)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
    // If every other request of a sign-in reaches the Worker without the key, the sign-in ends on an error
    // page.
    routeTo(promoted, before);
    await expect(signInAtBoth(clients)).rejects.toThrow(/\(status 400\)/);
    routeTo(promoted);
    await useTokens(clients, signed);
  });
});
