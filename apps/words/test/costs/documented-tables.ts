/** Reads the tables of docs/explanation/costs.md, as rows of cells. */
import costs from '../../../../docs/explanation/costs.md?raw';

/**
 * Reads the table of a section, without its header.
 * @throws Error if there is no such section
 */
export const readDocumentedTable = (heading: string): readonly (readonly string[])[] => {
  const [, section] = costs.split(`\n## ${heading}\n`);
  if (section === undefined) throw new Error(`docs/explanation/costs.md has no section "${heading}"`);
  const [text = ''] = section.split('\n## ');
  const lines = text.split('\n').filter((line) => line.startsWith('|'));
  return lines.slice(2).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
};

/** Formats a number as in the tables. */
export const formatNumber = (value: number): string => value.toLocaleString('en-US');
