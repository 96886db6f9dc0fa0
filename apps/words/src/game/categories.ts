/** The categories and languages of the words. */

/** The names of all categories. */
export const categories = ['animals', 'places', 'colors', 'food'] as const;

/** The name of a category. */
export type Category = (typeof categories)[number];

/** The languages of the words and hints. The first one is the default. */
export const wordLanguages = ['en', 'de'] as const;

/** The language of a word, as in BCP 47. */
export type WordLanguage = (typeof wordLanguages)[number];

/** Which list a word comes from. */
export interface ListName {
  readonly category: Category;
  readonly language: WordLanguage;
}
