/** Writes the files that are generated from code, and finds those that are out of date. */
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readReference } from '../api-reference/reference.ts';
import { renderExampleFile } from '../environment/example-file.ts';
import { renderVariablesPage } from '../environment/page.ts';
import { renderLlms } from './llms.ts';

const files = {
  'docs/reference/environment-variables.md': renderVariablesPage,
  'apps/words/.dev.vars.example': renderExampleFile,
  'llms.txt': () => renderLlms((page) => page),
};

/** The generated files and folders, relative to the root of the repository. */
export const generatedPaths: readonly string[] = [
  ...['docs/reference/api', 'docs/reference/options.md'],
  ...Object.keys(files),
];

/**
 * Writes the generated files below a folder that stands for the root of the repository.
 * @returns whether the docstrings are complete. All problems were printed
 */
export const writeGeneratedFiles = async (root: string): Promise<boolean> => {
  for (const [path, render] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), render());
  }
  const reference = await readReference();
  await reference.write(join(root, 'docs/reference'));
  return reference.isComplete;
};

/**
 * Lists the files that differ between two folders, or that only one of them has, sorted by name.
 * @param paths the files and folders to compare, relative to both folders
 */
export const listDifferences = (
  first: string,
  second: string,
  paths: readonly string[],
): readonly string[] => {
  const found = paths.flatMap((path) => [first, second].flatMap((root) => listFiles(root, path)));
  return [...new Set(found)]
    .filter((file) => readIfPresent(join(first, file)) !== readIfPresent(join(second, file)))
    .toSorted();
};

/** Returns a file, or the files in a folder, relative to the root. */
const listFiles = (root: string, path: string): readonly string[] => {
  const stats = statSync(join(root, path), { throwIfNoEntry: false });
  if (stats === undefined) return [];
  if (stats.isFile()) return [path];
  return readdirSync(join(root, path), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(join(root, '/').length));
};

const readIfPresent = (file: string): string | undefined =>
  existsSync(file) ? readFileSync(file, 'utf8') : undefined;
