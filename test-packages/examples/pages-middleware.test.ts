/** Runs the example as a Pages project in workerd, from the packed package, with a fake Google provider. */
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type FakeProvider, fakeUsers, findFreePort, startGoogle } from '@words-with-chat/lab';
import { generateKey } from 'assistant-auth/seal';
import { createEmulatedClient, emulateGptAction } from 'assistant-auth/testing';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { installExample, type Project, type RunningCommand, registerClient } from './example.ts';

const generateSecret = () => randomBytes(32).toString('base64url');
const client = { clientId: 'my-gpt', clientSecret: generateSecret() };

let google: FakeProvider;
let project: Project;
let pages: RunningCommand;
let origin: string;

beforeAll(async () => {
  const port = await findFreePort();
  origin = `http://localhost:${port}`;
  const credentials = { clientId: 'site', clientSecret: generateSecret() };
  const redirectUris = [`${origin}/callback/google`];
  google = await startGoogle({ port: await findFreePort(), ...credentials, redirectUris, users: fakeUsers });
  project = await installExample('pages-middleware', inject('clone'));
  const variables = {
    ISSUER: origin,
    SEALING_KEYS: generateKey('test'),
    GPT_CLIENT_SECRET: client.clientSecret,
    GOOGLE_CLIENT_ID: credentials.clientId,
    GOOGLE_CLIENT_SECRET: credentials.clientSecret,
    GOOGLE_BASE_URL: google.issuer,
  };
  const lines = Object.entries(variables).map(([name, value]) => `${name}=${value}\n`);
  writeFileSync(join(project.folder, '.dev.vars'), lines.join(''));
  await project.run('npx wrangler d1 migrations apply DB --local');
  pages = await project.start(`npx wrangler pages dev --port ${port}`, /Ready on /);
});

afterAll(async () => {
  await pages?.stop();
  await google?.close();
});

const callHello = (headers: Readonly<Record<string, string>> = {}) =>
  fetch(`${origin}/api/hello`, { headers });

it('responds to a call without a token with 401 and a challenge', async () => {
  const response = await callHello();
  expect(response.status).toBe(401);
  expect(response.headers.get('www-authenticate')).toBe(
    `Bearer realm="${origin}", scope="hello", resource_metadata="${origin}/.well-known/oauth-protected-resource"`,
  );
  const metadata = await fetch(`${origin}/.well-known/oauth-protected-resource`);
  expect(await metadata.json()).toMatchObject({ resource: origin, authorization_servers: [origin] });
  expect(await response.json()).toMatchObject({ status: 401, detail: 'Sign in to use this API.' });
});

it('lets no other origin call the API, and lets every origin get tokens', async () => {
  const headers = { origin: 'https://app.example', 'access-control-request-method': 'POST' };
  const apiResponse = await fetch(`${origin}/api/hello`, { method: 'OPTIONS', headers });
  expect([apiResponse.status, apiResponse.headers.get('access-control-allow-origin')]).toEqual([401, null]);
  const tokenResponse = await fetch(`${origin}/token`, { method: 'OPTIONS', headers });
  expect([tokenResponse.status, tokenResponse.headers.get('access-control-allow-origin')]).toEqual([
    204,
    '*',
  ]);
});

it('passes the user of a token to the Function, the same user after each sign-in', async () => {
  const gpt = emulateGptAction({ issuer: origin, ...client });
  const bodies = [];
  for (let attempt = 0; attempt < 2; attempt++) {
    const { accessToken } = await gpt.signIn(['Google', fakeUsers[0].email]);
    const response = await callHello({ authorization: `Bearer ${accessToken}` });
    expect(response.status).toBe(200);
    bodies.push(await response.json());
  }
  expect(bodies[0]).toEqual({ hello: expect.stringMatching(/^[\w-]{22}$/), client: 'my-gpt' });
  expect(bodies[1]).toEqual(bodies[0]);
});

it('signs in a client that registers itself, and accepts metadata documents', async () => {
  const redirectUri = 'http://127.0.0.1/callback';
  const clientId = await registerClient(origin, redirectUri);
  const app = createEmulatedClient({ issuer: origin, clientId, redirectUri, scope: 'hello' });
  const { accessToken } = await app.signIn(['Google', fakeUsers[0].email]);
  const response = await callHello({ authorization: `Bearer ${accessToken}` });
  expect(await response.json()).toEqual({ hello: expect.any(String), client: clientId });
  const metadata = await fetch(`${origin}/.well-known/oauth-authorization-server`);
  expect(await metadata.json()).toMatchObject({ client_id_metadata_document_supported: true });
});

it('refuses a token that it did not issue, even at a path without a Function', async () => {
  expect((await callHello({ authorization: 'Bearer AQR0ZXN0' })).status).toBe(401);
  expect((await fetch(`${origin}/api/nothing`)).status).toBe(401);
});

it('has a Function for every endpoint in its metadata', async () => {
  const response = await fetch(`${origin}/.well-known/oauth-authorization-server`);
  const endpoints = Object.entries<unknown>(await response.json())
    .filter(([name]) => name.endsWith('_endpoint'))
    .map(([, endpoint]) => String(endpoint));
  expect(endpoints).toHaveLength(5);
  for (const endpoint of endpoints) {
    const { status, headers } = await fetch(endpoint, { method: 'PUT' });
    expect([endpoint, status, headers.get('allow')]).toEqual([
      endpoint,
      405,
      expect.stringMatching(/GET|POST/),
    ]);
  }
});

it('serves its static files as before', async () => {
  const response = await fetch(origin);
  expect(response.status).toBe(200);
  expect(response.headers.has('access-control-allow-origin')).toBe(false);
  expect(await response.text()).toContain('A site with an API');
});

it('has no type errors', async () => {
  expect(await project.run('npm run check')).toContain('tsc');
});
