/** Finds the TCP ports on which a process and its descendants listen, and probes them for a debugger. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { type RequestOptions, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { text } from 'node:stream/consumers';

export interface OpenPort {
  readonly address: string;
  readonly port: number;
}

interface Process {
  readonly pid: number;
  readonly parent: number;
  /** The command with its arguments, which every process on the machine can read. */
  readonly command: string;
}

/** Lists a process and its descendants. */
export const listProcessTree = (root: number): readonly Process[] => {
  const processes = execFileSync('ps', ['-A', '-ww', '-o', 'pid=,ppid=,command='], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map((line): Process => {
      const [, pid, parent, command = ''] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? [];
      return { pid: Number(pid), parent: Number(parent), command };
    });
  const listDescendants = (pid: number): readonly Process[] =>
    processes
      .filter(({ parent }) => parent === pid)
      .flatMap((child) => [child, ...listDescendants(child.pid)]);
  return [...processes.filter(({ pid }) => pid === root), ...listDescendants(root)];
};

/**
 * Lists the ports on which a process tree listens.
 * It reads the kernel's tables on Linux, and runs `lsof` elsewhere, which macOS includes.
 */
export const listOpenPorts = (root: number): readonly OpenPort[] => {
  const pids = listProcessTree(root).map(({ pid }) => pid);
  return process.platform === 'linux' ? readPortsFromKernel(pids) : readPortsFromLsof(pids);
};

const readPortsFromKernel = (pids: readonly number[]): readonly OpenPort[] => {
  const inodes = new Set(pids.flatMap(listSocketInodes));
  return ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((table) =>
    readFileSync(table, 'utf8')
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(/\s+/))
      // State 0A: listening.
      .filter(([, , , state, , , , , , inode = '']) => state === '0A' && inodes.has(inode))
      .map(([, local = '']) => {
        const [address = '', port = ''] = local.split(':');
        return { address: addresses[address] ?? address, port: Number.parseInt(port, 16) };
      }),
  );
};

/** Addresses in the kernel's notation. */
const addresses: Readonly<Record<string, string>> = {
  '0100007F': '127.0.0.1',
  '00000000000000000000000001000000': '::1',
};

const listSocketInodes = (pid: number): readonly string[] =>
  ignoreMissing(() => readdirSync(`/proc/${pid}/fd`), []).flatMap((fd) => {
    const link = ignoreMissing(() => readlinkSync(`/proc/${pid}/fd/${fd}`), '');
    const [, inode] = /^socket:\[(\d+)\]$/.exec(link) ?? [];
    return inode === undefined ? [] : [inode];
  });

/** Ignores a missing entry: a process can end, or a descriptor can be closed, while its folder is read. */
const ignoreMissing = <Value>(read: () => Value, fallback: Value): Value => {
  try {
    return read();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return fallback;
    throw error;
  }
};

const readPortsFromLsof = (pids: readonly number[]): readonly OpenPort[] =>
  execFileSync('lsof', ['-nP', '-iTCP', '-sTCP:LISTEN', '-Fn', '-a', '-p', pids.join(',')], {
    encoding: 'utf8',
  })
    .split('\n')
    .flatMap((line) => {
      const [, address = '', port = ''] = /^n\[?([^\]]+)\]?:(\d+)$/.exec(line) ?? [];
      return port === '' ? [] : [{ address, port: Number(port) }];
    });

/**
 * The paths where V8's debuggers describe themselves:
 * https://chromedevtools.github.io/devtools-protocol/#endpoints.
 */
const descriptionPaths = ['/json', '/json/list', '/json/version'];

/** The paths where workerd, Wrangler and Node accept a debugger's WebSocket. */
const webSocketPaths = ['/', '/ws', '/core:user:words-with-chat', '/core:user:ProxyWorker'];

/** Lists the signs of a debugger on a port, or returns an empty list if there are none. */
export const findDebuggerSigns = async (port: number): Promise<readonly string[]> => {
  const signs = ['http:', 'https:'].flatMap((protocol) => [
    ...descriptionPaths.map(async (path) => {
      const { status, body } = await sendProbe(protocol, port, path);
      return status === 200 && /webSocketDebuggerUrl|Protocol-Version/.test(body)
        ? [`${port} GET ${path}`]
        : [];
    }),
    ...webSocketPaths.map(async (path) => {
      const { status } = await sendProbe(protocol, port, path, upgradeHeaders);
      return status === 101 ? [`${port} WebSocket ${path}`] : [];
    }),
  ]);
  return (await Promise.all(signs)).flat();
};

export const upgradeHeaders = {
  connection: 'Upgrade',
  upgrade: 'websocket',
  'sec-websocket-version': '13',
  'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
} as const;

export interface ProbeResponse {
  /** 0 if nothing on the port uses the protocol. */
  readonly status: number;
  readonly body: string;
}

/** Sends a request to a port on loopback, without verifying its certificate. */
export const sendProbe = (
  protocol: string,
  port: number,
  path: string,
  headers: Readonly<Record<string, string>> = {},
  method = 'GET',
): Promise<ProbeResponse> =>
  new Promise((resolve) => {
    const options: RequestOptions & { readonly rejectUnauthorized: boolean } = {
      ...{ host: '127.0.0.1', port, path, method, headers, agent: false, rejectUnauthorized: false },
    };
    const probe = protocol === 'https:' ? requestHttps(options) : requestHttp(options);
    probe
      .once('error', () => resolve({ status: 0, body: '' }))
      .once('upgrade', ({ statusCode = 0 }, socket) => {
        socket.destroy();
        resolve({ status: statusCode, body: '' });
      })
      .once('response', async (response) =>
        resolve({ status: response.statusCode ?? 0, body: await text(response).catch(() => '') }),
      )
      .end();
  });
