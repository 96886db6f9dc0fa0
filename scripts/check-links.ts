/**
 * Checks the links of every Markdown file: the file and the heading that a link names exist, in the repository and
 * not only on this machine; an external link uses https; and every page in docs can be reached from README.md. Also
 * checks the pages that comments and messages in other files name.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path/posix';
import { readMarkdownPage } from './docs/markdown.ts';

const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  encoding: 'utf8',
})
  .split('\n')
  .filter((file) => file !== '' && existsSync(file));

const listFolders = (path: string): readonly string[] => {
  const folder = dirname(path);
  return folder === path ? [] : [folder, ...listFolders(folder)];
};

/** All files and folders of the repository. */
const paths = new Set(files.flatMap((file) => [file, ...listFolders(file)]));

const pages = new Map(
  files.filter((file) => file.endsWith('.md')).map((file) => [file, readMarkdownPage(file)]),
);

/** Resolves the target of a link to a file or folder of the repository and an anchor. */
const resolveTarget = (page: string, target: string) => {
  const [path = '', anchor] = decodeURIComponent(target).split('#');
  const file = path === '' ? page : join(dirname(page), path).replace(/\/$/, '');
  return { file, anchor };
};

/** Returns what is wrong with a link, if anything. */
const findProblem = (page: string, target: string): string | undefined => {
  if (/^(https|mailto):/.test(target)) return URL.canParse(target) ? undefined : 'is not a valid URL';
  // An address of the app that `npm start` runs.
  if (/^http:\/\/localhost:\d+\//.test(target)) return;
  if (/^[a-z][a-z\d+.-]*:/i.test(target)) return 'does not use https';
  if (target.startsWith('/')) return 'is not relative';
  const { file, anchor } = resolveTarget(page, target);
  if (!paths.has(file)) return 'does not exist';
  if (anchor === undefined) return;
  const anchors = pages.get(file)?.anchors;
  if (anchors === undefined) return /^L\d+$/.test(anchor) ? undefined : 'has an anchor, but is not a page';
  return anchors.has(anchor) ? undefined : 'names a heading that does not exist';
};

const problems: string[] = [];
let linkCount = 0;
for (const [page, { links, undefinedReferences }] of pages) {
  linkCount += links.length;
  for (const { line, target } of links) {
    const problem = findProblem(page, target);
    if (problem !== undefined) problems.push(`${page}:${line}: ${target} ${problem}`);
  }
  for (const { line, target } of undefinedReferences)
    problems.push(`${page}:${line}: the link [${target}] is not defined`);
}

/** The pages that can be reached from README.md by following links. A link to a folder leads to its README. */
const reached = new Set<string>();
const follow = (page: string): void => {
  if (reached.has(page)) return;
  reached.add(page);
  for (const { target } of pages.get(page)?.links ?? []) {
    if (/^[a-z]+:/.test(target)) continue;
    const { file } = resolveTarget(page, target);
    for (const next of [file, join(file, 'README.md')]) if (pages.has(next)) follow(next);
  }
};
follow('README.md');
for (const page of pages.keys())
  if (page.startsWith('docs/') && !reached.has(page)) problems.push(`${page}: no page links to it`);

// Comments and messages name pages by their path from the root, or relative to the file.
for (const file of files.filter((name) => /(\.([cm]?[jt]s|jsonc?|sql|yml|example)|\.ci\/run)$/.test(name))) {
  for (const [path] of readFileSync(file, 'utf8').matchAll(/(?<![\w./-])(\.\.\/)*docs\/[\w/-]+\.md\b/g))
    if (!paths.has(path) && !paths.has(join(dirname(file), path)))
      problems.push(`${file}: ${path} does not exist`);
}

// Otherwise a checker that reads nothing would report no problems.
if (linkCount === 0) problems.push('no link was found');
for (const problem of problems) console.error(problem);
console.log(`${pages.size} pages, ${linkCount} links, ${problems.length} problems`);
process.exitCode = problems.length === 0 ? 0 : 1;
