/** Tests that storage in a SQLite file passes the storage contract on every runtime and driver. */
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { expect, inject, it } from 'vitest';
import { type Driver, type Runtime, runProgram } from './runtimes.ts';

const consumer = inject('consumer');

const combinations: readonly (readonly [Runtime, Driver])[] = [
  ['Node 24', 'node:sqlite'],
  ['Node 22.13', 'node:sqlite'],
  ['Bun', 'bun:sqlite'],
  ['Bun', 'node:sqlite'],
  ['Deno', 'node:sqlite'],
  ['Node 24', 'libsql'],
  ['Node 22.13', 'libsql'],
];

it.each(combinations)('%s passes the storage contract with %s', async (runtime, driver) => {
  const folder = mkdtempSync(join(consumer, 'storage-'));
  const output = await runProgram(consumer, runtime, 'storage-contract', [driver, folder]);
  const results = output
    .trim()
    .split('\n')
    .map((line): { readonly name: string; readonly error?: string } => JSON.parse(line));
  expect(results.filter(({ error }) => error !== undefined)).toEqual([]);
  expect(results.length).toBeGreaterThan(250);
});
