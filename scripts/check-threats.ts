/**
 * Checks docs/explanation/threat-model.md against the tests: every case that it lists as covered has a test with
 * its ID.
 */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { listRepositoryFiles } from './app/repository-files.ts';

const page = 'docs/explanation/threat-model.md';

/**
 * A row: a threat, the IDs of its cases, and the test files that it names. A row without files is not
 * built yet.
 */
interface Row {
  readonly line: number;
  readonly threat: string;
  readonly cases: readonly string[];
  readonly files: readonly string[];
}

/**
 * Returns the IDs at the start of string literals in a file, such as test titles or the first column of a
 * test table.
 */
const readTestIds = (file: string): readonly string[] =>
  [...readFileSync(file, 'utf8').matchAll(/['"`]([A-Z]\d+\.\d+)(?=[ :])/g)].map(([, id = '']) => id);

const testIdsByFile = new Map(
  listRepositoryFiles('*.test.ts').map((file) => [file, new Set(readTestIds(file))] as const),
);

const lines = readFileSync(page, 'utf8').split('\n');

const links = new Map(
  lines.flatMap((line) => {
    const [, name, target] = /^\[([^\]]+)\]: (\S+)$/.exec(line) ?? [];
    return name === undefined || target === undefined ? [] : [[name, join(dirname(page), target)] as const];
  }),
);

const problems: string[] = [];
const reportProblem = (line: number, message: string) => problems.push(`${page}:${line}: ${message}`);

const rows: readonly Row[] = lines.flatMap((text, index) => {
  if (!text.startsWith('| **')) return [];
  const line = index + 1;
  const [, threat = '', casesCell = '', testsCell = ''] =
    /^\| \*\*([A-Z]\d+)\*\* (.+) \| .+ \| (.+) \|$/.exec(text) ?? [];
  const cases = [...casesCell.matchAll(/\b[A-Z]\d+\.\d+\b/g)].map(String);
  const names = [...testsCell.matchAll(/\[([^\]]+)\]/g)].map(([, name = '']) => name);
  for (const name of names.filter((linkName) => !links.has(linkName)))
    reportProblem(line, `there is no link named ${name}`);
  if (cases.length === 0) reportProblem(line, 'the row has no case');
  if (names.length === 0 && testsCell !== 'not built yet')
    reportProblem(line, 'names neither tests nor "not built yet"');
  return [{ line, threat, cases, files: names.flatMap((name) => links.get(name) ?? []) }];
});

/** The cases of a threat are numbered from 1, in the order of the page. */
const nextNumbers = new Map<string, number>();
for (const { line, threat, cases } of rows) {
  for (const id of cases) {
    const next = (nextNumbers.get(threat) ?? 0) + 1;
    nextNumbers.set(threat, next);
    if (id !== `${threat}.${next}`) reportProblem(line, `found ${id}, expected ${threat}.${next}`);
  }
}

const allTestedIds = new Set([...testIdsByFile.values()].flatMap((ids) => [...ids]));
for (const { line, cases, files } of rows) {
  const found = new Set(files.flatMap((file) => [...(testIdsByFile.get(file) ?? [])]));
  for (const id of cases) {
    if (files.length > 0 && !found.has(id))
      reportProblem(line, `no test in the named files has a title that starts with ${id}`);
    if (files.length === 0 && allTestedIds.has(id))
      reportProblem(line, `${id} has a test, but the row says "not built yet"`);
  }
  for (const file of files) {
    if (!cases.some((id) => testIdsByFile.get(file)?.has(id)))
      reportProblem(line, `${file} has no test for this row`);
  }
}

const knownCases = new Set(rows.flatMap(({ cases }) => cases));
for (const [file, ids] of testIdsByFile) {
  for (const id of ids) if (!knownCases.has(id)) problems.push(`${file}: ${id} is not in ${page}`);
}

// Otherwise a checker that reads nothing would report no problems.
if (knownCases.size === 0 || allTestedIds.size === 0) problems.push(`${page}: no case was found`);
for (const problem of problems) console.error(problem);
const coveredCount = rows.filter(({ files }) => files.length > 0).flatMap(({ cases }) => cases).length;
console.log(
  `${rows.length} threats, ${knownCases.size} cases, ${coveredCount} of them covered, ${problems.length} problems`,
);
process.exitCode = problems.length === 0 ? 0 : 1;
