/** Runs the example in its own process, and a broker in the test's process that issues tokens for it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { type FakeProvider, fakeUsers, findFreePort, startGoogle } from '@words-with-chat/lab';
import { createBroker, deriveResourceKeys, google, gptAction } from 'assistant-auth';
import { memoryStorage } from 'assistant-auth/memory';
import { generateKey } from 'assistant-auth/seal';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { obtainCode, obtainToken, type TokenRequest } from '../../tokens.ts';

const resource = 'https://api.example';
const otherResource = 'https://other.example';
const server = fileURLToPath(new URL('../src/server.ts', import.meta.url));
const generateSecret = () => randomBytes(32).toString('base64url');
const sealingKeys = generateKey('test', (length) => new Uint8Array(randomBytes(length)));
const client = { clientId: 'my-gpt', clientSecret: generateSecret() };

let issuer: string;
let fakeProvider: FakeProvider;
let send: typeof fetch;
let api: ChildProcess;
let apiUrl: string;

/** How far the broker's clock is behind, in seconds, so that it issues tokens that have already expired. */
let clockDelay = 0;

/** Starts a broker in this process, with an issuer URL at which no server listens. */
const startBroker = (): typeof fetch => {
  const broker = createBroker({
    issuer,
    sealingKeys,
    scopes: { score: 'see your score' },
    resources: [resource, otherResource],
    clients: [
      gptAction({ id: client.clientId, name: 'GPT', secrets: [client.clientSecret], scopes: ['score'] }),
    ],
    providers: [google({ clientId: 'api', clientSecret: 'api-secret', baseUrl: fakeProvider.issuer })],
    storage: memoryStorage(),
    log: () => {},
    now: () => Math.floor(Date.now() / 1000) - clockDelay,
  });
  return async (input, init) => {
    const request = new Request(input, init);
    return new URL(request.url).origin === issuer ? broker.fetch(request) : fetch(request);
  };
};

/** Starts the example's process with these variables and no others. */
const startApi = (variables: Readonly<Record<string, string>>): ChildProcess =>
  spawn(process.execPath, ['--conditions=dev-source', '--no-warnings', server], {
    env: { PORT: '0', ISSUER: issuer, RESOURCE: resource, ...variables },
    stdio: ['ignore', 'pipe', 'pipe'],
  });

const readApiUrl = async ({ stdout }: ChildProcess): Promise<string> => {
  if (stdout === null) throw new Error('no output');
  for await (const line of createInterface({ input: stdout })) {
    const port = /^listening on (\d+)$/.exec(line)?.[1];
    if (port !== undefined) return `http://127.0.0.1:${port}`;
  }
  throw new Error('the API exited before it listened');
};

beforeAll(async () => {
  issuer = `http://localhost:${await findFreePort()}`;
  const redirectUris = [`${issuer}/callback/google`];
  const credentials = { clientId: 'api', clientSecret: 'api-secret' };
  fakeProvider = await startGoogle({
    port: await findFreePort(),
    ...credentials,
    redirectUris,
    users: fakeUsers,
  });
  send = startBroker();
  api = startApi({ RESOURCE_KEYS: await deriveResourceKeys({ sealingKeys, issuer, resource }) });
  apiUrl = await readApiUrl(api);
});

afterAll(async () => {
  api.kill();
  await fakeProvider.close();
});

const buildTokenRequest = (changes: Partial<TokenRequest> = {}): TokenRequest => {
  const [user] = fakeUsers;
  if (user === undefined) throw new Error('there is no user');
  return { issuer, ...client, user, ...changes };
};

const obtainFreshToken = async (changes: Partial<TokenRequest> = {}): Promise<string> =>
  obtainToken(buildTokenRequest(changes), await obtainCode(buildTokenRequest(changes), send), send);

const call = (token?: string): Promise<Response> =>
  fetch(`${apiUrl}/hello`, { headers: token === undefined ? {} : { authorization: `Bearer ${token}` } });

/** Sends the header twice, on two lines, and returns the status. */
const callTwice = async (token: string): Promise<number | undefined> => {
  const header = ['authorization', `Bearer ${token}`];
  const clientRequest = get(`${apiUrl}/hello`, {
    headers: ['host', 'api.example', ...header, ...header],
    agent: false,
  });
  const [response]: IncomingMessage[] = await once(clientRequest, 'response');
  return response?.resume().statusCode;
};

const expectRefused = async (response: Response): Promise<void> => {
  expect(response.status).toBe(401);
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  expect(response.headers.get('www-authenticate')).toContain('error="invalid_token"');
  expect(await response.json()).toMatchObject({ status: 401, detail: 'The access token is not valid.' });
};

it('identifies the user of a token that is for this API', async () => {
  const response = await call(await obtainFreshToken());
  expect(response.status).toBe(200);
  expect(await response.json()).toEqual({ userId: expect.stringMatching(/^[\w-]{22}$/), scopes: ['score'] });
});

it('challenges a call without a token', async () => {
  const response = await call();
  expect(response.status).toBe(401);
  expect(response.headers.get('www-authenticate')).toBe(`Bearer realm="${issuer}", scope="score"`);
});

it('lets pages on other origins call it and read its responses', async () => {
  const headers = { origin: 'https://app.example', 'access-control-request-method': 'GET' };
  const preflight = await fetch(`${apiUrl}/hello`, { method: 'OPTIONS', headers });
  expect([preflight.status, preflight.headers.get('access-control-allow-headers')]).toEqual([
    204,
    'Authorization, Content-Type',
  ]);
  for (const { headers } of [await call(), await call(await obtainFreshToken())])
    expect([
      headers.get('access-control-allow-origin'),
      headers.get('access-control-expose-headers'),
    ]).toEqual(['*', 'WWW-Authenticate, Retry-After']);
  expect((await fetch(`${apiUrl}/hello`, { method: 'OPTIONS' })).status).toBe(401);
});

it('refuses a token for another audience', async () => {
  await expectRefused(await call(await obtainFreshToken({ resource: otherResource })));
});

it('refuses a token with any character changed', async () => {
  const token = await obtainFreshToken();
  for (const index of [0, 9, Math.floor(token.length / 2), token.length - 2]) {
    const replacement = token[index] === 'A' ? 'B' : 'A';
    await expectRefused(await call(token.slice(0, index) + replacement + token.slice(index + 1)));
  }
});

it('refuses a token that has expired', async () => {
  const code = await obtainCode(buildTokenRequest(), send);
  clockDelay = 1801;
  const token = await obtainToken(buildTokenRequest(), code, send);
  clockDelay = 0;
  await expectRefused(await call(token));
});

it('refuses a call with two tokens, even if both are the same valid token', async () => {
  const token = await obtainFreshToken();
  expect((await call(token)).status).toBe(200);
  expect(await callTwice(token)).toBe(401);
});

it('does not start with the key ring instead of its keys, and does not print the key ring', async () => {
  const failedApi = startApi({ RESOURCE_KEYS: sealingKeys });
  if (failedApi.stderr === null) throw new Error('no output');
  const [stderr, [code]] = await Promise.all([text(failedApi.stderr), once(failedApi, 'close')]);
  expect(code).toBe(1);
  expect(stderr).toContain('keys must be the derived keys of a resource, not a key ring.');
  expect(stderr).not.toContain(sealingKeys.split('.')[1]);
});
