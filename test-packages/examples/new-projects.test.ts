/**
 * Runs the commands in the READMEs of the examples that start from an empty folder, and signs a user in to the
 * result.
 */
import { once } from 'node:events';
import { readFileSync, statSync } from 'node:fs';
import { get, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';
import { join } from 'node:path';
import { findFreePort } from '@words-with-chat/lab';
import { generateKey } from 'assistant-auth/seal';
import { createEmulatedClient } from 'assistant-auth/testing';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import {
  installExample,
  type Project,
  type RunningCommand,
  registerClient,
  sendMalformedRequest,
} from './example.ts';

const clone = inject('clone');

/** A key ring in the environment of the examples, such as that of a deployment. */
const environmentRing = generateKey('deployment');

/** For each example, the line that it prints when it listens, and its files with secrets or personal data. */
const examples = [
  ['node-express', /^The account page:/, ['.env', 'auth.db', 'auth.db-wal']],
  ['workers-hono', /Ready on /, ['.dev.vars']],
] as const;

describe.each(examples)('%s', (name, readyLine, privateFiles) => {
  let project: Project;
  let app: RunningCommand;
  let variables: Readonly<Record<string, string>>;
  let issuer: string;

  const startApp = async (): Promise<void> => {
    const [start = ''] = project.commands;
    app = await project.start(start, readyLine, variables);
  };

  beforeAll(async () => {
    const port = String(await findFreePort());
    variables = { PORT: port, SEALING_KEYS: environmentRing };
    issuer = `http://localhost:${port}`;
    project = await installExample(name, clone);
    await startApp();
  });

  afterAll(async () => {
    await app?.stop();
  });

  const redirectUri = 'http://127.0.0.1/callback';

  const createClient = (clientId = 'my-client') =>
    createEmulatedClient({ issuer, clientId, redirectUri, scope: 'hello offline_access' });

  /** Sends a request with a `Host` header, which `fetch` does not allow. */
  const send = async (path: string, headers: OutgoingHttpHeaders): Promise<IncomingMessage> => {
    const [response]: IncomingMessage[] = await once(
      get(issuer + path, { headers, agent: false }),
      'response',
    );
    if (response === undefined) throw new Error('no response');
    return response.resume();
  };

  it('has one command to install it, one to start it, and no type errors', async () => {
    expect(project.commands).toEqual(['npm run dev']);
    expect(await project.run('npm run check')).toContain('tsc');
  });

  it('signs in with its own client', async () => {
    const output = await project.run('npm run --silent client', variables);
    expect(output.split('\n').filter((line) => line !== '' && !line.startsWith('{'))).toEqual([
      expect.stringMatching(/^An invalid token: 401 .*"The access token is not valid."/),
      expect.stringMatching(/^Signed in: 200 \{"user":"[\w-]{22}","client":"my-client"\}$/),
      expect.stringMatching(/^Refreshed: 200 \{"user":"[\w-]{22}","client":"my-client"\}$/),
      'Refresh after revocation: 400 invalid_grant',
    ]);
  });

  it('signs in a client that registers itself, and accepts metadata documents', async () => {
    const clientId = await registerClient(issuer, redirectUri);
    const client = createClient(clientId);
    const { accessToken } = await client.signIn(['Sign in with Acme', 'Ada Marlow']);
    const response = await client.call(`${issuer}/api/hello`, accessToken);
    expect([response.status, await response.json()]).toEqual([
      200,
      { user: expect.any(String), client: clientId },
    ]);
    const metadata = await fetch(`${issuer}/.well-known/oauth-authorization-server`);
    expect(await metadata.json()).toMatchObject({ client_id_metadata_document_supported: true });
  });

  it('refuses calls without a token, even for paths that do not exist', async () => {
    for (const path of ['/api/hello', '/api/nothing', '/api']) {
      const { status, headers } = await fetch(issuer + path);
      expect([status, headers.get('www-authenticate')]).toEqual([
        401,
        `Bearer realm="${issuer}", scope="hello", resource_metadata="${issuer}/.well-known/oauth-protected-resource"`,
      ]);
    }
  });

  it('refuses every other host, even for a call with a token', async () => {
    const { accessToken } = await createClient().signIn(['Sign in with Acme', 'Ada Marlow']);
    const authorization = `Bearer ${accessToken}`;
    const host = new URL(issuer).host.replace('localhost', '127.0.0.1');
    expect((await send('/api/hello', { authorization })).statusCode).toBe(200);
    expect((await send('/api/hello', { authorization, host })).statusCode).toBe(421);
    expect((await send('/authorize', { host })).statusCode).toBe(421);
  });

  it('lets no other origin call the API', async () => {
    const headers = { origin: 'https://app.example', 'access-control-request-method': 'GET' };
    const response = await fetch(`${issuer}/api/hello`, { method: 'OPTIONS', headers });
    expect([response.status, response.headers.get('access-control-allow-origin')]).toEqual([401, null]);
  });

  it('accepts tokens and recognizes users from before a restart', async () => {
    const client = createClient();
    const { accessToken, refreshToken = '' } = await client.signIn(['Sign in with Acme', 'Bruno Castell']);
    const call = async (token: string) => (await client.call(`${issuer}/api/hello`, token)).json();
    const before = await call(accessToken);
    await app.stop();
    await startApp();
    expect(await call(accessToken)).toEqual(before);
    expect(await client.refresh(refreshToken)).toMatchObject({ kind: 'tokens' });
    expect(await call((await client.signIn(['Sign in with Acme', 'Bruno'])).accessToken)).toEqual(before);
    expect(await call((await client.signIn(['Sign in with Acme', 'Chiyo'])).accessToken)).not.toEqual(before);
  });

  it('creates files with secrets or personal data that only this user can read', async () => {
    for (const file of privateFiles)
      expect([file, statSync(join(project.folder, file)).mode & 0o777]).toEqual([file, 0o600]);
  });

  it('creates its own key ring once, and ignores one in the environment', async () => {
    const read = () => readFileSync(join(project.folder, privateFiles[0]), 'utf8');
    const file = read();
    expect(file).toMatch(/^SEALING_KEYS=[a-z0-9-]+\.[\w-]{43}\n$/);
    expect(file).not.toContain(environmentRing);
    await project.run('npm run setup', variables);
    expect(read()).toBe(file);
  });
});

it('node-express in production names a missing variable, and sends no stack trace', async () => {
  const project = await installExample('node-express', clone);
  const port = await findFreePort();
  const variables = {
    ISSUER: 'https://words.example',
    SEALING_KEYS: (await project.run('npx assistant-auth keys')).trim(),
    GOOGLE_CLIENT_ID: 'id',
    PORT: String(port),
  };
  const start = (changes: Readonly<Record<string, string>>): Promise<RunningCommand> =>
    project.start('npm start', /^listening on port/, { ...variables, ...changes });
  await expect(start({})).rejects.toThrow('providers.google.clientSecret');
  const complete = { GOOGLE_CLIENT_SECRET: 'secret' };
  await expect(start({ ...complete, SEALING_KEYS: '' })).rejects.toThrow('sealingKeys');
  await expect(start({ ...complete, ISSUER: '' })).rejects.toThrow('issuer');
  const app = await start(complete);
  const response = await sendMalformedRequest(port, '/api/hello');
  expect(response).toMatch(/^HTTP\/1.1 400 /);
  expect(response).not.toMatch(/app\.ts|node_modules|at \w/);
  await app.stop();
});

it('workers-hono is deployed without the fake provider', async () => {
  const project = await installExample('workers-hono', clone);
  await project.run('npx wrangler deploy --dry-run --outdir bundle');
  expect(await project.run('grep -c google.com bundle/*.js')).toMatch(/[1-9]/);
  expect(await project.run('grep -c fake-provider bundle/*.js || true')).toBe('0\n');
});
