/** Reads `docs/README.md`, the index of all pages: its sections with their groups of links. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path/posix';
import MarkdownIt, { type Token } from 'markdown-it';

/** A page in the index. */
interface IndexedPage {
  readonly title: string;
  /** The path from the root of the repository. */
  readonly path: string;
  /** What the index says about the page, as plain text. */
  readonly description: string;
}

/** A table of a section. */
interface PageGroup {
  /** The first header of the table, such as `I want to connect …`. Empty if it is `Page`. */
  readonly title: string;
  readonly pages: readonly IndexedPage[];
}

export interface IndexSection {
  readonly title: string;
  readonly groups: readonly PageGroup[];
}

const folder = 'docs';
const indexPage = `${folder}/README.md`;

/** Reads the sections of the index. */
export const readIndex = (): readonly IndexSection[] => parseIndex(readFileSync(indexPage, 'utf8'));

/** Reads the sections of an index from its Markdown. */
export const parseIndex = (markdown: string): readonly IndexSection[] => {
  const sections: { title: string; groups: { title: string; pages: IndexedPage[] }[] }[] = [];
  const tokens = new MarkdownIt().parse(markdown, {});
  let cells: Token[] = [];
  for (const [index, { type, tag }] of tokens.entries()) {
    const next = tokens[index + 1];
    if (type === 'heading_open' && tag === 'h2')
      sections.push({ title: readText(next?.children ?? []), groups: [] });
    if (type === 'tr_open') cells = [];
    if ((type === 'th_open' || type === 'td_open') && next !== undefined) cells.push(next);
    const group = sections.at(-1)?.groups;
    if (type === 'thead_close') {
      const header = readText(cells[0]?.children ?? []);
      group?.push({ title: header === 'Page' ? '' : header, pages: [] });
    }
    if (type === 'tr_close' && tokens[index - 1]?.type === 'td_close')
      group?.at(-1)?.pages.push(...readRow(cells));
  }
  return sections;
};

/** Returns the pages that a row links to. The other cell describes them. */
const readRow = (cells: readonly Token[]): readonly IndexedPage[] => {
  const linked = cells.find(({ children }) => children?.some(({ type }) => type === 'link_open'));
  const description = readText(cells.find((cell) => cell !== linked)?.children ?? []);
  const tokens = linked?.children ?? [];
  return tokens.flatMap((token, index) => {
    if (token.type !== 'link_open') return [];
    const end = tokens.findIndex(({ type }, position) => position > index && type === 'link_close');
    const path = join(folder, String(token.attrGet('href')));
    return [{ title: readText(tokens.slice(index, end)), path, description }];
  });
};

const readText = (tokens: readonly Token[]): string =>
  tokens
    .filter(({ type }) => type === 'text' || type === 'code_inline')
    .map(({ content }) => content)
    .join('');
