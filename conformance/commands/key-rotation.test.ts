/**
 * Tests a key rotation in workerd, with the rings that the commands print. Workers with different rings run
 * side by side, with one database and one origin, and adding and promoting the key are each rolled back once
 * (docs/guides/keys.md).
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
import { withDatabase } from '../../packages/assistant-auth/src/cli/database/database.ts';
import { findLocalDatabase } from '../../scripts/database/database.ts';
import { planFakeProviders } from '../../scripts/local-system/fake-providers/fake-providers.ts';
import { type RunningProject, startApp } from '../../scripts/local-system/worker.ts';
import { signIn } from '../sign-in.ts';
import { runCommand } from './command.ts';
import { type LoadBalancer, startLoadBalancer } from './load-balancer.ts';

const secret = 'gpt-secret-0123456789-0123456789-0123456789';
const clientVariables = {
  ...{ GPT_CLIENT_ID: 'gpt', GPT_CLIENT_SECRET: secret },
  DAILY_SECRET: 'mM1yfqXAxbJCn-QXtYIIQ6f9n0cnRKq1rYHk0cI2Yso',
  STATIC_CLIENTS: JSON.stringify([
    { id: 'app', name: 'App', redirectUris: ['http://127.0.0.1/callback'], offlineAccess: 'on-request' },
  ]),
};

/** Users who take turns signing in, because each one can sign in only 20 times in ten minutes. */
const fakeUsers = Array.from({ length: 5 }, (_, index) => ({
  name: `Player ${index}`,
  email: `player-${index}@example.com`,
}));
let signIns = 0;

/** The tokens of one sign-in at each client. */
interface IssuedTokens {
  readonly accessToken: string;
  /** ChatGPT's refresh token, which stays the same. */
  readonly stableRefreshToken: string;
  /** The public client's refresh token, which changes with each refresh. */
  rotatingRefreshToken: string;
}

let folder: string;
let origin: string;
let firstPort: number;
let loadBalancer: LoadBalancer;
let closeProviders: () => Promise<void>;
const workers: RunningProject[] = [];

const getDataFolder = (index: number): string => join(folder, String(index));

const keys = async (ring: string, ...args: readonly string[]): Promise<string> => {
  const variables = { SEALING_KEYS: ring, LOCAL_DATA_FOLDER: getDataFolder(0) };
  const { code, stdout, stderr } = await runCommand('keys', variables, { args });
  if (code !== 0) throw new Error(stderr);
  return stdout.trim();
};

const readKeyIds = (ring: string): readonly string[] => ring.split(' ').map((key) => key.split('.')[0] ?? '');

/**
 * Simulates a cleanup run of a deployment with this ring two hours ago, because a local Worker has no
 * schedule.
 */
const cleanUp = async (ring: string): Promise<void> => {
  const databaseLocation = findLocalDatabase({ LOCAL_DATA_FOLDER: getDataFolder(0) });
  const now = Math.floor(Date.now() / 1000) - 7200;
  const ringKeys = readKeyIds(ring);
  const [sealingKey = ''] = ringKeys;
  await withDatabase(databaseLocation, ({ storage }) =>
    storage.cleanUp({ now, deleteAuditBefore: 0, sealingKey, ringKeys }),
  );
};

/** Starts a Worker with this ring, in its own data folder but with the database of the first Worker. */
const start = async (ring: string, providers: Readonly<Record<string, string>>): Promise<void> => {
  const index = workers.length;
  const dataFolder = getDataFolder(index);
  await mkdir(dataFolder);
  if (index > 0) await symlink(join(getDataFolder(0), 'state'), join(dataFolder, 'state'));
  const variables = { ...clientVariables, ...providers, SEALING_KEYS: ring };
  const lines: string[] = [];
  const options = { dataFolder, origin, port: firstPort + index, variables };
  workers.push(
    await startApp({ ...options, log: (line) => lines.push(line) }).catch((cause: unknown) => {
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
  loadBalancer = await startLoadBalancer(port);
  const fakeProvidersOptions = {
    port,
    fakeProviderPort: port + 1,
    users: fakeUsers,
    startGoogle: startGoogleWithSession,
  };
  const planned = planFakeProviders(fakeProvidersOptions, {});
  closeProviders = (await planned.start()).close;

  const firstRing = await keys('');
  await start(firstRing, planned.variables);
  const ringWithBothKeys = await keys(firstRing, 'add');
  await start(ringWithBothKeys, planned.variables);
  await cleanUp(ringWithBothKeys);
  const [, id = ''] = readKeyIds(ringWithBothKeys);
  await start(await keys(ringWithBothKeys, 'promote', id, '--local'), planned.variables);
});

afterAll(async () => {
  loadBalancer.close();
  await Promise.all(workers.map((worker) => worker.close()));
  await closeProviders();
  await rm(folder, { recursive: true });
});

/** Sends the next requests to these Workers, in turn. */
const routeTo = (...positions: readonly number[]): void =>
  loadBalancer.setTargets(positions.map((position) => firstPort + position));

const discover = (clientId: string, authentication: ClientAuth): Promise<Configuration> =>
  discovery(new URL(origin), clientId, {}, authentication, {
    algorithm: 'oauth2',
    execute: [allowInsecureRequests],
  });

/** Configures both clients from the server metadata (RFC 8414). */
const discoverClients = async () => ({
  app: await discover('app', None()),
  gpt: await discover('gpt', ClientSecretPost(secret)),
});

const fetchScoreStatus = async (config: Configuration, accessToken: string): Promise<number> => {
  const url = new URL('/api/scoring', origin);
  return (await fetchProtectedResource(config, accessToken, url, 'GET')).status;
};

/** Signs in at both clients. */
const signInAtBoth = async ({
  app,
  gpt,
}: Awaited<ReturnType<typeof discoverClients>>): Promise<IssuedTokens> => {
  const user = fakeUsers[signIns++ % fakeUsers.length];
  if (user === undefined) throw new Error('there is no user to sign in');
  const state = crypto.randomUUID();
  const gptAuthorizationUrl = buildAuthorizationUrl(gpt, {
    ...{
      redirect_uri: buildGptCallbackUrl('g-0123456789abcdef0123456789abcdef'),
      scope: 'words,score',
      state,
    },
  });
  const gptTokens = await authorizationCodeGrant(gpt, await signIn(gptAuthorizationUrl, user), {
    expectedState: state,
  });
  const pkceCodeVerifier = randomPKCECodeVerifier();
  const appAuthorizationUrl = buildAuthorizationUrl(app, {
    ...{ redirect_uri: 'http://127.0.0.1:51234/callback', scope: 'score offline_access', state },
    code_challenge: await calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
  });
  const callback = await signIn(appAuthorizationUrl, user);
  const appTokens = await authorizationCodeGrant(app, callback, { pkceCodeVerifier, expectedState: state });
  const { refresh_token: stableRefreshToken = '' } = gptTokens;
  const { access_token: accessToken, refresh_token: rotatingRefreshToken = '' } = appTokens;
  return { accessToken, stableRefreshToken, rotatingRefreshToken };
};

/**
 * Calls the API with the access token, refreshes with both refresh tokens, and calls the API with a new
 * access token.
 */
const useTokens = async (
  { app, gpt }: Awaited<ReturnType<typeof discoverClients>>,
  tokens: IssuedTokens,
): Promise<void> => {
  expect(await fetchScoreStatus(app, tokens.accessToken)).toBe(200);
  const { refresh_token: refreshedStableToken } = await refreshTokenGrant(gpt, tokens.stableRefreshToken);
  expect(refreshedStableToken).toBe(tokens.stableRefreshToken);
  const { refresh_token: nextRotatingToken = '', access_token: token } = await refreshTokenGrant(
    app,
    tokens.rotatingRefreshToken,
  );
  expect(await fetchScoreStatus(app, token)).toBe(200);
  tokens.rotatingRefreshToken = nextRotatingToken;
};

describe('a key rotation', () => {
  const allTokens: IssuedTokens[] = [];

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
  ])('T16.1 side by side: %s', async (_, activePositions) => {
    routeTo(...activePositions);
    const clients = await discoverClients();
    allTokens.push(await signInAtBoth(clients));
    for (const tokens of allTokens) await useTokens(clients, tokens);
    for (const position of activePositions) {
      routeTo(position);
      for (const tokens of allTokens) await useTokens(clients, tokens);
    }
    routeTo(...activePositions);
    await useTokens(clients, await signInAtBoth(clients));
    expect(new Set(loadBalancer.getServedPorts())).toEqual(
      new Set(activePositions.map((position) => firstPort + position)),
    );
  });

  const post = async (path: string, form: Readonly<Record<string, string>>) => {
    const response = await fetch(origin + path, { method: 'POST', body: new URLSearchParams(form) });
    return { status: response.status, body: await response.json() };
  };

  it('T16.2 a key that seals without having been added everywhere: its tokens are refused but not revoked', async () => {
    routeTo(promoted);
    const clients = await discoverClients();
    const tokens = await signInAtBoth(clients);
    routeTo(before);
    expect(await fetchScoreStatus(clients.app, tokens.accessToken).catch(({ status }) => status)).toBe(401);
    const stableRequest = { grant_type: 'refresh_token', client_id: 'gpt', client_secret: secret };
    expect(
      await post('/token', { ...stableRequest, refresh_token: tokens.stableRefreshToken }),
    ).toMatchObject({
      ...{ status: 401, body: { error: 'invalid_grant' } },
    });
    const rotatingRequest = {
      grant_type: 'refresh_token',
      client_id: 'app',
      refresh_token: tokens.rotatingRefreshToken,
    };
    expect(await post('/token', rotatingRequest)).toMatchObject({
      status: 400,
      body: { error: 'invalid_grant' },
    });
    // If every other request of a sign-in reaches the Worker without the key, the sign-in ends on an error
    // page.
    routeTo(promoted, before);
    await expect(signInAtBoth(clients)).rejects.toThrow(/\(status 400\)/);
    routeTo(promoted);
    await useTokens(clients, tokens);
  });
});
