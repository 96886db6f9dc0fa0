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
import { build } from 'esbuild';
import { sourceCondition } from '../scripts/app/paths.ts';

export interface Workerd {
  readonly origin: URL;
  /** The CPU time that the process has used so far, in seconds. */
  cpuTime(): number;
  stop(): Promise<void>;
}

/**
 * Bundles the Worker in `entry`, minified as for a deployment, and starts it with these bindings on this
 * port.
 */
export const startWorkerd = async (
  entry: string,
  port: number,
  bindings: Readonly<Record<string, string>>,
): Promise<Workerd> => {
  const folder = mkdtempSync(join(tmpdir(), 'bench-'));
  await build({
    entryPoints: [entry],
    outfile: join(folder, 'worker.js'),
    format: 'esm',
    // `module` is esbuild's default, which this replaces.
    conditions: [sourceCondition, 'module'],
    bundle: true,
    minify: true,
  });
  writeFileSync(join(folder, 'config.capnp'), buildConfig(port, bindings));
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
  await waitUntilReady(origin).catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  return { origin, cpuTime: () => readCpuTime(pid), stop };
};

const buildConfig = (port: number, bindings: Readonly<Record<string, string>>): string => {
  const bindingTexts = Object.entries(bindings).map(
    ([name, value]) => `(name = ${JSON.stringify(name)}, text = ${JSON.stringify(value)})`,
  );
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = (
    modules = [(name = "worker.js", esModule = embed "worker.js")],
    bindings = [${bindingTexts.join(', ')}],
    compatibilityDate = "2026-10-20",
  ))],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")],
);
`;
};

const waitUntilReady = async (origin: URL): Promise<void> => {
  for (let attempt = 0; attempt < 100; attempt++) {
    const response = await fetch(new URL('/open', origin)).catch(() => undefined);
    if (response !== undefined) return;
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
