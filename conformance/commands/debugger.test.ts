/**
 * Tests what `npm start` and the other commands open on this machine besides the app: no debugger, no control
 * endpoint, and no file that other users can read.
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findConsecutivePorts, findFreePort } from '@words-with-chat/lab';
import { generateKey } from 'assistant-auth/seal';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startWorkerd } from '../../bench/workerd.ts';
import { wranglerConfig } from '../../scripts/app/paths.ts';
import { openLocalD1 } from '../../scripts/database/local-d1.ts';
import { type RunningCommand, runCommand, startCommand } from './command.ts';
import { findDebuggerSigns, listOpenPorts, listProcessTree, sendProbe, upgrade } from './open-ports.ts';
import { waitUntilReady } from './wait-until-ready.ts';

const origin = 'https://words-tunnel.example';
const googleSecret = 'a-secret-that-nobody-else-has';
const credentials = {
  GOOGLE_CLIENT_ID: 'words.apps.googleusercontent.com',
  GOOGLE_CLIENT_SECRET: googleSecret,
};

let folder: string;
let port: number;
let variables: Readonly<Record<string, string>>;

const prepare = async (): Promise<void> => {
  folder = await mkdtemp(join(tmpdir(), 'words-with-chat-'));
  port = await findConsecutivePorts(6);
  variables = { PORT: String(port), FAKE_PROVIDER_PORT: String(port + 1), LOCAL_DATA_FOLDER: folder };
};

const start = (args: readonly string[], more: Readonly<Record<string, string>> = {}): RunningCommand =>
  startCommand('start', { ...variables, ...more }, { args });

const pidOf = ({ process: { pid } }: RunningCommand): number => {
  if (pid === undefined) throw new Error('the command did not start');
  return pid;
};

const stop = async (running: RunningCommand): Promise<void> => {
  running.process.kill('SIGINT');
  expect(await running.finished).toMatchObject({ code: 0 });
};

const signsOn = async (ports: readonly number[]): Promise<readonly string[]> =>
  (await Promise.all(ports.map(findDebuggerSigns))).flat();

const texts = async (): Promise<readonly (readonly [string, string])[]> => {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Promise.all(files.map(async (file) => [file, await readFile(file, 'latin1')] as const));
};

const filesWith = async (sought: string): Promise<readonly string[]> =>
  (await texts()).filter(([, content]) => content.includes(sought)).map(([file]) => file);

describe.each([
  ['a Worker', [], 'http:'],
  ['a Pages project', ['--pages'], 'http:'],
  ['a Worker behind a tunnel', ['--origin', origin], 'https:'],
  ['a Pages project behind a tunnel', ['--pages', '--origin', origin], 'https:'],
])('npm start, as %s', (_, args, protocol) => {
  const isTunneled = args.includes('--origin');
  const hosts = (): readonly string[] =>
    isTunneled ? [new URL(origin).host, `localhost:${port}`] : [`localhost:${port}`, `127.0.0.1:${port}`];
  let more: Readonly<Record<string, string>> = {};
  let secrets: readonly string[] = [];
  let running: RunningCommand;

  beforeAll(async () => {
    await prepare();
    if (isTunneled) {
      more = { ...credentials, VARIABLES_FILE: join(folder, 'variables') };
      await runCommand('setup', { ...variables, ...more }, { args: ['--origin', origin] });
    }
    running = start(args, more);
    await waitUntilReady(running);
    secrets = isTunneled
      ? [googleSecret]
      : Object.values<string>(JSON.parse(await readFile(join(folder, 'settings.json'), 'utf8'))).filter(
          (value) => value.length > 20,
        );
  });

  afterAll(async () => {
    running.process.kill('SIGINT');
    await running.finished;
    await rm(folder, { recursive: true });
  });

  it('W16.1 opens no debugger on any port of any process', async () => {
    const ports = listOpenPorts(pidOf(running)).map((open) => open.port);
    // Otherwise, no process or port was found, and the test would prove nothing.
    expect(ports).toContain(port);
    expect(await signsOn(ports)).toEqual([]);
  });

  it('W16.2 listens on loopback only', () => {
    const addresses = listOpenPorts(pidOf(running)).map(({ address }) => address);
    expect(new Set(addresses)).toEqual(new Set(['127.0.0.1']));
  });

  it('W16.3 passes no secret as an argument', () => {
    const commands = listProcessTree(pidOf(running)).map(({ command }) => command);
    expect(commands.some((command) => command.includes('workerd serve'))).toBe(true);
    for (const secret of secrets) for (const command of commands) expect(command).not.toContain(secret);
    expect(secrets).not.toEqual([]);
  });

  it('W16.3 writes secrets only to the file that only its owner can read', async () => {
    const kept = isTunneled ? [] : [join(folder, 'settings.json')];
    for (const secret of secrets) expect(await filesWith(secret)).toEqual(kept);
    expect(await filesWith('Words With Chat')).not.toEqual([]);
  });

  it.each([
    ['the explorer of the database', 'GET', '/cdn-cgi/explorer', {}],
    ['the explorer of the database', 'GET', '/cdn-cgi/local/explorer', {}],
    ['the explorer’s API', 'GET', '/cdn-cgi/local/explorer/api/d1/database', {}],
    ['the cleanup', 'GET', '/cdn-cgi/local/scheduled', {}],
    ['the cleanup', 'GET', '/cdn-cgi/handler/scheduled', {}],
    ['the cleanup', 'GET', '/cdn-cgi/mf/scheduled?cron=17+*+*+*+*', {}],
    ['the cleanup', 'POST', '/cdn-cgi/handler/scheduled', {}],
    ['an email', 'POST', '/cdn-cgi/local/email?from=a@b.example&to=c@d.example', {}],
    ['the bindings', 'GET', '/cdn-cgi/local/platform-proxy', {}],
    ['the bindings', 'GET', '/cdn-cgi/local/platform-proxy', { 'mf-op': 'GET', 'mf-op-target': '[0]' }],
    ['the development server', 'GET', '/cdn-cgi/ProxyWorker/pause', {}],
    ['images', 'GET', '/__cf_local/imagedelivery/x', {}],
    ['videos', 'GET', '/__cf_local/stream/x', {}],
  ])('W16.4 does not let web pages access %s: %s %s', async (_, method, path, headers) => {
    // The request for an image, or after a click on a link, has no Origin header.
    for (const from of [undefined, 'https://evil.example', `http://127.0.0.1:${port + 1}`, 'null']) {
      for (const host of hosts()) {
        const origins = from === undefined ? {} : { origin: from };
        const answer = await sendProbe(protocol, port, path, { ...headers, ...origins, host }, method);
        expect(answer.status, `${host}, from ${from}`).toBeGreaterThanOrEqual(400);
      }
    }
    // The app is still running.
    const [host = ''] = hosts();
    const metadata = await sendProbe(protocol, port, '/.well-known/oauth-authorization-server', { host });
    expect(metadata.status).toBe(200);
  });

  it('W16.4 upgrades no connection to a WebSocket of the app', async () => {
    for (const path of ['/', '/token', '/cdn-cgi/local/explorer', '/cdn-cgi/InspectorProxyWorker/websocket'])
      for (const host of hosts())
        expect((await sendProbe(protocol, port, path, { ...upgrade, host })).status).not.toBe(101);
  });

  // The tests below stop the system.
  it('W16.3 keeps no authorization code of a request in its data folder', async () => {
    const code = `code-${crypto.randomUUID()}`;
    const [host = ''] = hosts();
    expect((await sendProbe(protocol, port, `/callback/google?code=${code}&state=s`, { host })).status).toBe(
      400,
    );
    await stop(running);
    expect(await filesWith(code)).toEqual([]);
    // Otherwise, no file was searched, and the test would prove nothing.
    expect(await filesWith('Words With Chat')).not.toEqual([]);
  });

  it('W16.1 opens a debugger on loopback if --inspect is passed, and prints its URL', async () => {
    running = start([...args, '--inspect'], more);
    const summary = await waitUntilReady(running);
    const open = listOpenPorts(pidOf(running));
    expect(new Set(open.map(({ address }) => address))).toEqual(new Set(['127.0.0.1']));
    const said = /Debugger +http:\/\/127\.0\.0\.1:(\d+)\/$/m.exec(summary);
    const at = Number(said?.[1]);
    expect(open.map((one) => one.port)).toContain(at);
    expect(await findDebuggerSigns(at)).toEqual(
      expect.arrayContaining([`${at} GET /json`, `${at} GET /json/version`, `${at} WebSocket /ws`]),
    );
  });
});

describe('npm start', () => {
  beforeEach(prepare);
  afterEach(() => rm(folder, { recursive: true, maxRetries: 10 }));

  it.each([
    ['a Worker', []],
    ['a Pages project', ['--pages']],
  ])('stops every process that it started if it is killed, as %s', async (_, args) => {
    const running = start(args);
    await waitUntilReady(running);
    const ports = listOpenPorts(pidOf(running)).map((open) => open.port);
    expect(ports).toContain(port);
    const connections = await Promise.all(ports.map(opened));
    const closed = connections.map(closing);
    running.process.kill('SIGKILL');
    await Promise.all(closed);
    // A process can close its connections shortly before it stops listening.
    for (const one of ports) await expect.poll(() => probe(one), { timeout: 60_000 }).toBe('ECONNREFUSED');
  });
});

/** Returns the error code of a connection attempt, or `connected`. */
const probe = async (at: number): Promise<unknown> => {
  try {
    (await opened(at)).destroy();
    return 'connected';
  } catch (error) {
    return Object(error).code;
  }
};

const opened = async (at: number): Promise<Socket> => {
  const connection = connect(at, '127.0.0.1');
  await once(connection, 'connect');
  // The killed process resets its connections.
  return connection.on('error', () => {});
};

describe('npm run bench', () => {
  it('W16.1 runs workerd without a debugger', async () => {
    const at = await findFreePort();
    const before = new Set(listOpenPorts(process.pid).map((open) => open.port));
    const bindings = {
      ISSUER: `http://127.0.0.1:${at}`,
      SEALING_KEYS: generateKey('bench', drawBytes),
      CLIENT_SECRET: 'x'.repeat(43),
    };
    const workerd = await startWorkerd(
      fileURLToPath(new URL('../../bench/worker.ts', import.meta.url)),
      at,
      bindings,
    );
    const fresh = listOpenPorts(process.pid)
      .map((open) => open.port)
      .filter((one) => !before.has(one));
    expect(fresh).toEqual([at]);
    expect(await signsOn(fresh)).toEqual([]);
    await workerd.stop();
  });
});

describe('npm run admin', () => {
  it('W16.1 opens the local database without a debugger, and listens on loopback only', async () => {
    await prepare();
    const stateFolder = join(folder, 'state');
    const before = new Set(listOpenPorts(process.pid).map((open) => open.port));
    const { close } = await openLocalD1({ config: wranglerConfig, dataFolder: folder, stateFolder });
    const fresh = listOpenPorts(process.pid).filter((open) => !before.has(open.port));
    expect(new Set(fresh.map(({ address }) => address))).toEqual(new Set(['127.0.0.1']));
    expect(await signsOn(fresh.map((open) => open.port))).toEqual([]);
    await close();
    await rm(folder, { recursive: true });
  });
});

const closing = (connection: Socket): Promise<void> =>
  new Promise((resolve) => connection.once('close', () => resolve()));

const drawBytes = (length: number): Uint8Array<ArrayBuffer> => Uint8Array.from(randomBytes(length));
