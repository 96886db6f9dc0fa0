/**
 * Tests the app's variables in the environment of `npm start`: it uses every variable, or prints why it does
 * not.
 */
import { rm } from 'node:fs/promises';
import {
  buildGptCallbackUrl,
  type FakeProvider,
  fakeUsers,
  findFreePort,
  startGoogle,
} from '@words-with-chat/lab';
import { generateKey } from 'assistant-auth/seal';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readEnvironmentVariables } from '../../scripts/app/variables.ts';
import { deploymentVariableNames } from '../../scripts/environment/deployment.ts';
import { createLocalApp, type RunningCommand, runCommand, startCommand } from './command.ts';
import { waitUntilReady } from './wait-until-ready.ts';

type Variables = Readonly<Record<string, string>>;

let folder: string;
let port: number;
let variables: Variables;

beforeAll(async () => {
  ({ folder, port, variables } = await createLocalApp());
});

afterAll(() => rm(folder, { recursive: true }));

const secret = 'kOGm3x_6VEKfHIHYUW1uecf9by3yQV86t5SzTcgOQHQ';
const google = { GOOGLE_CLIENT_ID: 'id', GOOGLE_CLIENT_SECRET: secret };
const github = { GITHUB_CLIENT_ID: 'id', GITHUB_CLIENT_SECRET: secret };
const microsoft = { MICROSOFT_CLIENT_ID: 'id', MICROSOFT_CLIENT_SECRET: secret };
const apple = { APPLE_CLIENT_ID: 'id', APPLE_TEAM_ID: 'ABCDE12345', APPLE_KEY_ID: 'ABCDE12345' };

/** For every variable except `ORIGIN`: an environment with a wrong value, and the expected message. */
const wrongValues: Readonly<Record<string, readonly [Variables, RegExp]>> = {
  PUBLISHER_NAME: [{ PUBLISHER_NAME: 'a\u202eb' }, /^ {2}PUBLISHER_NAME must be a name on one line/m],
  CONTACT_EMAIL: [{ CONTACT_EMAIL: 'you@example.com' }, /^ {2}CONTACT_EMAIL must be an address that /m],
  SEALING_KEYS: [{ SEALING_KEYS: 'key' }, /^ {2}SEALING_KEYS must be keys /m],
  DAILY_SECRET: [{ DAILY_SECRET: 'word' }, /^ {2}DAILY_SECRET must be 43 characters of base64url/m],
  GPT_CLIENT_ID: [{ GPT_CLIENT_ID: 'a:b' }, /^ {2}GPT_CLIENT_ID must be 1 to 200 printable ASCII /m],
  GPT_CLIENT_SECRET: [{ GPT_CLIENT_SECRET: 'short' }, /^ {2}GPT_CLIENT_SECRET must /m],
  GPT_IDS: [{ GPT_IDS: 'words' }, /^ {2}GPT_IDS must be GPT IDs/m],
  GPT_URL: [{ GPT_URL: 'https://evil.example/g/g-1' }, /^ {2}GPT_URL must be the URL of the GPT/m],
  GOOGLE_CLIENT_ID: [{ GOOGLE_CLIENT_ID: 'id' }, /^ {2}GOOGLE_CLIENT_SECRET is missing: GOOGLE_CLIENT_ID/m],
  GOOGLE_CLIENT_SECRET: [{ GOOGLE_CLIENT_SECRET: secret }, /^ {2}GOOGLE_CLIENT_ID is missing: /m],
  GITHUB_CLIENT_ID: [{ GITHUB_CLIENT_ID: 'id' }, /^ {2}GITHUB_CLIENT_SECRET is missing: GITHUB_CLIENT_ID/m],
  GITHUB_CLIENT_SECRET: [{ GITHUB_CLIENT_SECRET: secret }, /^ {2}GITHUB_CLIENT_ID is missing: /m],
  MICROSOFT_CLIENT_ID: [{ MICROSOFT_CLIENT_ID: 'id' }, /^ {2}MICROSOFT_CLIENT_SECRET is missing: /m],
  MICROSOFT_CLIENT_SECRET: [{ MICROSOFT_CLIENT_SECRET: secret }, /^ {2}MICROSOFT_CLIENT_ID is missing: /m],
  MICROSOFT_TENANT: [{ ...microsoft, MICROSOFT_TENANT: 'a/b' }, /^ {2}MICROSOFT_TENANT must /m],
  APPLE_CLIENT_ID: [{ APPLE_CLIENT_ID: 'id' }, /^ {2}APPLE_TEAM_ID is missing: APPLE_CLIENT_ID/m],
  APPLE_TEAM_ID: [{ APPLE_TEAM_ID: 'ABCDE12345' }, /^ {2}APPLE_CLIENT_ID is missing: /m],
  APPLE_KEY_ID: [{ APPLE_KEY_ID: 'ABCDE12345' }, /^ {2}APPLE_CLIENT_ID is missing: /m],
  APPLE_PRIVATE_KEY: [{ ...apple, APPLE_PRIVATE_KEY: 'key' }, /^ {2}APPLE_PRIVATE_KEY must /m],
  OIDC_PROVIDERS: [{ OIDC_PROVIDERS: '[{"id":1}]' }, /^ {2}OIDC_PROVIDERS\b/m],
  AUDIT_DAYS: [{ AUDIT_DAYS: '0' }, /^ {2}AUDIT_DAYS must be a whole number of days/m],
  GOOGLE_BASE_URL: [{ ...google, GOOGLE_BASE_URL: 'https://evil.example' }, /^ {2}GOOGLE_BASE_URL must /m],
  GITHUB_BASE_URL: [{ ...github, GITHUB_BASE_URL: 'http://127.0.0.1/x' }, /^ {2}GITHUB_BASE_URL must /m],
  MICROSOFT_BASE_URL: [{ ...microsoft, MICROSOFT_BASE_URL: 'x' }, /^ {2}MICROSOFT_BASE_URL must /m],
  APPLE_BASE_URL: [{ APPLE_BASE_URL: 'http://127.0.0.1:1' }, /^ {2}APPLE_CLIENT_ID is missing: /m],
  MCP_CLIENTS: [{ MCP_CLIENTS: 'off' }, /^ {2}MCP_CLIENTS must be all, metadata-documents, /m],
  STATIC_CLIENTS: [{ STATIC_CLIENTS: '[' }, /^ {2}STATIC_CLIENTS must be valid JSON/m],
};

describe('npm start, with a wrong value', () => {
  it('is tested for every variable of a deployment', () => {
    const names = deploymentVariableNames.filter((name) => name !== 'ORIGIN');
    expect(Object.keys(wrongValues).sort()).toEqual(names.sort());
  });

  it.each(Object.entries(wrongValues))(
    'of %s: names it, and does not start',
    async (_, [environment, message]) => {
      const { code, stderr } = await runCommand('start', { ...variables, ...environment });
      expect(code).toBe(1);
      expect(stderr).toMatch(/^The app cannot start with the environment variables:$/m);
      expect(stderr).toMatch(message);
      expect(stderr).not.toContain(secret);
    },
  );

  it('of two variables: names both', async () => {
    const { stderr } = await runCommand('start', { ...variables, AUDIT_DAYS: '0', STATIC_CLIENTS: '{}' });
    expect(stderr).toMatch(/^ {2}AUDIT_DAYS /m);
    expect(stderr).toMatch(/^ {2}STATIC_CLIENTS /m);
  });

  it.each(['STATIC_CLIENTS', 'AUDIT_DAYS'])('of %s: npm run demo names it, too', async (name) => {
    const { code, stderr } = await runCommand('demo', { ...variables, [name]: 'x' });
    expect(code).toBe(1);
    expect(stderr).toMatch(new RegExp(`^ {2}${name} must `, 'm'));
  });
});

it('treats an empty variable as not set', () => {
  const environment = {
    STATIC_CLIENTS: '',
    AUDIT_DAYS: ' ',
    GPT_URL: 'https://chatgpt.com/g/g-1',
    PATH: '/bin',
  };
  expect(readEnvironmentVariables(environment)).toEqual({ GPT_URL: environment.GPT_URL });
});

describe.each([
  ['as a Worker', []],
  ['as a Pages project', ['--pages']],
])('npm start, %s, with variables', (_, args) => {
  const gptIds = ['g-5f0c1d2e3b4a59687786a5b4c3d2e1f0', 'g-0123456789abcdef0123456789abcdef'];
  let environment: Variables;
  let fakeGoogle: FakeProvider;
  let running: RunningCommand;
  let summary: string;

  const origin = (): string => `http://localhost:${port}`;
  const authorize = (clientId: string, redirectUri: string): Promise<Response> => {
    const query = new URLSearchParams({
      client_id: clientId,
      redirect_uri: redirectUri,
      response_type: 'code',
    });
    const extraParameters = { state: 's', code_challenge: 'c'.repeat(43), code_challenge_method: 'S256' };
    for (const [name, value] of Object.entries(extraParameters)) query.set(name, value);
    return fetch(`${origin()}/authorize?${query}`);
  };

  beforeAll(async () => {
    const credentials = { clientId: 'site', clientSecret: secret };
    const redirectUris = [`${origin()}/callback/google`];
    fakeGoogle = await startGoogle({
      port: await findFreePort(),
      ...credentials,
      redirectUris,
      users: fakeUsers,
    });
    environment = {
      ORIGIN: 'https://words.example',
      SEALING_KEYS: generateKey('envkey'),
      DAILY_SECRET: secret,
      GPT_CLIENT_ID: 'my-gpt',
      // While the secret is being replaced, there are two. The first one is the new one.
      GPT_CLIENT_SECRET: `${secret}-new ${secret}-old`,
      GPT_IDS: gptIds.join(' '),
      GPT_URL: 'https://chatgpt.com/g/g-68f0c2a1b4d8-words',
      GOOGLE_CLIENT_ID: credentials.clientId,
      GOOGLE_CLIENT_SECRET: credentials.clientSecret,
      GOOGLE_BASE_URL: fakeGoogle.issuer,
      ...microsoft,
      MICROSOFT_TENANT: 'organizations',
      OIDC_PROVIDERS: JSON.stringify([
        {
          id: 'acme',
          displayName: 'Example login',
          issuer: 'http://127.0.0.1:1',
          clientId: 'c',
          clientSecret: secret,
        },
      ]),
      AUDIT_DAYS: '7',
      MCP_CLIENTS: 'registration',
      STATIC_CLIENTS: JSON.stringify([
        { id: 'my-app', name: `O'Hara's "$HOME" \\n app`, redirectUris: ['https://app.example/callback'] },
      ]),
    };
    running = startCommand('start', { ...variables, ...environment, VARIABLES_FILE: '/nowhere' }, { args });
    summary = await waitUntilReady(running);
  });

  afterAll(async () => {
    running.process.kill('SIGINT');
    await running.finished;
    await fakeGoogle.close();
  });

  it('lists the variables of the environment, and runs no fake provider for providers among them', () => {
    const { ORIGIN: _, ...usedVariables } = environment;
    const [, names = ''] = /^ {2}Environment {8}sets (.*)$/m.exec(summary) ?? [];
    expect(names.split(', ').sort()).toEqual(Object.keys(usedVariables).sort());
    expect(summary).toMatch(/in place of GitHub$/m);
    expect(summary).toMatch(/in place of Apple$/m);
    expect(summary).not.toMatch(/in place of (Google|Microsoft|Acme)$/m);
    expect(summary).toContain('my-gpt, its secret in GPT_CLIENT_SECRET');
  });

  it('uses STATIC_CLIENTS, even if it contains quotes and backslashes', async () => {
    const page = await authorize('my-app', 'https://app.example/callback');
    expect(page.status).toBe(200);
    expect(await page.text()).toContain('O&#39;Hara&#39;s &quot;$HOME&quot; \\n app');
  });

  it('uses MCP_CLIENTS', async () => {
    const metadata = await (await fetch(`${origin()}/.well-known/oauth-authorization-server`)).json();
    expect(metadata).toMatchObject({ registration_endpoint: `${origin()}/register` });
    expect(metadata).not.toHaveProperty('client_id_metadata_document_supported');
  });

  it('uses GPT_IDS, and offers the providers of the environment', async () => {
    const page = await authorize('my-gpt', buildGptCallbackUrl(gptIds[1] ?? ''));
    const body = await page.text();
    expect(page.status).toBe(200);
    for (const label of ['Google', 'GitHub', 'Microsoft', 'Apple', 'Example login'])
      expect(body).toContain(label);
    expect(body).not.toContain('Acme');
    const otherPage = await authorize('my-gpt', buildGptCallbackUrl('g-00000000000000000000000000000000'));
    expect(otherPage.status).toBe(400);
  });

  it('uses GPT_URL and AUDIT_DAYS in its pages', async () => {
    const { GPT_URL } = environment;
    expect(await (await fetch(origin())).text()).toContain(`href="${GPT_URL}"`);
    expect(await (await fetch(`${origin()}/privacy`)).text()).toContain('7 days');
  });

  it('uses SEALING_KEYS, the GPT’s credentials and Google’s, as npm run demo does', async () => {
    const demo = await runCommand('demo', { ...variables, ...environment });
    expect(demo).toMatchObject({ code: 0, stderr: '' });
    expect(demo.stdout).toContain('score: ');
    // A sealed token starts with its version, and the length and the ID of its key.
    const prefix = Buffer.concat([Buffer.from([1, 6]), Buffer.from('envkey')]).toString('base64url');
    expect(demo.stdout).toContain(`Bearer ${prefix.slice(0, 6)}`);
  });

  // This test must be the last one: stderr is complete only when the command has ended.
  it('says that ORIGIN and VARIABLES_FILE are not used', async () => {
    const metadata = await (await fetch(`${origin()}/.well-known/oauth-authorization-server`)).json();
    expect(metadata).toMatchObject({ issuer: origin() });
    running.process.kill('SIGINT');
    const { code, stderr } = await running.finished;
    expect(code).toBe(0);
    expect(stderr).toContain(`ORIGIN is not used: npm start runs the app at ${origin()}.`);
    expect(stderr).toContain('VARIABLES_FILE is not used: ');
  });
});
