/**
 * Runs the commands in the READMEs of the examples that start from an empty folder, and signs a user in to the
 * result.
 */
import { findFreePort } from '@words-with-chat/lab';
import { createEmulatedClient } from 'assistant-auth/testing';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { installExample, type Project, type RunningCommand } from './example.ts';

const clone = inject('clone');

/** The line that an app prints when it listens. */
const examples = [
  ['node-express', /^The account page:/],
  ['workers-hono', /Ready on /],
] as const;

describe.each(examples)('%s', (name, readyLine) => {
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
    variables = { PORT: port };
    issuer = `http://localhost:${port}`;
    project = await installExample(name, clone);
    await startApp();
  });

  afterAll(async () => {
    await app?.stop();
  });

  const createClient = () =>
    createEmulatedClient({
      ...{ issuer, clientId: 'my-client', redirectUri: 'http://127.0.0.1/callback' },
      scope: 'hello offline_access',
    });

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
      'Refreshed after revocation: 400 invalid_grant',
    ]);
  });

  it('refuses calls without a token, at paths that do not exist too, and every other host', async () => {
    for (const path of ['/api/hello', '/api/nothing']) {
      const { status, headers } = await fetch(issuer + path);
      expect([status, headers.get('www-authenticate')]).toEqual([
        401,
        `Bearer realm="${issuer}", scope="hello"`,
      ]);
    }
    const otherHost = issuer.replace('localhost', '127.0.0.1');
    expect((await fetch(`${otherHost}/authorize`)).status).toBe(421);
  });

  it('lets no other origin call the API', async () => {
    const headers = { origin: 'https://app.example', 'access-control-request-method': 'GET' };
    const response = await fetch(`${issuer}/api/hello`, { method: 'OPTIONS', headers });
    expect([response.status, response.headers.get('access-control-allow-origin')]).toEqual([401, null]);
  });

  it('recognizes its tokens and users after a restart', async () => {
    const client = createClient();
    const { accessToken, refreshToken = '' } = await client.signIn(['Continue with Acme', 'Bruno Castell']);
    const call = async (token: string) => (await client.call(`${issuer}/api/hello`, token)).json();
    const before = await call(accessToken);
    await app.stop();
    await startApp();
    expect(await call(accessToken)).toEqual(before);
    expect(await client.refresh(refreshToken)).toMatchObject({ kind: 'tokens' });
    expect(await call((await client.signIn(['Continue with Acme', 'Bruno'])).accessToken)).toEqual(before);
    expect(await call((await client.signIn(['Continue with Acme', 'Chiyo'])).accessToken)).not.toEqual(
      before,
    );
  });
});

it('node-express does not start in production with a variable missing', async () => {
  const project = await installExample('node-express', clone);
  const variables = {
    ISSUER: 'https://words.example',
    SEALING_KEYS: (await project.run('npx assistant-auth keys')).trim(),
    GOOGLE_CLIENT_ID: 'id',
    PORT: String(await findFreePort()),
  };
  await expect(project.run('npm start', variables)).rejects.toThrow(/providers\.google\.clientSecret/);
  const complete = { ...variables, GOOGLE_CLIENT_SECRET: 'secret' };
  const app = await project.start('npm start', /^listening on port/, complete);
  await app.stop();
});

it('workers-hono is deployed without the fake provider', async () => {
  const project = await installExample('workers-hono', clone);
  await project.run('npx wrangler deploy --dry-run --outdir bundle');
  expect(await project.run('grep -c google.com bundle/*.js')).toMatch(/[1-9]/);
  expect(await project.run('grep -c fake-provider bundle/*.js || true')).toBe('0\n');
});
