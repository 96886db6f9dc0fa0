/** Tests storage in a SQLite file that several processes use at the same time, or whose process is killed. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { text } from 'node:stream/consumers';
import { migrate } from 'assistant-auth/sqlite';
import { expect, inject, it } from 'vitest';
import { buildCommand, type Driver, type Runtime } from './runtimes.ts';

const consumer = inject('consumer');

const createFile = async (): Promise<string> => {
  const file = join(mkdtempSync(join(consumer, 'processes-')), 'auth.db');
  const database = new DatabaseSync(file);
  await migrate(database);
  database.close();
  return file;
};

interface Writer {
  readonly child: ChildProcess;
  /** Resolves with the acknowledged operations when the process has ended. */
  readonly acknowledged: Promise<readonly string[]>;
  readonly errors: Promise<string>;
}

/** @param onLine called after each line, with the number of lines so far */
const startWriter = (
  [runtime, driver]: readonly [Runtime, Driver],
  [file, name, count]: readonly [string, string, number],
  onLine: (lines: number) => void = () => {},
): Writer => {
  const command = buildCommand(consumer, runtime, 'writer', [driver, file, name, String(count)]);
  const child = spawn(command.file, command.args, { cwd: consumer, stdio: ['ignore', 'pipe', 'pipe'] });
  const lines: string[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => onLine(lines.push(line)));
  const acknowledged = once(child, 'close').then(() => lines);
  return { child, acknowledged, errors: text(child.stderr) };
};

/** For each operation, the SQL condition that is true if its effect is stored. */
const effects: Readonly<Record<string, string>> = {
  'signed-in': 'true',
  redeemed: 'redeemed_at IS NOT NULL',
  refreshed: 'generation = 1',
  revoked: 'revoked_at IS NOT NULL',
};

/** Returns the acknowledged operations that are not in the file. Fails if the file is damaged. */
const findLost = (file: string, acknowledged: readonly string[]): readonly string[] => {
  const database = new DatabaseSync(file);
  expect(database.prepare('PRAGMA integrity_check').get()).toMatchObject({ integrity_check: 'ok' });
  expect(database.prepare('PRAGMA foreign_key_check').all()).toEqual([]);
  const stored = new Set(
    Object.entries(effects).flatMap(([operation, condition]) =>
      database
        .prepare(`SELECT id FROM grants WHERE ${condition}`)
        .all()
        .map(({ id }) => `${operation} ${id}`),
    ),
  );
  database.close();
  return acknowledged.filter((line) => !line.startsWith('finished ') && !stored.has(line));
};

const count = 50;

it.each<readonly (readonly [Runtime, Driver])[]>([
  [
    ['Node 24', 'node:sqlite'],
    ['Node 24', 'node:sqlite'],
  ],
  [
    ['Node 24', 'libsql'],
    ['Node 22.13', 'libsql'],
  ],
  [
    ['Node 22.13', 'node:sqlite'],
    ['Node 24', 'libsql'],
    ['Bun', 'bun:sqlite'],
    ['Deno', 'node:sqlite'],
  ],
])('processes write to one file at the same time, and redeem each code once: %s', async (...programs) => {
  const file = await createFile();
  const writers = programs.map((program, index) => startWriter(program, [file, `writer-${index}`, count]));
  const results = await Promise.all(writers.map(({ acknowledged }) => acknowledged));
  expect(await Promise.all(writers.map(({ errors }) => errors))).toEqual(programs.map(() => ''));
  expect(results.map((lines) => lines.at(-1))).toEqual(
    programs.map((_, index) => `finished writer-${index}`),
  );
  const lines = results.flat();
  expect(lines.filter((line) => line.startsWith('redeemed shared-')).toSorted()).toEqual(
    Array.from({ length: count }, (_, index) => `redeemed shared-${index}`).toSorted(),
  );
  expect(lines).toHaveLength(programs.length * (3 * count + count / 5 + 1) + count);
  expect(findLost(file, lines)).toEqual([]);
});

it.each<readonly [Runtime, Driver, number]>([
  ['Node 24', 'node:sqlite', 1],
  ['Node 24', 'node:sqlite', 60],
  ['Node 24', 'node:sqlite', 500],
  ['Bun', 'bun:sqlite', 1],
  ['Bun', 'bun:sqlite', 300],
  ['Node 24', 'libsql', 1],
  ['Node 24', 'libsql', 300],
])(
  '%s with %s loses nothing that was acknowledged when the process is killed after %i operations',
  async (runtime, driver, operations) => {
    const file = await createFile();
    const { child, acknowledged, errors } = startWriter(
      [runtime, driver],
      [file, 'killed', 100_000],
      (lines) => {
        if (lines === operations) child.kill('SIGKILL');
      },
    );
    const lines = await acknowledged;
    expect(await errors).toBe('');
    expect(child.signalCode).toBe('SIGKILL');
    expect(lines.length).toBeGreaterThanOrEqual(operations);
    expect(findLost(file, lines)).toEqual([]);
    // The file can be used without a repair.
    const next = startWriter([runtime, driver], [file, 'next', 1]);
    expect(await next.acknowledged).toContain('finished next');
    expect(await next.errors).toBe('');
  },
);
