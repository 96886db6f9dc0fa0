/** A list of words and hints. */
import type { ListName } from './categories.ts';

/** A word to guess. */
export interface Word {
  /** As it is shown, in Unicode's form NFC. */
  readonly word: string;
  /** Other accepted names, such as irregular plurals. */
  readonly accepted?: readonly string[] | undefined;
  /** From vague to clear. */
  readonly hints: readonly string[];
}

/** The words of one category in one language. Word n is a translation of word n in other languages. */
export type WordList = readonly Word[];

/** Returns a list. Each list is read once in an isolate. */
export type ReadWordList = (name: ListName) => Promise<WordList>;

/** A list could not be read. */
export class WordsUnavailable extends Error {
  override readonly name = 'WordsUnavailable';
}
