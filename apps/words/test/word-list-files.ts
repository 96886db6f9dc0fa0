/** The lists of words as static files, for the assets of a test deployment. */
import { categories, type ListName, wordLanguages } from '../src/game/categories.ts';
import type { WordList } from '../src/game/word-lists.ts';

const files: Readonly<Record<string, WordList>> = import.meta.glob('../public/words/*/*.json', {
  eager: true,
  import: 'default',
});

/** Returns the response for a file. Returns `undefined` if the path is not that of a list. */
export const readWordListFile = (path: string): Response | undefined => {
  const list = files[`../public${path}`];
  return list && Response.json(list);
};

/** Returns a list. */
export const getWordList = ({ category, language }: ListName): WordList => {
  const list = files[`../public/words/${language}/${category}.json`];
  if (list === undefined) throw new Error(`there is no list of ${category} in ${language}`);
  return list;
};

/** The names of all lists. */
export const listNames: readonly ListName[] = wordLanguages.flatMap((language) =>
  categories.map((category) => ({ category, language })),
);
