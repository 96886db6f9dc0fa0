/** Reads the links and headings of a Markdown file, with the anchors that GitHub gives the headings. */
import { readFileSync } from 'node:fs';
import GithubSlugger from 'github-slugger';
import MarkdownIt, { type Token } from 'markdown-it';

/** A link or an image. */
interface Link {
  /** The line where the paragraph, list item or table row that contains it starts, counted from 1. */
  readonly line: number;
  /** The target, as in the file. For a reference link without a definition, which is shown as text: its name. */
  readonly target: string;
}

export interface MarkdownPage {
  readonly links: readonly Link[];
  /** The anchors of the headings and the `id`s in HTML, without `#`. */
  readonly anchors: ReadonlySet<string>;
  readonly undefinedReferences: readonly Link[];
}

const parser = new MarkdownIt({ html: true });
// Otherwise it percent-encodes targets.
parser.normalizeLink = (target) => target;

/** Reads a Markdown file. */
export const readMarkdownPage = (file: string): MarkdownPage => {
  const slugger = new GithubSlugger();
  const anchors = new Set<string>();
  const links: Link[] = [];
  const undefinedReferences: Link[] = [];
  let line = 0;
  let isHeading = false;
  for (const token of parser.parse(readFileSync(file, 'utf8'), {})) {
    const { type, map, children, content } = token;
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
    for (const [, target = ''] of readText(tokens, ' ').matchAll(/\]\[([^\]]*)\]/g))
      undefinedReferences.push({ line, target: target || content });
  }
  return { links, anchors, undefinedReferences };
};

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
  [...html.join('\n').matchAll(new RegExp(`\\b(?:${names})="([^"]*)"`, 'g'))].map(([, value = '']) => value);
