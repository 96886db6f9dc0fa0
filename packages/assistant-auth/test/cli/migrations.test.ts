/** Tests `assistant-auth migrations`: files for D1 in a folder, and the tables of a SQLite file. */
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runCommand } from './run-command.ts';

const source = 'packages/assistant-auth/migrations';
const files = readdirSync(source).sort();
const readSource = (file: string): string => readFileSync(join(source, file), 'utf8');

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'assistant-auth-'));
});

afterEach(() => rmSync(folder, { recursive: true }));

const migrations = (...args: readonly string[]) => runCommand(folder, ['migrations', ...args]);

describe('--out', () => {
  const read = (file: string): string => readFileSync(join(folder, file), 'utf8');

  it('writes the files into a new folder, and names the next command', async () => {
    const { code, stdout, stderr } = await migrations('--out', 'db/migrations');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout.split('\n\n')[0]).toBe(files.map((file) => `Wrote db/migrations/${file}`).join('\n'));
    expect(stdout).toContain('npx wrangler d1 migrations apply <database> --local');
    expect(readdirSync(join(folder, 'db/migrations')).sort()).toEqual(files);
    for (const file of files) expect(read(`db/migrations/${file}`)).toBe(readSource(file));
  });

  it('writes the files next to those of the project, which keep their content', async () => {
    mkdirSync(join(folder, 'migrations'));
    writeFileSync(join(folder, 'migrations/0001_init.sql'), 'CREATE TABLE notes (id TEXT);');
    expect(await migrations('--out', 'migrations')).toMatchObject({ code: 0, stderr: '' });
    expect(readdirSync(join(folder, 'migrations')).sort()).toEqual([...files, '0001_init.sql'].sort());
    expect(read('migrations/0001_init.sql')).toBe('CREATE TABLE notes (id TEXT);');
  });

  it('skips files that are already there, even with Windows line endings', async () => {
    await migrations('--out', 'migrations');
    const [file = ''] = files;
    const changed = readSource(file).replaceAll('\n', '\r\n');
    writeFileSync(join(folder, 'migrations', file), changed);
    const { code, stdout } = await migrations('--out', 'migrations');
    expect(code).toBe(0);
    expect(stdout.split('\n\n')[0]).toBe(
      files.map((name) => `migrations/${name} is already there.`).join('\n'),
    );
    expect(read(`migrations/${file}`)).toBe(changed);
  });

  it('writes nothing if a file with different content exists', async () => {
    const last = files.at(-1) ?? '';
    mkdirSync(join(folder, 'migrations'));
    writeFileSync(join(folder, 'migrations', last), 'CREATE TABLE notes (id TEXT);');
    const { code, stdout, stderr } = await migrations('--out', 'migrations');
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(
      /^migrations\/\S+ already exists with different content\. Nothing was written\. [^\n]+\n$/,
    );
    expect(stderr).toContain(last);
    expect(readdirSync(join(folder, 'migrations'))).toEqual([last]);
    expect(read(`migrations/${last}`)).toBe('CREATE TABLE notes (id TEXT);');
  });

  it('does not write through a symbolic link', async () => {
    mkdirSync(join(folder, 'migrations'));
    const [first = ''] = files;
    symlinkSync(join(folder, 'target'), join(folder, 'migrations', first));
    const { code, stdout, stderr } = await migrations('--out', 'migrations');
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(new RegExp(`^migrations/${first} can't be written: EEXIST[^\\n]+\\n$`));
    expect(readdirSync(folder)).toEqual(['migrations']);
  });

  it('does not replace a file with a folder', async () => {
    writeFileSync(join(folder, 'migrations'), '');
    for (const out of ['migrations', 'migrations/sql']) {
      const { code, stdout, stderr } = await migrations('--out', out);
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr).toMatch(new RegExp(`^The folder ${out} can't be created: [^\n]+\n$`));
    }
    expect(read('migrations')).toBe('');
  });
});

describe('--database', () => {
  const readTables = (file: string): readonly unknown[] => {
    const database = new DatabaseSync(join(folder, file), { readOnly: true });
    const rows = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all();
    database.close();
    return rows.map(({ name }) => name);
  };

  it('creates the file and its tables, and applies nothing the second time', async () => {
    expect(await migrations('--database', 'auth.db')).toEqual({
      ...{ code: 0, stderr: '', stdout: `${files.map((file) => `Applied ${file}`).join('\n')}\n` },
    });
    expect(statSync(join(folder, 'auth.db')).mode & 0o777).toBe(0o600);
    const tables = readTables('auth.db');
    expect(tables).toEqual(expect.arrayContaining(['users', 'identities', 'grants', 'audit']));
    expect(await migrations('--database', 'auth.db')).toEqual({
      ...{ code: 0, stderr: '', stdout: `${join(folder, 'auth.db')} already has all migrations.\n` },
    });
    expect(readTables('auth.db')).toEqual(tables);
  });

  it('adds the tables to a database that has others, and changes nothing if a table name is taken', async () => {
    const execute = (file: string, sql: string): void => {
      const database = new DatabaseSync(join(folder, file));
      database.exec(sql);
      database.close();
    };
    execute('app.db', 'CREATE TABLE notes (id TEXT)');
    expect(await migrations('--database', 'app.db')).toMatchObject({ code: 0, stderr: '' });
    expect(readTables('app.db')).toEqual(expect.arrayContaining(['notes', 'users']));

    execute('taken.db', 'CREATE TABLE grants (id TEXT)');
    const { code, stdout, stderr } = await migrations('--database', 'taken.db');
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^The database \S+taken\.db failed: table grants already exists\. [^\n]+\n$/);
    expect(readTables('taken.db')).not.toContain('users');
  });

  it.each([
    ['a folder', '.'],
    ['a file in a folder that does not exist', 'data/auth.db'],
  ])('explains why it can’t open %s', async (_, path) => {
    const { code, stdout, stderr } = await migrations('--database', path);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^\S+ can't be opened as a SQLite database: E(ISDIR|NOENT): /);
    expect(readdirSync(folder)).toEqual([]);
  });
});
