/** Reads the links, headings and code blocks of a Markdown page, with the anchors that GitHub gives the headings. */
import GithubSlugger from 'github-slugger';
import MarkdownIt, { type Token } from 'markdown-it';

/** A link or an image. */
interface Link {
  /** The line where the paragraph, list item or table row that contains it starts, counted from 1. */
  readonly line: number;
  /** The target, as in the page. */
  readonly target: string;
}

/** Text that looks like a link and is not one: its definition is missing, or its target has a space. */
interface BrokenLink {
  readonly line: number;
  readonly text: string;
}

export interface MarkdownPage {
  readonly links: readonly Link[];
  /** The anchors of the headings and the `id`s in HTML, without `#`. */
  readonly anchors: ReadonlySet<string>;
  readonly brokenLinks: readonly BrokenLink[];
}

/** A fenced code block. */
export interface CodeBlock {
  readonly language: string;
  /** The line of the first line of code, counted from 1. */
  readonly line: number;
  readonly code: string;
  /**
   * The path of the file, if the block contains a whole one: from a first line with only a comment, such as
   * `// src/worker.ts`, or from a title after the language, such as `json title="package.json"`.
   */
  readonly path?: string;
  /** The project that the block is about, from a word after the language, such as `diff workers`. Default: any. */
  readonly project?: string;
}

const parser = new MarkdownIt({ html: true });
// Otherwise it percent-encodes targets.
parser.normalizeLink = (target) => target;

/** Reads a page from its Markdown. */
export const readMarkdownPage = (markdown: string): MarkdownPage => {
  const slugger = new GithubSlugger();
  const anchors = new Set<string>();
  const links: Link[] = [];
  const brokenLinks: BrokenLink[] = [];
  let line = 0;
  let isHeading = false;
  for (const token of parser.parse(markdown, {})) {
    const { type, map, children } = token;
    if (map !== null) line = map[0] + 1;
    if (type === 'heading_open') isHeading = true;
    const tokens = type === 'inline' ? (children ?? []) : [token];
    if (isHeading && type === 'inline') {
      anchors.add(slugger.slug(readText(tokens)));
      isHeading = false;
    }
    const html = tokens.filter(({ type }) => type.startsWith('html_')).map(({ content }) => content);
    for (const id of readAttributes(html, 'id')) anchors.add(id);
    for (const target of [...tokens.flatMap(readTarget), ...readAttributes(html, 'href|src|srcset')])
      links.push({ line, target });
    if (type !== 'inline') continue;
    for (const [text] of readText(tokens, ' ').matchAll(/\[[^\]]*\](\[[^\]]*\]|\([^)]*\)?)/g))
      brokenLinks.push({ line, text });
  }
  return { links, anchors, brokenLinks };
};

/** Returns the fenced code blocks of a page. */
export const readCodeBlocks = (markdown: string): readonly CodeBlock[] =>
  parser.parse(markdown, {}).flatMap(({ type, info, map, content: code }) => {
    if (type !== 'fence' || map === null) return [];
    const [, language = '', project] = /^(\S*)(?:\s+(\w+)$)?/.exec(info.trim()) ?? [];
    const [, path] = /^\/\/ ([\w./-]+\.(?:[jt]s|jsonc))\n/.exec(code) ?? /\stitle="([^"]+)"/.exec(info) ?? [];
    return [
      {
        ...{ language, line: map[0] + 2, code },
        ...(path !== undefined && { path }),
        ...(project !== undefined && { project }),
      },
    ];
  });

/** Returns the text of inline tokens. `code` replaces inline code. Default: the code itself. */
const readText = (tokens: readonly Token[], code?: string): string =>
  tokens
    .map(({ type, content }) => {
      if (type === 'text') return content;
      if (type === 'code_inline') return code ?? content;
      return type === 'softbreak' ? ' ' : '';
    })
    .join('');

const readTarget = (token: Token): readonly string[] => {
  const target = token.attrGet('href') ?? token.attrGet('src');
  return typeof target === 'string' ? [target] : [];
};

const readAttributes = (html: readonly string[], names: string): readonly string[] =>
  [
    ...html.join('\n').matchAll(new RegExp(`(?<![\\w-])(?:${names})\\s*=\\s*(?:"([^"]*)"|'([^']*)')`, 'gi')),
  ].map(([, quoted, value = '']) => quoted ?? value);
