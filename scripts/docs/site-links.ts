/** Plugins of markdown-it for the site: for the links between the pages of the repository, and for tables. */
import { join, relative } from 'node:path';
import type { MarkdownRenderer } from 'vitepress';
import { resolveTarget } from './links.ts';
import { toSiteUrl } from './site-pages.ts';

type Token = ReturnType<MarkdownRenderer['parse']>[number];

/** What VitePress passes to plugins. */
interface Environment {
  /** The path of the page in the file system. If `realPath` is there, that of the page on the site. */
  readonly path: string;
  /** The path of the page in the file system. Absent when the search index is built. */
  readonly realPath?: string;
}

/**
 * Copies the header of each column to the cells of a table, as `data-label`. On a narrow screen, the cells of a row
 * are shown one below the other, and the style sheet shows these labels.
 */
export const labelCells = (markdown: MarkdownRenderer): void => {
  markdown.core.ruler.push('label_cells', ({ tokens }) => {
    let labels: string[] = [];
    let column = 0;
    for (const [index, token] of tokens.entries()) {
      if (token.type === 'thead_open') labels = [];
      if (token.type === 'tr_open') column = 0;
      if (token.type === 'th_open') labels.push(readText(tokens[index + 1]?.children ?? []));
      if (token.type === 'td_open') {
        const label = labels[column];
        if (label !== undefined && label !== '') token.attrSet('data-label', label);
        column += 1;
      }
    }
  });
};

const readText = (tokens: readonly Token[]): string => tokens.map(({ content }) => content).join('');

/**
 * Replaces each relative link with the URL of the page. A link to a file that is not a page of the site, such as
 * a source file, becomes plain text.
 * @param pages the paths of the pages, relative to the root of the repository
 */
export const siteLinks = (markdown: MarkdownRenderer, pages: readonly string[]): void => {
  const known = new Set(pages);
  markdown.core.ruler.push('site_links', ({ tokens, env }) => {
    const { path, realPath = path }: Environment = env;
    const page = relative(join(import.meta.dirname, '../..'), realPath);
    for (const token of tokens) {
      if (token.children !== null) token.children = replaceLinks(token.children, page, known);
    }
  });
};

const replaceLinks = (tokens: readonly Token[], page: string, known: ReadonlySet<string>): Token[] => {
  let isRemoved = false;
  return tokens.filter((token) => {
    if (token.type === 'link_close') return !isRemoved;
    if (token.type !== 'link_open') return true;
    const url = findUrl(page, String(token.attrGet('href')), known);
    isRemoved = url === undefined;
    if (url !== undefined) token.attrSet('href', url);
    return !isRemoved;
  });
};

/** Returns the URL of a link, or `undefined` if its target is not on the site. */
const findUrl = (page: string, target: string, known: ReadonlySet<string>): string | undefined => {
  const { file, anchor } = resolveTarget(page, target) ?? {};
  if (file === undefined || target.startsWith('#')) return target; // an external link, or one on the same page
  const found = [file, join(file, 'README.md')].find((path) => known.has(path));
  if (found === undefined) return undefined;
  return toSiteUrl(found) + (anchor === undefined ? '' : `#${anchor}`);
};
