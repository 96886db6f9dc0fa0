/** Holds docs/spec-coverage.md against the test sources: every test that it names must exist. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const page = 'docs/spec-coverage.md';

const sources = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.ts'], {
  encoding: 'utf8',
})
  .split('\n')
  .filter((file) => /\/test\/|^conformance\//.test(file))
  .map((file) => readFileSync(file, 'utf8'))
  .join('\n');

/** Counts a title: the first thing in a call or in a row of a table, with something after it. */
const count = (title: string): number => {
  const text = title.replaceAll(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
  return [...sources.matchAll(new RegExp(`[([]\\s*(['"\`])${text}\\1\\s*,`, 'g'))].length;
};

const checkTitle = (title: string): readonly string[] => {
  const found = count(title);
  if (found === 1) return [];
  return [found === 0 ? `no test is called: ${title}` : `${found} tests are called: ${title}`];
};

/** The claims below one heading: rows with their line and the tests that they name. */
const readRows = (lines: readonly string[], from: number) =>
  lines.flatMap((line, at) => {
    const cells = /^\| ([^|]+) \| ([^|]+) \| ([^|]+) \|$/.exec(line);
    if (cells === null || cells[1] === '§') return [];
    const names = [...(cells[3] ?? '').matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);
    return [{ line: from + at + 1, names }];
  });

const lines = readFileSync(page, 'utf8').split('\n');
const headings = lines.flatMap((line, at) => (line.startsWith('## ') ? [at] : []));
const problems: string[] = [];
let claims = 0;
let tests = 0;

for (const [index, start] of headings.entries()) {
  const section = lines.slice(start, headings[index + 1]);
  const rows = readRows(section, start);
  const tableLineCount = section.filter((line) => line.startsWith('|')).length;
  // Head and rule are lines of a table, too; a row that was not understood would go unchecked.
  if (tableLineCount > 0 && rows.length !== tableLineCount - 2)
    problems.push(`${page}:${start + 1}: a row is not read`);
  for (const { line, names } of rows) {
    if (names.length === 0) problems.push(`${page}:${line}: names no test`);
    problems.push(...names.flatMap(checkTitle).map((problem) => `${page}:${line}: ${problem}`));
    tests += names.length;
  }
  claims += rows.length;
}

// A checker that silently reads nothing finds nothing wrong.
if (claims === 0) problems.push(`${page}: no claim was read`);
for (const problem of problems) console.error(problem);
console.log(`${claims} claims, ${tests} tests named, ${problems.length} faults`);
process.exitCode = problems.length === 0 ? 0 : 1;
