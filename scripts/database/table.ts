/** Formats rows as text. */

/** Formats rows with headers. Each column is as wide as its longest cell. */
export const formatTable = (headers: readonly string[], rows: readonly (readonly string[])[]): string => {
  const all = [headers, ...rows];
  const widths = headers.map((_, column) => Math.max(...all.map((row) => (row[column] ?? '').length)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  return all.map(line).join('\n');
};

/** Formats a time to the minute, or `-` if there is none. */
export const formatInstant = (seconds: number | undefined): string =>
  seconds === undefined
    ? '-'
    : `${new Date(seconds * 1000).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
