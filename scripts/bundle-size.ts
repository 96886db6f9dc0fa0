/** Weighs the bundle of a Worker, minified and compressed as the platform counts it, and fails above the budget. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

/** In bytes. */
const budget = 60_000;

const [folder = 'dist'] = process.argv.slice(2);
const modules = (await readdir(folder)).filter((file) => file.endsWith('.js'));
if (modules.length === 0) throw new Error(`${folder} holds no bundle`);

const sizes = await Promise.all(
  modules.map(async (file) => gzipSync(await readFile(join(folder, file)), { level: 9 }).length),
);
const size = sizes.reduce((sum, each) => sum + each, 0);
const inKilobytes = (bytes: number): string => `${(bytes / 1000).toFixed(1)} kB`;
console.log(`Worker: ${inKilobytes(size)} gzip of at most ${inKilobytes(budget)}`);
if (size > budget) process.exitCode = 1;
