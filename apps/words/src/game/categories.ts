/** The categories of the game and the words of each. */
import { animals } from './words/animals.ts';
import { colors } from './words/colors.ts';
import { places } from './words/places.ts';

/** Every category with its words: lower-case nouns in alphabetical order, none twice. */
export const wordsByCategory = { animals, places, colors } as const;

export type Category = keyof typeof wordsByCategory;

/** Names of all categories. */
export const categories: readonly string[] = Object.keys(wordsByCategory);
