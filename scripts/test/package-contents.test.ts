/** Tests the check of a tarball's contents, with a small package. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { findContentProblems } from '../packages/contents.ts';

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'contents-'));
  for (const file of [
    'src/index.ts',
    'src/seal/index.ts',
    'src/seal/index.test.ts',
    'src/seal/README.md',
    'migrations/0001.sql',
  ]) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), '');
  }
});

afterAll(() => rmSync(folder, { recursive: true }));

const completeFiles = [
  'CHANGELOG.md',
  'LICENSE',
  'README.md',
  'package.json',
  'dist/index.js',
  'dist/index.d.ts',
  'dist/seal/index.js',
  'dist/seal/index.d.ts',
  'migrations/0001.sql',
];

const main = { 'dev-source': './src/index.ts', types: './dist/index.d.ts', default: './dist/index.js' };
const seal = {
  'dev-source': './src/seal/index.ts',
  types: './dist/seal/index.d.ts',
  default: './dist/seal/index.js',
};

const check = ({
  files = completeFiles,
  exports: entryPoints = { '.': main, './seal': seal, './package.json': './package.json' },
  published = ['dist', 'migrations'],
}: {
  readonly files?: readonly string[];
  readonly exports?: Readonly<Record<string, unknown>>;
  readonly published?: readonly string[];
} = {}) =>
  findContentProblems({
    folder,
    manifest: { name: 'example', version: '1.0.0', exports: entryPoints, files: published },
    tarball: '',
    files,
  });

it('accepts a tarball with code and types of every source file, the migrations and the documents', () => {
  expect(check()).toEqual([]);
});

it.each(completeFiles)('reports that %s is missing', (missing) => {
  expect(check({ files: completeFiles.filter((file) => file !== missing) })).toEqual([
    `${missing} is missing from the tarball`,
  ]);
});

it.each([
  'dist/seal/index.test.js',
  'dist/deleted.js',
  'dist/tsconfig.tsbuildinfo',
  'dist/index.js.map',
  'src/index.ts',
  'test/index.test.ts',
  'tsconfig.build.json',
])('reports that %s must not be in the tarball', (file) => {
  expect(check({ files: [...completeFiles, file] })).toEqual([`${file} must not be in the tarball`]);
});

it('reports migrations of a package that does not publish them', () => {
  expect(check({ published: ['dist'] })).toEqual(['migrations/0001.sql must not be in the tarball']);
});

it.each<[string, unknown]>([
  ['no types', { 'dev-source': main['dev-source'], default: main.default }],
  ['no source', { types: main.types, default: main.default }],
  ['the types of another file', { ...main, types: seal.types }],
  ['the code of another file', { ...main, default: seal.default }],
  ['a source file that does not exist', JSON.parse(JSON.stringify(main).replaceAll('index', 'missing'))],
  ['its conditions in another order', Object.fromEntries(Object.entries(main).reverse())],
  ['only a path', './dist/index.js'],
])('reports an entry point with %s', (_, target) => {
  expect(check({ exports: { '.': target } })).toEqual([
    'exports["."] must have dev-source (a file in src), then types and default, both compiled from it',
  ]);
});
