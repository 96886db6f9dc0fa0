/**
 * Packs the packages, and installs the tarballs and the runtimes in a consumer's project outside the workspace.
 */
import { execFile } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { transform } from 'esbuild';
import type { TestProject } from 'vitest/node';
import { readPackCommand } from './tutorial.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The folder of a project with all programs, runtimes and drivers. */
    readonly consumer: string;
    /** A folder laid out like a clone of this repository after `npm pack`: `examples`, and the tarballs. */
    readonly clone: string;
  }
}

const execute = promisify(execFile);
const resolvePath = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

export const setup = async ({ provide }: Pick<TestProject, 'provide'>): Promise<() => void> => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'packages-')));
  const clone = join(folder, 'clone');
  const consumer = join(folder, 'consumer');
  for (const path of [clone, consumer]) mkdirSync(path);
  symlinkSync(resolvePath('../examples'), join(clone, 'examples'));
  await createConsumer(consumer, await pack(clone));
  provide('clone', clone);
  provide('consumer', consumer);
  return () => rmSync(folder, { recursive: true });
};

/**
 * Creates the tarballs in a folder, with the command of the page about the installation.
 * @returns their paths
 * @throws Error if the command does not print what the page says
 */
const pack = async (destination: string): Promise<readonly string[]> => {
  const { command, output = '' } = readPackCommand();
  const env = { ...process.env, npm_config_pack_destination: destination };
  const { stdout } = await execute('sh', ['-c', command], { cwd: resolvePath('..'), env });
  const names = stdout.trim();
  if (names !== output) throw new Error(`${command} printed:\n${stdout}`);
  return names.split('\n').map((name) => join(destination, name));
};

const createConsumer = async (folder: string, tarballs: readonly string[]): Promise<void> => {
  for (const file of ['package.json', 'package-lock.json', '../.npmrc'])
    copyFileSync(resolvePath(file), join(folder, file.replace('../', '')));
  await execute('npm', ['ci'], { cwd: folder });
  await execute('npm', ['install', '--no-save', '--ignore-scripts', ...tarballs], { cwd: folder });
  await compilePrograms(folder);
};

/** Copies the programs, and compiles them, because Node 22.13 does not run TypeScript. */
const compilePrograms = async (folder: string): Promise<void> => {
  const programs = resolvePath('programs');
  cpSync(programs, join(folder, 'programs'), { recursive: true });
  for (const name of readdirSync(programs).filter((file) => /(?<!\.d)\.ts$/.test(file))) {
    const source = readFileSync(join(programs, name), 'utf8');
    const { code } = await transform(source, { loader: 'ts', format: 'esm', target: 'es2024' });
    const compiled = code.replaceAll(/(from "\.\/[\w-]+)\.ts"/g, '$1.js"');
    writeFileSync(join(folder, 'programs', name.replace(/\.ts$/, '.js')), compiled);
  }
};
