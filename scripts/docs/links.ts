/** Finds the links of Markdown pages that lead nowhere, and the pages that no link leads to. */
import { dirname, join } from 'node:path/posix';
import type { MarkdownPage } from './markdown.ts';

/** The files of a repository. */
export interface Repository {
  /** All files and folders, relative to the root. */
  readonly paths: ReadonlySet<string>;
  /** The Markdown pages, by their path. */
  readonly pages: ReadonlyMap<string, MarkdownPage>;
}

/** Returns what is wrong with the links of one page: a line for each problem. */
export const findLinkProblems = (repository: Repository, page: string): readonly string[] => {
  const { links = [], brokenLinks = [] } = repository.pages.get(page) ?? {};
  return [
    ...links.flatMap(({ line, target }) => {
      const problem = findProblem(repository, page, target);
      return problem === undefined ? [] : [`${page}:${line}: ${target || 'an empty target'} ${problem}`];
    }),
    ...brokenLinks.map(({ line, text }) => `${page}:${line}: ${text} is not a link`),
  ];
};

/** Returns the pages that can be reached from `start` by following links. A link to a folder leads to its README. */
export const findReachablePages = ({ pages }: Repository, start: string): ReadonlySet<string> => {
  const reached = new Set<string>();
  const follow = (page: string): void => {
    if (reached.has(page)) return;
    reached.add(page);
    for (const { target } of pages.get(page)?.links ?? []) {
      const { file } = resolveTarget(page, target) ?? {};
      if (file === undefined) continue;
      for (const next of [file, join(file, 'README.md')]) if (pages.has(next)) follow(next);
    }
  };
  follow(start);
  return reached;
};

/** Resolves a relative target to a path in the repository and an anchor. Returns `undefined` for any other target. */
export const resolveTarget = (page: string, target: string) => {
  const [, path = '', anchor] = /^([^#]*)(?:#(.*))?$/s.exec(target) ?? [];
  const decoded = decodePath(path);
  if (decoded === undefined || /^([a-z][a-z\d+.-]*:|\/)/i.test(target)) return undefined;
  return { file: path === '' ? page : join(dirname(page), decoded).replace(/\/$/, ''), anchor };
};

const decodePath = (path: string): string | undefined => {
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined; // a stray `%`, which is reported as not relative
  }
};

const findProblem = ({ paths, pages }: Repository, page: string, target: string): string | undefined => {
  if (/^(https|mailto):/.test(target)) return URL.canParse(target) ? undefined : 'is not a valid URL';
  // An address of the app that `npm start` runs.
  if (/^http:\/\/localhost:\d+\//.test(target)) return;
  if (target === '') return 'leads nowhere';
  const { file, anchor } = resolveTarget(page, target) ?? {};
  if (file === undefined) return 'is neither an https URL nor a relative path';
  if (!paths.has(file)) return 'does not exist';
  if (anchor === undefined) return;
  const anchors = pages.get(file)?.anchors;
  if (anchors === undefined) return 'has an anchor, but is not a page';
  return anchors.has(anchor) ? undefined : 'names a heading that does not exist';
};
