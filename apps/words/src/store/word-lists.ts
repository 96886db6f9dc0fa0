/**
 * Reads the lists of words and hints. They are static files (`public/words/<language>/<category>.json`), so that
 * the Worker stays small. The app serves none of them: a hint would reveal its word.
 */
import * as v from 'valibot';
import type { Bindings } from '../bindings.ts';
import { type ReadWordList, type WordList, WordsUnavailable } from '../game/word-list.ts';

const wordListSchema = v.pipe(
  v.array(
    v.object({ word: v.string(), accepted: v.optional(v.array(v.string())), hints: v.array(v.string()) }),
  ),
  v.minLength(1),
);

/** Creates the function that reads lists from the static files of a deployment. */
export const createWordListReader = (origin: string, assets: Bindings['assets']): ReadWordList => {
  const lists = new Map<string, WordList>();
  return async ({ category, language }) => {
    const path = `/words/${language}/${category}.json`;
    const known = lists.get(path);
    if (known !== undefined) return known;
    const list = await readList(assets, origin + path);
    lists.set(path, list);
    return list;
  };
};

const readList = async (assets: Bindings['assets'], url: string): Promise<WordList> => {
  try {
    const response = await assets.fetch(url);
    return v.parse(wordListSchema, await response.json());
  } catch (cause) {
    throw new WordsUnavailable('a list of words could not be read', { cause });
  }
};
