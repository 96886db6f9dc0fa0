/**
 * Checks docs/reference/events.md against the sources and the tests: the page lists exactly the events and
 * the refusal codes that exist, and a test names each code. Tests of assistant-auth compare the statuses.
 */
import { readFileSync } from 'node:fs';
import { listRepositoryFiles } from './app/repository-files.ts';

const page = 'docs/reference/events.md';
const problems: string[] = [];

/** Returns the codes in the first cell of each row below a heading. */
const readRows = (heading: string): readonly string[] => {
  const [, section = ''] = readFileSync(page, 'utf8').split(`\n## ${heading}\n`);
  const [text = ''] = section.split('\n## ');
  return text
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .flatMap((line) => [...(line.split('|')[1] ?? '').matchAll(/`([^`]+)`/g)].map(([, code = '']) => code));
};

const readMatches = (file: string, pattern: RegExp): readonly string[] =>
  [...readFileSync(file, 'utf8').matchAll(pattern)].map(([, name = '']) => name);

/** A member of a union of string literals, one in each line. */
const unionMember = /^ {2}\| '([a-z.-]+)'/gm;
/** The key of a definition of an error. Several keys can have one definition, which has a name. */
const definitionKey = /^ {2}'?([a-z][a-z.-]+)'?: (?:\[|[a-z]\w*,$)/gm;

const compare = (what: string, documented: readonly string[], defined: readonly string[]): void => {
  for (const name of defined)
    if (!documented.includes(name)) problems.push(`${page}: the ${what} ${name} is missing`);
  for (const name of documented)
    if (!defined.includes(name)) problems.push(`${page}: there is no ${what} ${name}`);
  const repeated = documented.find((name, index) => documented.indexOf(name) < index);
  if (repeated !== undefined) problems.push(`${page}: the ${what} ${repeated} is listed twice`);
  // Otherwise a checker that reads nothing would report no problems.
  if (documented.length === 0 || defined.length === 0) problems.push(`${page}: no ${what} was found`);
};

const events = readRows('All events');
compare('event', events, readMatches('packages/assistant-auth/src/oauth/log.ts', unionMember));

const codes = readRows('Refusal codes');
compare('code', codes, [
  ...readMatches('packages/assistant-auth/src/oauth/protocol-error.ts', definitionKey),
  ...readMatches('packages/assistant-operations/src/http/refusal.ts', unionMember),
]);

const tests = listRepositoryFiles('packages/*/test/*.ts')
  .map((file) => readFileSync(file, 'utf8'))
  .join('\n');
for (const code of codes) if (!tests.includes(`'${code}'`)) problems.push(`no test names the code ${code}`);

for (const problem of problems) console.error(problem);
console.log(`${events.length} events, ${codes.length} refusal codes, ${problems.length} problems`);
process.exitCode = problems.length === 0 ? 0 : 1;
