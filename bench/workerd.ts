/**
 * Bundles a Worker and runs it on plain workerd, on loopback without a proxy, and reads its CPU time from the
 * operating system.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';
import { sourceCondition } from '../scripts/app/paths.ts';

export interface Workerd {
  readonly origin: URL;
  /** The CPU time that the process has used so far, in seconds. */
  cpuTime(): number;
  stop(): Promise<void>;
}

/** The entry point of a Worker: a file, or code whose imports are resolved from a folder. */
export type Entry = string | { readonly code: string; readonly folder: string };

/** What a Worker gets from its environment. */
export interface Environment {
  /** Variables, by name. */
  readonly variables: Readonly<Record<string, string>>;
  /** The names of bindings to a D1 database or to static files that are there, but never respond. */
  readonly databases?: readonly string[];
  readonly assets?: readonly string[];
}

/**
 * Bundles the Worker in `entry`, minified as for a deployment, and starts it with these variables on this
 * port.
 */
export const startWorkerd = async (
  entry: Entry,
  port: number,
  variables: Readonly<Record<string, string>>,
): Promise<Workerd> => runWorkerd(await bundleWorker(entry, [storageInMemory]), port, { variables }, '/open');

/** Replaces D1 by a storage in memory. */
const storageInMemory: Plugin = {
  name: 'storage-in-memory',
  setup: (build) => {
    const path = fileURLToPath(new URL('shared-storage.ts', import.meta.url));
    build.onResolve({ filter: /^assistant-auth\/d1$/ }, () => ({ path }));
  },
};

/** Bundles a Worker as Wrangler does with `--minify`, from the sources of the packages. */
export const bundleWorker = async (entry: Entry, plugins: readonly Plugin[] = []): Promise<string> => {
  const { outputFiles } = await build({
    ...(typeof entry === 'string'
      ? { entryPoints: [entry] }
      : { stdin: { contents: entry.code, resolveDir: entry.folder, loader: 'ts' } }),
    write: false,
    format: 'esm',
    conditions: [sourceCondition, 'workerd', 'worker', 'browser'],
    external: ['cloudflare:workers'],
    plugins: [...plugins],
    bundle: true,
    minify: true,
  });
  const [{ text } = { text: '' }] = outputFiles;
  return text;
};

/** Starts a bundle, and returns as soon as it has responded to a request for `path`. */
export const runWorkerd = async (
  bundle: string,
  port: number,
  environment: Environment,
  path: string,
): Promise<Workerd> => {
  const folder = mkdtempSync(join(tmpdir(), 'bench-'));
  writeFileSync(join(folder, 'worker.js'), bundle);
  writeFileSync(join(folder, 'config.capnp'), buildConfig(port, environment));
  const { default: binary }: { readonly default: string } = createRequire(import.meta.url)('workerd');
  const child = spawn(binary, ['serve', join(folder, 'config.capnp')], { stdio: 'inherit' });
  const exited = once(child, 'exit');
  const { pid } = child;
  if (pid === undefined) throw new Error('workerd did not start');
  const origin = new URL(`http://127.0.0.1:${port}`);
  const stop = async (): Promise<void> => {
    child.kill();
    await exited;
    rmSync(folder, { recursive: true });
  };
  await waitUntilReady(new URL(path, origin)).catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  return { origin, cpuTime: () => readCpuTime(pid), stop };
};

const buildConfig = (port: number, { variables, databases = [], assets = [] }: Environment): string => {
  const bindings = [
    ...Object.entries(variables).map(
      ([name, value]) => `(name = ${JSON.stringify(name)}, text = ${JSON.stringify(value)})`,
    ),
    ...databases.map(
      (name) =>
        `(name = ${JSON.stringify(name)}, wrapped = (moduleName = "cloudflare-internal:d1-api", ` +
        'innerBindings = [(name = "fetcher", service = "unavailable")]))',
    ),
    ...assets.map((name) => `(name = ${JSON.stringify(name)}, service = "unavailable")`),
  ];
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = (
      modules = [(name = "worker.js", esModule = embed "worker.js")],
      bindings = [${bindings.join(', ')}],
      compatibilityDate = "2026-10-20",
      compatibilityFlags = ["global_fetch_strictly_public"],
    )),
    (name = "unavailable", network = (allow = [])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")],
);
`;
};

const waitUntilReady = async (url: URL): Promise<void> => {
  for (let attempt = 0; attempt < 100; attempt++) {
    const response = await fetch(url).catch(() => undefined);
    if (response !== undefined) {
      await response.arrayBuffer();
      return;
    }
    await sleep(50);
  }
  throw new Error('workerd did not respond');
};

/** Linux reports nanoseconds for every thread. On other systems, `ps` prints `minutes:seconds.hundredths`. */
const readCpuTime = (pid: number): number => {
  if (process.platform === 'linux') {
    const threads = readdirSync(`/proc/${pid}/task`);
    return threads.reduce((total, thread) => total + readThreadCpuTime(`/proc/${pid}/task/${thread}`), 0);
  }
  const time = execFileSync('ps', ['-o', 'time=', '-p', String(pid)], { encoding: 'utf8' });
  return time.split(':').reduce((total, part) => total * 60 + Number(part), 0);
};

const readThreadCpuTime = (folder: string): number =>
  Number(readFileSync(`${folder}/schedstat`, 'utf8').split(' ')[0]) / 1e9;
