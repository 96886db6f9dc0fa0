/** Finds what is wrong with the form of a documentation page: its first line, and the width of its prose. */
import MarkdownIt from 'markdown-it';

/** The maximum length of a line of prose, in characters. */
export const maxProseWidth = 100;

const parser = new MarkdownIt({ html: true });

/**
 * Returns whether the first text after the title is a paragraph: the sentence that says what the page is for.
 * Comments are ignored.
 */
export const hasPurpose = (markdown: string): boolean => {
  const tokens = parser.parse(markdown, {}).filter(({ type }) => type !== 'html_block');
  const types = tokens.map(({ type, tag }) => `${type} ${tag}`);
  return types[0] === 'heading_open h1' && types[3] === 'paragraph_open p';
};

/**
 * Returns the numbers of the lines of prose that are too long, counted from 1. Headings, tables, code and HTML
 * are not prose. A line that cannot be broken, such as a long URL, is allowed.
 */
export const findLongLines = (markdown: string): readonly number[] => {
  const lines = markdown.split('\n');
  const numbers = parser
    .parse(markdown, {})
    .flatMap(({ type, map }) => (type === 'paragraph_open' && map !== null ? listRange(map) : []));
  return numbers.filter((number) => isTooLong(lines[number - 1] ?? ''));
};

const listRange = ([start, end]: readonly [number, number]): readonly number[] =>
  Array.from({ length: end - start }, (_, index) => start + index + 1);

const isTooLong = (line: string): boolean => {
  // Inline code is not broken.
  const text = line.replaceAll(/`[^`]+`/g, (code) => 'x'.repeat(code.length));
  const { length: indent } = /^\s*(?:(?:[-*+>]|\d+\.)\s+)*/.exec(text)?.[0] ?? '';
  const isHtml = line.trimStart().startsWith('<');
  return !isHtml && text.length > maxProseWidth && text.slice(indent, maxProseWidth + 1).includes(' ');
};
