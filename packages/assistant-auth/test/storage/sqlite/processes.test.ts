/** Storage in a SQLite file that several processes use, or whose process is killed. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { migrate, sqliteStorage } from 'assistant-auth/sqlite';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { signIn } from '../../../src/testing/storage-contract/sample.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sqlite-processes-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const createFile = async (name: string): Promise<string> => {
  const file = join(folder, `${name}.db`);
  const database = new DatabaseSync(file);
  await migrate(database);
  database.close();
  return file;
};

const writer = fileURLToPath(new URL('writer.ts', import.meta.url));

interface Writer {
  readonly child: ChildProcess;
  /** Resolves with the acknowledged operations when the process has ended. */
  readonly acknowledged: Promise<readonly string[]>;
  readonly errors: Promise<string>;
}

/** @param onLine is called with the number of lines so far */
const startWriter = (
  file: string,
  name: string,
  count: number,
  onLine: (lines: number) => void = () => {},
): Writer => {
  const child = spawn(
    process.execPath,
    ['--no-warnings', '--conditions=dev-source', writer, file, name, String(count)],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  const lines: string[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => onLine(lines.push(line)));
  const acknowledged = once(child, 'close').then(() => lines);
  return { child, acknowledged, errors: text(child.stderr) };
};

/** For each operation, the condition that its effect is stored. */
const effects: Readonly<Record<string, string>> = {
  'signed-in': 'true',
  redeemed: 'redeemed_at IS NOT NULL',
  'redeemed-shared': 'redeemed_at IS NOT NULL',
  refreshed: 'generation = 1',
  revoked: 'revoked_at IS NOT NULL',
};

/** Returns the acknowledged operations that are not in the file. Fails if the file is damaged. */
const findLost = (file: string, acknowledged: readonly string[]): readonly string[] => {
  const database = new DatabaseSync(file);
  expect(database.prepare('PRAGMA integrity_check').get()).toMatchObject({ integrity_check: 'ok' });
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

it('two processes write to one file at the same time, and redeem each code once', async () => {
  const file = await createFile('two-processes');
  const database = new DatabaseSync(file);
  const storage = sqliteStorage(database);
  const count = 100;
  for (let index = 0; index < count; index++)
    await storage.recordSignIn(signIn({ grantId: `shared-${index}` }));
  database.close();
  const writers = [startWriter(file, 'one', count), startWriter(file, 'other', count)];
  const results = await Promise.all(writers.map(({ acknowledged }) => acknowledged));
  expect(await Promise.all(writers.map(({ errors }) => errors))).toEqual(['', '']);
  const lines = results.flat();
  expect(lines).toContain('finished one');
  expect(lines).toContain('finished other');
  const shared = lines.filter((line) => line.startsWith('redeemed-shared'));
  expect(shared.toSorted()).toEqual(
    Array.from({ length: count }, (_, index) => `redeemed-shared shared-${index}`).toSorted(),
  );
  expect(lines).toHaveLength(2 * (3 * count + count / 5 + 1) + count);
  expect(findLost(file, lines)).toEqual([]);
});

it.each([1, 7, 60, 200, 500])(
  'loses nothing that was acknowledged when the process is killed after %i operations',
  async (operations) => {
    const file = await createFile(`killed-${operations}`);
    const { child, acknowledged, errors } = startWriter(file, 'killed', 100_000, (lines) => {
      if (lines === operations) child.kill('SIGKILL');
    });
    const lines = await acknowledged;
    expect(await errors).toBe('');
    expect(child.signalCode).toBe('SIGKILL');
    expect(lines.length).toBeGreaterThanOrEqual(operations);
    expect(findLost(file, lines)).toEqual([]);
    // The file can be used without a repair.
    const next = startWriter(file, 'next', 1);
    expect(await next.acknowledged).toContain('finished next');
    expect(await next.errors).toBe('');
  },
);
