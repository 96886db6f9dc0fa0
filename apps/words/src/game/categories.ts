/** The categories of the game and the words of each. */
import { animals } from './words/animals.ts';
import { colors } from './words/colors.ts';
import { places } from './words/places.ts';

/** Every category with its words: lower-case, in alphabetical order, without duplicates. */
export const wordsByCategory = { animals, places, colors } as const;

/** The name of a category. */
export type Category = keyof typeof wordsByCategory;

/** The names of all categories. */
export const categories: readonly string[] = Object.keys(wordsByCategory);
