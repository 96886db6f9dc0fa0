/** Checks that every test named in docs/explanation/spec-coverage.md exists, exactly once. */
import { readFileSync } from 'node:fs';
import { listRepositoryFiles } from './app/repository-files.ts';

const page = 'docs/explanation/spec-coverage.md';

const sources = listRepositoryFiles('*.ts')
  .filter((file) => /\/test\/|^conformance\//.test(file))
  .map((file) => readFileSync(file, 'utf8'))
  .join('\n');

/**
 * Counts the tests with a title: the first argument of a call or the first element of an array, if another
 * one follows.
 */
const countTests = (title: string): number => {
  const text = title.replaceAll(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
  return [...sources.matchAll(new RegExp(`[([]\\s*(['"\`])${text}\\1\\s*,`, 'g'))].length;
};

const checkTitle = (title: string): readonly string[] => {
  const found = countTests(title);
  if (found === 1) return [];
  return [found === 0 ? `no test has the title: ${title}` : `${found} tests have the title: ${title}`];
};

/** Reads the rows below one heading, with their line and the tests that they name. */
const readRows = (lines: readonly string[], firstLine: number) =>
  lines.flatMap((line, index) => {
    const cells = /^\| ([^|]+) \| ([^|]+) \| ([^|]+) \|$/.exec(line);
    if (cells === null || cells[1] === '§') return [];
    const names = [...(cells[3] ?? '').matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);
    return [{ line: firstLine + index + 1, names }];
  });

const lines = readFileSync(page, 'utf8').split('\n');
const headings = lines.flatMap((line, index) => (line.startsWith('## ') ? [index] : []));
const problems: string[] = [];
let claims = 0;
let tests = 0;

for (const [index, start] of headings.entries()) {
  const section = lines.slice(start, headings[index + 1]);
  const rows = readRows(section, start);
  const tableLineCount = section.filter((line) => line.startsWith('|')).length;
  // A table also has a header and a separator. A row that was not parsed would not be checked.
  if (tableLineCount > 0 && rows.length !== tableLineCount - 2)
    problems.push(`${page}:${start + 1}: a row cannot be parsed`);
  for (const { line, names } of rows) {
    if (names.length === 0) problems.push(`${page}:${line}: names no test`);
    problems.push(...names.flatMap(checkTitle).map((problem) => `${page}:${line}: ${problem}`));
    tests += names.length;
  }
  claims += rows.length;
}

// Otherwise a checker that reads nothing would report no problems.
if (claims === 0) problems.push(`${page}: no row was found`);
for (const problem of problems) console.error(problem);
console.log(`${claims} claims, ${tests} tests named, ${problems.length} problems`);
process.exitCode = problems.length === 0 ? 0 : 1;
