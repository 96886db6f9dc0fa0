/** Checks that a tarball contains exactly what it should, and that every entry point is one of its files. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { PackedPackage } from './package.ts';

/** Returns what is missing from a tarball, what must not be in it, and each entry point that is wrong. */
export const findContentProblems = (packed: PackedPackage): readonly string[] => {
  const expected = listExpectedFiles(packed);
  const missing = expected.filter((file) => !packed.files.includes(file));
  const unexpected = packed.files.filter((file) => !expected.includes(file));
  return [
    ...missing.map((file) => `${file} is missing from the tarball`),
    ...unexpected.map((file) => `${file} must not be in the tarball`),
    ...findExportProblems(packed, expected),
  ];
};

/**
 * Lists the code and types of every source file except tests, the migrations if they are published, and the
 * four files that every package has.
 */
const listExpectedFiles = ({ folder, manifest }: PackedPackage): readonly string[] => [
  ...['CHANGELOG.md', 'LICENSE', 'README.md', 'package.json'],
  ...(manifest.files?.includes('migrations') ? listFiles(folder, 'migrations') : []),
  ...listFiles(folder, 'src')
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
    .flatMap((file) => {
      const compiled = file.replace(/^src\/(.*)\.ts$/, 'dist/$1');
      return [`${compiled}.js`, `${compiled}.d.ts`];
    }),
];

const listFiles = (folder: string, subfolder: string): readonly string[] =>
  readdirSync(join(folder, subfolder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));

/**
 * Each entry point must be compiled from one source file. The order of the conditions matters, because the
 * first one that matches is used.
 */
const findExportProblems = (
  { manifest: { exports: entryPoints = {} } }: PackedPackage,
  expectedFiles: readonly string[],
): readonly string[] =>
  Object.entries(entryPoints).flatMap(([subpath, target]) => {
    if (subpath === './package.json') return [];
    const source = String(Object(target)['dev-source']);
    const compiled = source.replace(/^\.\/src\/(.*)\.ts$/, './dist/$1');
    const correct = { 'dev-source': source, types: `${compiled}.d.ts`, default: `${compiled}.js` };
    const isCorrect =
      isDeepStrictEqual(target, correct) &&
      isDeepStrictEqual(Object.keys(Object(target)), Object.keys(correct)) &&
      expectedFiles.includes(correct.default.slice(2));
    return isCorrect
      ? []
      : [
          `exports["${subpath}"] must have dev-source (a file in src), then types and default, both compiled from it`,
        ];
  });
