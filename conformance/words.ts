/** Finds the words of the game, as a person could only guess them. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { categories, type WordLanguage } from '../apps/words/src/game/categories.ts';
import { publicFolder } from '../scripts/app/paths.ts';

interface Word {
  readonly word: string;
  readonly hints: readonly string[];
}

/** Returns the word with this first hint. */
export const findWord = async (hint: string, language: WordLanguage = 'en'): Promise<string> => {
  for (const category of categories) {
    const path = join(publicFolder, 'words', language, `${category}.json`);
    const list: readonly Word[] = JSON.parse(await readFile(path, 'utf8'));
    const found = list.find(({ hints }) => hints[0] === hint);
    if (found !== undefined) return found.word;
  }
  throw new Error(`no word has the hint ${hint}`);
};
