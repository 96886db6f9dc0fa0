/**
 * Checks the form of the pages: each page in docs starts with a title and a sentence that says what it is for,
 * and lines of prose have at most 100 characters.
 */
import { readFileSync } from 'node:fs';
import { listRepositoryFiles } from './app/repository-files.ts';
import { findLongLines, hasPurpose, maxProseWidth } from './docs/pages.ts';

const pages = listRepositoryFiles(
  '*.md',
  ':(exclude)docs/decisions', // a decision has at most 25 lines, so its lines are longer
  ':(exclude)docs/reference/api', // generated
  ':(exclude)site', // metadata
);

const problems = pages.flatMap((page) => {
  const markdown = readFileSync(page, 'utf8');
  return [
    ...(page.startsWith('docs/') && !hasPurpose(markdown)
      ? [`${page}: the title must be followed by a sentence that says what the page is for`]
      : []),
    ...findLongLines(markdown).map((line) => `${page}:${line}: has more than ${maxProseWidth} characters`),
  ];
});
if (pages.length === 0) problems.push('no page was found');
for (const problem of problems) console.error(problem);
console.log(`${pages.length} pages, ${problems.length} problems`);
process.exitCode = problems.length === 0 ? 0 : 1;
