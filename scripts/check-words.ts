/**
 * Checks the lists of words and hints of the game: their form, and what a program can check about their content.
 * This does not replace a review of the hints by someone who did not write them.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { categories, wordLanguages } from '../apps/words/src/game/categories.ts';
import { findListProblems, parseList } from './words/word-list-rules.ts';

const folder = 'apps/words/public/words';
const problems: string[] = [];

const readList = (language: string, category: string) => {
  const file = `${folder}/${language}/${category}.json`;
  try {
    return parseList(readFileSync(file, 'utf8'));
  } catch (error) {
    problems.push(`${file}: ${error instanceof Error ? error.message : error}`);
    return [];
  }
};

for (const category of categories) {
  const lists = { en: readList('en', category), de: readList('de', category) };
  problems.push(...findListProblems(category, lists).map((problem) => `${folder}/${problem}`));
}

const expectedFiles = wordLanguages.flatMap((language) =>
  categories.map((category) => `${language}/${category}.json`),
);
const foundFiles = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) =>
  file.includes('.'),
);
problems.push(
  ...foundFiles
    .filter((file) => !expectedFiles.includes(file))
    .map((file) => `${folder}/${file}: is not a list`),
);

for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exitCode = 1;
