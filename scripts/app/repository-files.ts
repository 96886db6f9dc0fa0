/** Lists the files of the repository. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';

/**
 * Returns the files that git tracks, and new ones that it does not ignore, relative to the root.
 * @param patterns pathspecs of git, such as `packages/*.ts`, in which `*` also matches `/`. Default: all files
 */
export const listRepositoryFiles = (...patterns: readonly string[]): readonly string[] =>
  execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', ...patterns], {
    encoding: 'utf8',
  })
    .split('\n')
    .filter((file) => file !== '' && existsSync(file));
