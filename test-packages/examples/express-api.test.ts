/**
 * Runs the example in its own process, from the packed package, and a broker in the test's process that issues
 * tokens for it.
 */

import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { findFreePort } from '@words-with-chat/lab';
import { createBroker, deriveResourceKeys, oidc, staticClient } from 'assistant-auth';
import { memoryStorage } from 'assistant-auth/memory';
import { generateKey } from 'assistant-auth/seal';
import { createEmulatedClient, createFakeProvider, type EmulatedClient } from 'assistant-auth/testing';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { installExample, type Project, type RunningCommand, sendMalformedRequest } from './example.ts';

const issuer = 'https://words.example';
const otherResource = 'https://other.example';
const client = { clientId: 'my-client', redirectUri: 'http://127.0.0.1/callback' };
const sealingKeys = generateKey('test');

let resource: string;
let project: Project;
let api: RunningCommand;
let variables: Readonly<Record<'PORT' | 'ISSUER' | 'RESOURCE' | 'RESOURCE_KEYS', string>>;
let send: (request: Request) => Promise<Response>;

/** How far the broker's clock is behind, in seconds, so that it issues tokens that have already expired. */
let clockDelay = 0;

/** Starts a broker in this process. No server listens at its issuer URL. */
const startBroker = (): typeof send => {
  const acme = { issuer: `${issuer}/acme`, clientId: 'api', clientSecret: 'api-secret' };
  const now = () => Math.floor(Date.now() / 1000) - clockDelay;
  const fakeProvider = createFakeProvider({ ...acme, now });
  const broker = createBroker({
    issuer,
    sealingKeys,
    scopes: { score: 'see your score' },
    resources: [resource, otherResource],
    clients: [
      staticClient({
        ...{ id: client.clientId, name: 'Client', redirectUris: [client.redirectUri], scopes: ['score'] },
      }),
    ],
    providers: [oidc({ id: 'acme', displayName: 'Acme', ...acme })],
    storage: memoryStorage(),
    fetch: fakeProvider.fetch,
    log: () => {},
    now,
  });
  return async (request) => (await fakeProvider.handle(request)) ?? broker.fetch(request);
};

beforeAll(async () => {
  const port = String(await findFreePort());
  resource = `http://localhost:${port}`;
  send = startBroker();
  project = await installExample('express-api', inject('clone'));
  const RESOURCE_KEYS = await deriveResourceKeys({ sealingKeys, issuer, resource });
  variables = { PORT: port, ISSUER: issuer, RESOURCE: resource, RESOURCE_KEYS };
  api = await project.start('npm start', /^listening on port/, variables);
});

afterAll(async () => {
  await api?.stop();
});

const createClient = (audience: string): EmulatedClient =>
  createEmulatedClient({ ...client, issuer, resource: audience, fetch: send });

const obtainToken = async (audience = resource): Promise<string> => {
  const { accessToken } = await createClient(audience).signIn(['Sign in with Acme', 'Ada Marlow']);
  return accessToken;
};

const call = (token?: string): Promise<Response> =>
  fetch(`${resource}/hello`, { headers: token === undefined ? {} : { authorization: `Bearer ${token}` } });

/** Sends the header twice, on two lines, and returns the status. */
const callTwice = async (token: string): Promise<number | undefined> => {
  const header = ['authorization', `Bearer ${token}`];
  const clientRequest = get(`${resource}/hello`, {
    headers: ['host', new URL(resource).host, ...header, ...header],
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
  const response = await call(await obtainToken());
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
  const preflight = await fetch(`${resource}/hello`, { method: 'OPTIONS', headers });
  expect([preflight.status, preflight.headers.get('access-control-allow-headers')]).toEqual([
    204,
    'Authorization, Content-Type',
  ]);
  for (const { headers } of [await call(), await call(await obtainToken())])
    expect([
      headers.get('access-control-allow-origin'),
      headers.get('access-control-expose-headers'),
    ]).toEqual(['*', 'WWW-Authenticate, Retry-After']);
  expect((await fetch(`${resource}/hello`, { method: 'OPTIONS' })).status).toBe(401);
});

it('refuses a token for another audience', async () => {
  await expectRefused(await call(await obtainToken(otherResource)));
});

it('refuses a token with any character changed', async () => {
  const token = await obtainToken();
  for (const index of [0, 9, Math.floor(token.length / 2), token.length - 2]) {
    const replacement = token[index] === 'A' ? 'B' : 'A';
    await expectRefused(await call(token.slice(0, index) + replacement + token.slice(index + 1)));
  }
});

it('refuses a token that has expired', async () => {
  clockDelay = 1801;
  const token = await obtainToken();
  clockDelay = 0;
  await expectRefused(await call(token));
});

it('refuses a call with two tokens, even if both are the same valid token', async () => {
  const token = await obtainToken();
  expect((await call(token)).status).toBe(200);
  expect(await callTwice(token)).toBe(401);
});

it('refuses a call to another host', async () => {
  const response = await fetch(`${resource.replace('localhost', '127.0.0.1')}/hello`);
  expect(response.status).toBe(421);
});

it('sends no stack trace to the client', async () => {
  const response = await sendMalformedRequest(Number(variables.PORT), '/hello');
  expect(response).toMatch(/^HTTP\/1.1 400 /);
  expect(response).not.toMatch(/server\.ts|node_modules|at \w/);
});

it('has no type errors', async () => {
  expect(await project.run('npm run check')).toContain('tsc');
});

it('gets the keys that the command of the package prints', async () => {
  const command = `npx assistant-auth keys resource ${resource} --issuer ${issuer}`;
  const output = await project.run(command, { SEALING_KEYS: sealingKeys });
  expect(output).toBe(`${variables.RESOURCE_KEYS}\n`);
});

it('does not start with the key ring instead of its keys, and does not print the key ring', async () => {
  const withKeyRing = { ...variables, RESOURCE_KEYS: sealingKeys };
  const error = await project.run('npm start', withKeyRing).catch((thrown: unknown) => Object(thrown));
  expect(error.code).toBe(1);
  expect(error.stderr).toContain('keys must be the derived keys of a resource, not a key ring.');
  expect(error.stdout + error.stderr).not.toContain(sealingKeys.split('.')[1]);
});
