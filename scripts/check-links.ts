/**
 * Checks the links of every Markdown page: the file and the heading that a link names exist in the repository,
 * an external link uses https, and every page in docs can be reached from README.md. Also checks the pages that
 * comments and messages in other files name.
 */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path/posix';
import { listRepositoryFiles } from './app/repository-files.ts';
import { findLinkProblems, findReachablePages } from './docs/links.ts';
import { readMarkdownPage } from './docs/markdown.ts';

const files = listRepositoryFiles();

const listFolders = (path: string): readonly string[] => {
  const folder = dirname(path);
  return folder === path ? [] : [folder, ...listFolders(folder)];
};

const read = (file: string): string => readFileSync(file, 'utf8');
const paths = new Set(files.flatMap((file) => [file, ...listFolders(file)]));
const pages = new Map(
  files.filter((file) => file.endsWith('.md')).map((file) => [file, readMarkdownPage(read(file))]),
);
const repository = { paths, pages };
const reached = findReachablePages(repository, 'README.md');

/** Returns the pages that a file names, by their path from the root or from the file, and that don't exist. */
const findMissingPages = (file: string): readonly string[] =>
  [...read(file).matchAll(/(?<![\w./-])(\.\.\/)*docs\/[\w/-]+\.md\b/g)]
    .map(([path]) => path)
    .filter((path) => !paths.has(path) && !paths.has(join(dirname(file), path)))
    .map((path) => `${file}: ${path} does not exist`);

const problems = [
  ...[...pages.keys()].flatMap((page) => findLinkProblems(repository, page)),
  ...[...pages.keys()]
    .filter((page) => page.startsWith('docs/') && !reached.has(page))
    .map((page) => `${page}: no page links to it`),
  ...files
    .filter((file) => /(\.([cm]?[jt]s|jsonc?|sql|yml|example)|\.ci\/run)$/.test(file))
    .flatMap(findMissingPages),
];
const linkCount = [...pages.values()].flatMap(({ links }) => links).length;
// Otherwise a checker that reads nothing would report no problems.
if (linkCount === 0) problems.push('no link was found');
for (const problem of problems) console.error(problem);
console.log(`${pages.size} pages, ${linkCount} links, ${problems.length} problems`);
process.exitCode = problems.length === 0 ? 0 : 1;
