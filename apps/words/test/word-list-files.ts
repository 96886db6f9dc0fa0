/** The lists of words as static files, for the assets of a test deployment. */
import germanAnimals from '../public/words/de/animals.json';
import germanColors from '../public/words/de/colors.json';
import germanFood from '../public/words/de/food.json';
import germanPlaces from '../public/words/de/places.json';
import animals from '../public/words/en/animals.json';
import colors from '../public/words/en/colors.json';
import food from '../public/words/en/food.json';
import places from '../public/words/en/places.json';
import type { ListName } from '../src/game/categories.ts';
import type { WordList } from '../src/game/word-list.ts';

const lists = {
  en: { animals, places, colors, food },
  de: { animals: germanAnimals, places: germanPlaces, colors: germanColors, food: germanFood },
} as const;

/** Returns a list. */
export const getWordList = ({ category, language }: ListName): WordList => lists[language][category];

/** Returns the response for a file. Returns `undefined` if the path is not that of a list. */
export const readWordListFile = (path: string): Response | undefined => {
  for (const [language, byCategory] of Object.entries(lists))
    for (const [category, list] of Object.entries(byCategory))
      if (path === `/words/${language}/${category}.json`) return Response.json(list);
  return undefined;
};
