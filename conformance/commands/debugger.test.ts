/**
 * Tests that `npm start` and the other commands expose nothing but the app on this machine: no debugger, no
 * control endpoint, and no file with secrets that other users can read.
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findConsecutivePorts, findFreePort } from '@words-with-chat/lab';
import { generateKey } from 'assistant-auth/seal';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startWorkerd } from '../../bench/workerd.ts';
import { openDatabase } from '../../packages/assistant-auth/src/cli/database/database.ts';
import { describeLocalDatabase } from '../../scripts/database/database.ts';
import { type RunningCommand, runCommand, startCommand } from './command.ts';
import {
  findDebuggerSigns,
  listOpenPorts,
  listProcessTree,
  sendProbe,
  upgradeHeaders,
} from './open-ports.ts';
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

const start = (
  args: readonly string[],
  extraVariables: Readonly<Record<string, string>> = {},
): RunningCommand => startCommand('start', { ...variables, ...extraVariables }, { args });

const requirePid = ({ process: { pid } }: RunningCommand): number => {
  if (pid === undefined) throw new Error('the command did not start');
  return pid;
};

const stop = async (running: RunningCommand): Promise<void> => {
  running.process.kill('SIGINT');
  expect(await running.finished).toMatchObject({ code: 0 });
};

const findAllDebuggerSigns = async (ports: readonly number[]): Promise<readonly string[]> =>
  (await Promise.all(ports.map(findDebuggerSigns))).flat();

const readFiles = async (): Promise<readonly (readonly [string, string])[]> => {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Promise.all(files.map(async (file) => [file, await readFile(file, 'latin1')] as const));
};

const findFilesContaining = async (text: string): Promise<readonly string[]> =>
  (await readFiles()).filter(([, content]) => content.includes(text)).map(([file]) => file);

describe.each([
  ['a Worker', [], 'http:'],
  ['a Pages project', ['--pages'], 'http:'],
  ['a Worker behind a tunnel', ['--origin', origin], 'https:'],
  ['a Pages project behind a tunnel', ['--pages', '--origin', origin], 'https:'],
])('npm start, as %s', (_, args, protocol) => {
  const isTunneled = args.includes('--origin');
  const hosts = (): readonly string[] =>
    isTunneled ? [new URL(origin).host, `localhost:${port}`] : [`localhost:${port}`, `127.0.0.1:${port}`];
  let extraVariables: Readonly<Record<string, string>> = {};
  let secrets: readonly string[] = [];
  let running: RunningCommand;

  beforeAll(async () => {
    await prepare();
    if (isTunneled) {
      extraVariables = { ...credentials, VARIABLES_FILE: join(folder, 'variables') };
      await runCommand('setup', { ...variables, ...extraVariables }, { args: ['--origin', origin] });
    }
    running = start(args, extraVariables);
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
    const ports = listOpenPorts(requirePid(running)).map((openPort) => openPort.port);
    // Otherwise, no process or port was found, and the test would prove nothing.
    expect(ports).toContain(port);
    expect(await findAllDebuggerSigns(ports)).toEqual([]);
  });

  it('W16.2 listens on loopback only', () => {
    const addresses = listOpenPorts(requirePid(running)).map(({ address }) => address);
    expect(new Set(addresses)).toEqual(new Set(['127.0.0.1']));
  });

  it('W16.3 passes no secret as an argument', () => {
    const commands = listProcessTree(requirePid(running)).map(({ command }) => command);
    expect(commands.some((command) => command.includes('workerd serve'))).toBe(true);
    for (const secret of secrets) for (const command of commands) expect(command).not.toContain(secret);
    expect(secrets).not.toEqual([]);
  });

  it('W16.3 writes secrets only to the file that only its owner can read', async () => {
    const expectedFiles = isTunneled ? [] : [join(folder, 'settings.json')];
    for (const secret of secrets) expect(await findFilesContaining(secret)).toEqual(expectedFiles);
    expect(await findFilesContaining('Words With Chat')).not.toEqual([]);
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
    // A browser's request for an image, or after a click on a link, has no Origin header.
    for (const requestOrigin of [undefined, 'https://evil.example', `http://127.0.0.1:${port + 1}`, 'null']) {
      for (const host of hosts()) {
        const originHeader = requestOrigin === undefined ? {} : { origin: requestOrigin };
        const response = await sendProbe(protocol, port, path, { ...headers, ...originHeader, host }, method);
        expect(response.status, `${host}, from ${requestOrigin}`).toBeGreaterThanOrEqual(400);
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
        expect((await sendProbe(protocol, port, path, { ...upgradeHeaders, host })).status).not.toBe(101);
  });

  // The tests below stop the system.
  it('W16.3 keeps no authorization code of a request in its data folder', async () => {
    const code = `code-${crypto.randomUUID()}`;
    const [host = ''] = hosts();
    expect((await sendProbe(protocol, port, `/callback/google?code=${code}&state=s`, { host })).status).toBe(
      400,
    );
    await stop(running);
    expect(await findFilesContaining(code)).toEqual([]);
    // Otherwise, no file was searched, and the test would prove nothing.
    expect(await findFilesContaining('Words With Chat')).not.toEqual([]);
  });

  it('W16.1 opens a debugger on loopback if --inspect is passed, and prints its URL', async () => {
    running = start([...args, '--inspect'], extraVariables);
    const summary = await waitUntilReady(running);
    const openPorts = listOpenPorts(requirePid(running));
    expect(new Set(openPorts.map(({ address }) => address))).toEqual(new Set(['127.0.0.1']));
    const debuggerUrlMatch = /Debugger +http:\/\/127\.0\.0\.1:(\d+)\/$/m.exec(summary);
    const debuggerPort = Number(debuggerUrlMatch?.[1]);
    expect(openPorts.map((openPort) => openPort.port)).toContain(debuggerPort);
    expect(await findDebuggerSigns(debuggerPort)).toEqual(
      expect.arrayContaining([
        `${debuggerPort} GET /json`,
        `${debuggerPort} GET /json/version`,
        `${debuggerPort} WebSocket /ws`,
      ]),
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
    const ports = listOpenPorts(requirePid(running)).map((openPort) => openPort.port);
    expect(ports).toContain(port);
    const connections = await Promise.all(ports.map(openConnection));
    const allClosed = connections.map(waitForClose);
    running.process.kill('SIGKILL');
    await Promise.all(allClosed);
    // A process can close its connections shortly before it stops listening.
    for (const openPort of ports)
      await expect.poll(() => tryToConnect(openPort), { timeout: 60_000 }).toBe('ECONNREFUSED');
  });
});

/** Returns the error code of a connection attempt, or `connected`. */
const tryToConnect = async (targetPort: number): Promise<unknown> => {
  try {
    (await openConnection(targetPort)).destroy();
    return 'connected';
  } catch (error) {
    return Object(error).code;
  }
};

const openConnection = async (targetPort: number): Promise<Socket> => {
  const connection = connect(targetPort, '127.0.0.1');
  await once(connection, 'connect');
  // The killed process resets its connections.
  return connection.on('error', () => {});
};

describe('npm run bench', () => {
  it('W16.1 runs workerd without a debugger', async () => {
    const benchPort = await findFreePort();
    const portsBefore = new Set(listOpenPorts(process.pid).map((openPort) => openPort.port));
    const bindings = {
      ISSUER: `http://127.0.0.1:${benchPort}`,
      SEALING_KEYS: generateKey('bench', generateBytes),
      CLIENT_SECRET: 'kOGm3x_6VEKfHIHYUW1uecf9by3yQV86t5SzTcgOQHQ',
    };
    const workerd = await startWorkerd(
      fileURLToPath(new URL('../../bench/worker.ts', import.meta.url)),
      benchPort,
      bindings,
    );
    const newPorts = listOpenPorts(process.pid)
      .map((openPort) => openPort.port)
      .filter((openPort) => !portsBefore.has(openPort));
    expect(newPorts).toEqual([benchPort]);
    expect(await findAllDebuggerSigns(newPorts)).toEqual([]);
    await workerd.stop();
  });
});

describe('npm run admin', () => {
  it('W16.1 opens the local database without a debugger, and listens on loopback only', async () => {
    await prepare();
    await mkdir(join(folder, 'state/v3/d1'), { recursive: true });
    const portsBefore = new Set(listOpenPorts(process.pid).map((openPort) => openPort.port));
    const { close } = await openDatabase(describeLocalDatabase(folder));
    const newPorts = listOpenPorts(process.pid).filter((openPort) => !portsBefore.has(openPort.port));
    expect(new Set(newPorts.map(({ address }) => address))).toEqual(new Set(['127.0.0.1']));
    expect(await findAllDebuggerSigns(newPorts.map((openPort) => openPort.port))).toEqual([]);
    await close();
    await rm(folder, { recursive: true });
  });
});

const waitForClose = (connection: Socket): Promise<void> =>
  new Promise((resolve) => connection.once('close', () => resolve()));

const generateBytes = (length: number): Uint8Array<ArrayBuffer> => Uint8Array.from(randomBytes(length));
