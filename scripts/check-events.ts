/**
 * Checks docs/reference/events.md and docs/reference/error-codes.md against the sources and the tests: the pages
 * list exactly the events, their fields and the refusal codes that exist, and a test names each code. Also
 * checks that the guide about monitoring lists the codes that need an alert. Tests of assistant-auth compare the
 * statuses.
 */
import { readFileSync } from 'node:fs';
import { listRepositoryFiles } from './app/repository-files.ts';

const eventsPage = 'docs/reference/events.md';
const codesPage = 'docs/reference/error-codes.md';
const problems: string[] = [];

/** Returns the names in the first cell of each row of the tables whose header starts with the same columns. */
const readTables = (page: string, columns: string): readonly string[] =>
  readFileSync(page, 'utf8')
    .split('\n\n')
    .filter((block) => block.startsWith(`| ${columns} |`))
    .flatMap((table) => table.split('\n').slice(2))
    .flatMap((row) => [...(row.split('|')[1] ?? '').matchAll(/`([^`]+)`/g)].map(([, name = '']) => name));

const readMatches = (file: string, pattern: RegExp): readonly string[] =>
  [...readFileSync(file, 'utf8').matchAll(pattern)].map(([, name = '']) => name);

/** Returns the members of an interface. */
const readMembers = (file: string, name: string): readonly string[] => {
  const [, body = ''] = readFileSync(file, 'utf8').split(`export interface ${name} {`);
  const [members = ''] = body.split('\n}');
  return [...members.matchAll(/^ {2}readonly (\w+)/gm)].map(([, member = '']) => member);
};

/** A member of a union of string literals, one in each line. */
const unionMember = /^ {2}\| '([a-z.-]+)'/gm;
/** The key of a definition of an error. Several keys can have one definition, which has a name. */
const definitionKey = /^ {2}'?([a-z][a-z.-]+)'?: (?:\[|[a-z]\w*,$)/gm;

const compare = (
  page: string,
  what: string,
  documented: readonly string[],
  defined: readonly string[],
): void => {
  for (const name of defined)
    if (!documented.includes(name)) problems.push(`${page}: the ${what} ${name} is missing`);
  for (const name of documented)
    if (!defined.includes(name)) problems.push(`${page}: there is no ${what} ${name}`);
  const repeated = documented.find((name, index) => documented.indexOf(name) < index);
  if (repeated !== undefined) problems.push(`${page}: the ${what} ${repeated} is listed twice`);
  // Otherwise a checker that reads nothing would report no problems.
  if (documented.length === 0 || defined.length === 0) problems.push(`${page}: no ${what} was found`);
};

const log = 'packages/assistant-auth/src/oauth/log.ts';
const refusal = 'packages/assistant-operations/src/http/refusal.ts';

const events = readTables(eventsPage, 'event');
compare(eventsPage, 'event', events, readMatches(log, unionMember));
compare(eventsPage, 'field', readTables(eventsPage, 'field'), [
  ...new Set([...readMembers(log, 'LogEntry'), ...readMembers(refusal, 'Refusal')]),
]);

const codes = readTables(codesPage, 'code | endpoint');
compare(codesPage, 'code', codes, [
  ...readMatches('packages/assistant-auth/src/oauth/protocol-error.ts', definitionKey),
  ...readMatches(refusal, unionMember),
]);

/** The codes that the operator must be alerted to, in both pages. */
const monitoringPage = 'docs/guides/monitoring.md';
const [, alerts = ''] = /^## Alerts\n(.*?)\n### /ms.exec(readFileSync(monitoringPage, 'utf8')) ?? [];
const [listed = ''] = alerts.split('The [runbook]');
const alertRows = readFileSync(codesPage, 'utf8')
  .split('\n')
  .filter((row) => row.startsWith('| `') && row.includes('| **Alert'));
compare(
  monitoringPage,
  'alert',
  [...new Set([...listed.matchAll(/`([a-z-]+\.[a-z-]+|unexpected)`/g)].map(([, code = '']) => code))],
  alertRows.flatMap((row) =>
    [...(row.split('|')[1] ?? '').matchAll(/`([^`]+)`/g)].map(([, code = '']) => code),
  ),
);

const tests = listRepositoryFiles('packages/*/test/*.ts')
  .map((file) => readFileSync(file, 'utf8'))
  .join('\n');
for (const code of codes) if (!tests.includes(`'${code}'`)) problems.push(`no test names the code ${code}`);

for (const problem of problems) console.error(problem);
console.log(`${events.length} events, ${codes.length} refusal codes, ${problems.length} problems`);
process.exitCode = problems.length === 0 ? 0 : 1;
