/** Formats prose and tables of generated pages. */

/** A word, or inline code or a link with what touches it, within which a line must not end. */
const word = /(?:`[^`]*`|\[(?:`[^`]*`|[^\]])*\]\([^)]*\)|\S)+/g;

/** Breaks a paragraph into lines of at most `width` characters, except where a single word is longer. */
export const wrapProse = (paragraph: string, width: number): string => {
  const lines: string[] = [];
  for (const [text] of paragraph.matchAll(word)) {
    const line = `${lines.at(-1) ?? ''} ${text}`;
    if (lines.length > 0 && line.length <= width) lines[lines.length - 1] = line;
    else lines.push(text);
  }
  return lines.join('\n');
};

/** Renders a table of cells in Markdown. */
export const renderTable = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows]
    .map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`)
    .join('\n');
