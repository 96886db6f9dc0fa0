/**
 * Starts nginx or Caddy as a child process that terminates TLS, with the configuration that
 * `docs/guides/proxy.md` shows, and sends it requests. Needs the packages `nginx` and `caddy`; no system
 * service is used.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { request as sendHttps } from 'node:https';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { connect } from 'node:tls';
import { findFreePort } from '@words-with-chat/lab';
import type { Certificates } from './certificates.ts';

export const proxyNames = ['nginx', 'caddy'] as const;

export type ProxyName = (typeof proxyNames)[number];

/** A proxy that is running. */
export interface RunningProxy {
  /** The port for https. */
  readonly port: number;
  /** The port for http. */
  readonly httpPort: number;
  stop(): Promise<void>;
}

interface ProxyOptions {
  /** A folder for the configuration and everything that the proxy writes. */
  readonly folder: string;
  /** The port of the server behind the proxy. */
  readonly backendPort: number;
  readonly certificates: Certificates;
  /** Changes the part of the configuration that the docs show. Default: unchanged. */
  readonly change?: (documented: string) => string;
}

/** Returns the code block of `docs/guides/proxy.md` in this language. */
const readDocumented = async (language: 'nginx' | 'caddyfile', backendPort: number): Promise<string> => {
  const docs = await readFile(new URL('../../docs/guides/proxy.md', import.meta.url), 'utf8');
  const [, block] = docs.split(`\`\`\`${language}\n`);
  if (block === undefined) throw new Error(`docs/guides/proxy.md has no code block in ${language}`);
  const [documented = ''] = block.split('```');
  return documented.replaceAll('127.0.0.1:3000', `127.0.0.1:${backendPort}`);
};

/** Starts a proxy in the foreground, and waits until it accepts connections. */
export const startProxy = async (name: ProxyName, options: ProxyOptions): Promise<RunningProxy> => {
  const ports = { port: await findFreePort(), httpPort: await findFreePort() };
  const child = name === 'nginx' ? await spawnNginx(options, ports) : await spawnCaddy(options, ports);
  const exited = once(child, 'exit');
  let output = '';
  child.stderr?.setEncoding('utf8').on('data', (chunk) => {
    output += chunk;
  });
  await Promise.race([
    waitUntilListening(ports.port),
    exited.then(() => Promise.reject(new Error(`${name} exited: ${output}`))),
  ]);
  return {
    ...ports,
    async stop() {
      child.kill('SIGTERM');
      await exited;
    },
  };
};

type Ports = Pick<RunningProxy, 'port' | 'httpPort'>;

const spawnNginx = async (
  { folder, backendPort, certificates, change = (text) => text }: ProxyOptions,
  { port, httpPort }: Ports,
): Promise<ChildProcess> => {
  const documented = change(await readDocumented('nginx', backendPort))
    .replace('listen 443 ', `listen 127.0.0.1:${port} `)
    .replace('listen 80;', `listen 127.0.0.1:${httpPort};`)
    .replace(/ssl_certificate .*;/, `ssl_certificate ${certificates.certificateFile};`)
    .replace(/ssl_certificate_key .*;/, `ssl_certificate_key ${certificates.privateKeyFile};`);
  // Only root can change the user of the worker processes, which must be able to write to the folder.
  const user = process.getuid?.() === 0 ? 'user root;' : '';
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (kind) => `${kind}_temp_path ${folder}/${kind};`,
  );
  const file = join(folder, 'nginx.conf');
  await writeFile(
    file,
    `daemon off;
${user}
pid ${folder}/nginx.pid;
error_log stderr;
events {}
http {
  access_log off;
  ${paths.join('\n  ')}
${documented}
}
`,
  );
  // Debian installs it where the `PATH` of a user does not find it.
  const { PATH = '' } = process.env;
  const env = { ...process.env, PATH: `${PATH}:/usr/sbin` };
  return spawn('nginx', ['-p', folder, '-e', 'stderr', '-c', file], {
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
};

const spawnCaddy = async (
  { folder, backendPort, certificates, change = (text) => text }: ProxyOptions,
  { port, httpPort }: Ports,
): Promise<ChildProcess> => {
  const documented = change(await readDocumented('caddyfile', backendPort));
  const { certificateFile, privateKeyFile } = certificates;
  const site = documented.replace('{\n', `{\n  tls ${certificateFile} ${privateKeyFile}\n`);
  const file = join(folder, 'Caddyfile');
  const home = join(folder, 'home');
  await mkdir(home);
  await writeFile(
    file,
    `{
  admin off
  default_bind 127.0.0.1
  https_port ${port}
  http_port ${httpPort}
}
${site}`,
  );
  return spawn('caddy', ['run', '--config', file, '--adapter', 'caddyfile'], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, HOME: home, XDG_DATA_HOME: home, XDG_CONFIG_HOME: home },
  });
};

const waitUntilListening = async (port: number): Promise<void> => {
  while (!(await isListening(port))) await new Promise((resolve) => setImmediate(resolve));
};

const isListening = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({
      port,
      host: '127.0.0.1',
      rejectUnauthorized: false,
      servername: 'api.example',
    });
    socket.on('secureConnect', () => resolve(true)).on('error', () => resolve(false));
    socket.on('secureConnect', () => socket.destroy());
  });

/**
 * Creates a `fetch` that connects to the proxy, whatever the host in the URL, and trusts only the authority
 * of the test.
 */
export const createHttpsFetch =
  ({ port }: Pick<RunningProxy, 'port'>, { authority }: Certificates, servername: string) =>
  async (request: Request): Promise<Response> => {
    const url = new URL(request.url);
    const { promise, resolve, reject } = Promise.withResolvers<Response>();
    const outgoing = sendHttps(
      {
        ...{ host: '127.0.0.1', port, servername, ca: authority, agent: false },
        method: request.method,
        path: url.pathname + url.search,
        headers: { host: url.host, ...Object.fromEntries(request.headers) },
      },
      async (incoming) => {
        const headers = new Headers();
        for (const [name, values = []] of Object.entries(incoming.headersDistinct))
          for (const value of values) headers.append(name, value);
        const { statusCode: status = 0 } = incoming;
        const body = await buffer(incoming);
        resolve(new Response(status === 204 || status === 304 ? null : body, { status, headers }));
      },
    );
    outgoing.on('error', reject);
    outgoing.end(Buffer.from(await request.arrayBuffer()));
    return promise;
  };
