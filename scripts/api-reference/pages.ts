/** Compares two folders of generated pages. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The folder of the generated API reference. */
export const referenceFolder = 'docs/reference/api';

/** Lists the files that differ between two folders, or that only one of them has, sorted by name. */
export const listDifferences = (first: string, second: string): readonly string[] =>
  [...new Set([...listFiles(first), ...listFiles(second)])]
    .filter((file) => readIfPresent(join(first, file)) !== readIfPresent(join(second, file)))
    .toSorted();

const listFiles = (folder: string): readonly string[] =>
  existsSync(folder)
    ? readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    : [];

const readIfPresent = (file: string): string | undefined =>
  existsSync(file) ? readFileSync(file, 'utf8') : undefined;
