/** Tests `npm start -- --origin https://…`: sends requests to the app as a tunnel does. */
import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { findConsecutivePorts } from '@words-with-chat/lab';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningCommand, runCommand, startCommand } from './command.ts';
import { waitUntilReady } from './wait-until-ready.ts';

const origin = 'https://words-tunnel.example';
const host = new URL(origin).host;

let folder: string;
let variables: Readonly<Record<string, string>>;
let port: number;
let fakeProviderPort: number;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'words-with-chat-'));
  port = await findConsecutivePorts(6);
  fakeProviderPort = port + 1;
  variables = {
    PORT: String(port),
    FAKE_PROVIDER_PORT: String(fakeProviderPort),
    LOCAL_DATA_FOLDER: folder,
    VARIABLES_FILE: join(folder, 'variables'),
  };
});

afterAll(() => rm(folder, { recursive: true }));

const credentials = {
  ...{ PUBLISHER_NAME: 'Example Games', CONTACT_EMAIL: 'help@words.example' },
  ...{ GOOGLE_CLIENT_ID: 'words.apps.googleusercontent.com', GOOGLE_CLIENT_SECRET: 'secret' },
};

const start = (extraVariables: Readonly<Record<string, string>>, requestedOrigin = origin): RunningCommand =>
  startCommand('start', { ...variables, ...extraVariables }, { args: ['--origin', requestedOrigin] });

interface ProbeResponse {
  readonly status: number;
  readonly body: string;
}

/**
 * Sends a request as a tunnel does: to loopback, without verifying the certificate, with the public host in
 * the `Host` header.
 */
const get = (path: string, headers: Readonly<Record<string, string>> = { host }): Promise<ProbeResponse> =>
  new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, path, headers, agent: false, rejectUnauthorized: false };
    request(options, async (response) =>
      resolve({ status: response.statusCode ?? 0, body: await text(response) }),
    )
      .once('error', reject)
      .end();
  });

describe('npm start -- --origin, with credentials', () => {
  let running: RunningCommand;
  let summary: string;
  beforeAll(async () => {
    await runCommand('setup', variables, { args: ['--origin', origin] });
    running = start({ ...credentials, ORIGIN: 'https://words.example' });
    summary = await waitUntilReady(running);
  });
  afterAll(async () => {
    running.process.kill('SIGINT');
    expect(await running.finished).toMatchObject({ code: 0 });
  });

  it('prints how to run the tunnel', () => {
    expect(summary).toContain(`cloudflared tunnel --url https://127.0.0.1:${port} --no-tls-verify`);
    expect(summary).toContain(`ngrok http https://127.0.0.1:${port} --url ${origin}`);
  });

  it('responds for the origin, which is its issuer, at the URLs that setup printed', async () => {
    const { status, body } = await get('/.well-known/oauth-authorization-server');
    const metadata = JSON.parse(body);
    const { stdout } = await runCommand('setup', variables);
    expect(status).toBe(200);
    expect(metadata.issuer).toBe(origin);
    expect(stdout).toMatch(new RegExp(`Authorization URL +${metadata.authorization_endpoint}$`, 'm'));
    expect(stdout).toMatch(new RegExp(`Token URL +${metadata.token_endpoint}$`, 'm'));
  });

  it('accepts MCP clients with a metadata document, and those that register themselves', async () => {
    const { body } = await get('/.well-known/oauth-authorization-server');
    expect(JSON.parse(body)).toMatchObject({
      client_id_metadata_document_supported: true,
      registration_endpoint: `${origin}/register`,
    });
    expect(summary).toContain(`\n  MCP server         ${origin}/mcp\n`);
  });

  it('describes the API with the origin as its server', async () => {
    const { body } = await get('/openapi.json');
    expect(JSON.parse(body).servers).toEqual([{ url: origin }]);
  });

  it.each([
    ['loopback', () => ({ host: `127.0.0.1:${port}` })],
    ['localhost', () => ({ host: `localhost:${port}` })],
    ['another host', () => ({ host: 'evil.example' })],
    ['another host that claims to be forwarded', () => ({ host: 'evil.example', 'x-forwarded-host': host })],
  ])('responds with 421 for %s', async (_, headers) => {
    for (const path of ['/.well-known/oauth-authorization-server', '/authorize', '/api/scoring'])
      expect((await get(path, headers())).status).toBe(421);
  });

  it('refuses a redirect URI on loopback, and starts no fake provider', async () => {
    const query = new URLSearchParams({
      response_type: 'code',
      client_id: 'words-gpt',
      redirect_uri: 'http://127.0.0.1:1/aip/g-0123456789abcdef0123456789abcdef/oauth/callback',
      state: 's',
    });
    expect((await get(`/authorize?${query}`)).status).toBe(400);
    await expect(fetch(`http://127.0.0.1:${fakeProviderPort}/`)).rejects.toThrow('fetch failed');
  });

  it('W13.3 has no setup page', async () => {
    for (const path of ['/setup', '/setup.html', '/setup.css']) expect((await get(path)).status).toBe(404);
  });

  it('accepts only TLS connections', async () => {
    await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toThrow('fetch failed');
  });

  // This test must be the last one: stderr is complete only when the command has ended.
  it('says that ORIGIN and FAKE_PROVIDER_PORT are not used', async () => {
    running.process.kill('SIGINT');
    const { stderr } = await running.finished;
    expect(stderr).toContain('ORIGIN=https://words.example is not used: --origin replaces it.');
    expect(stderr).toContain('FAKE_PROVIDER_PORT is not used: with --origin, no fake provider runs.');
  });
});

describe('npm start -- --origin, refused', () => {
  it.each([
    ['without credentials', {}, origin, /^ {2}GOOGLE_CLIENT_ID is missing/m],
    [
      'with half of them',
      { GOOGLE_CLIENT_ID: credentials.GOOGLE_CLIENT_ID },
      origin,
      /^ {2}GOOGLE_CLIENT_SECRET is missing/m,
    ],
    [
      'W13.2 with a fake provider',
      { ...credentials, GOOGLE_BASE_URL: 'http://127.0.0.1:8788' },
      origin,
      /^ {2}GOOGLE_BASE_URL is for a fake provider/m,
    ],
    ['on loopback', credentials, 'http://localhost:8787', /^--origin must be the https URL of a tunnel/],
    ['with a path', credentials, `${origin}/game`, /^--origin must be an https origin without a path/],
  ])('%s: does not start', async (_, extraVariables, requestedOrigin, message) => {
    const { code, stdout, stderr } = await start(extraVariables, requestedOrigin).finished;
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(message);
  });
});
