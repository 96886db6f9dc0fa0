/**
 * Reads a guess, and finds the words that it stands for. A guess is compared with every word of the list, never
 * with the word of the round alone, so neither the time nor an error depends on the word.
 */
import type { WordLanguage } from './categories.ts';
import type { Word, WordList } from './word-list.ts';

/** A guess, reduced to letters from a to z: one letter, or a word of at least two. */
export interface Guess {
  readonly kind: 'letter' | 'word';
  readonly letters: string;
  /** Whether it has several words: the name of a thing, or a sentence, such as “is it an e”. */
  readonly isPhrase: boolean;
}

/** How a guess matches a word. */
export type Match = 'exact' | 'typo';

/** A shorter word with a typo is often another word. */
const minLengthForTypo = 6;

const articles: Readonly<Record<WordLanguage, readonly string[]>> = {
  en: ['a', 'an', 'the'],
  de: ['der', 'die', 'das', 'den', 'dem', 'ein', 'eine', 'einen', 'einem', 'einer'],
};

/** Returns the regular plurals of a word. Irregular ones are in the lists. */
const buildPlurals: Readonly<Record<WordLanguage, (word: string) => readonly string[]>> = {
  en: (word) => [`${word}s`, `${word}es`, word.replace(/y$/, 'ies'), word.replace(/fe?$/, 'ves')],
  de: (word) => ['e', 'en', 'er', 'n', 's', 'nen', 'se'].map((ending) => word + ending),
};

/**
 * Reads a guess: ignores case, accents, everything that is not a letter, and an article before the word.
 * @returns `undefined` if the guess contains no letter from a to z
 */
export const parseGuess = (text: string, language: WordLanguage): Guess | undefined => {
  const words = toBaseLetters(text).match(/[a-z]+/g) ?? [];
  const [first = '', ...rest] = words;
  const name = rest.length > 0 && articles[language].includes(first) ? rest : words;
  const letters = name.join('');
  if (letters === '') return undefined;
  return { kind: letters.length === 1 ? 'letter' : 'word', letters, isPhrase: name.length > 1 };
};

/** Replaces letters with accents, umlauts and ligatures by the letters from a to z that they are based on. */
export const toBaseLetters = (text: string): string =>
  text
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[ßæœøł]/g, (letter) => ligatures[letter] ?? letter);

const ligatures: Readonly<Record<string, string>> = { ß: 'ss', æ: 'ae', œ: 'oe', ø: 'o', ł: 'l' };

/**
 * Finds the words of a list that a guess stands for: none for a letter. If it is one of the words, or its plural, it
 * is not a typo of another one.
 */
export const findMatches = (
  list: WordList,
  language: WordLanguage,
  { kind, letters }: Guess,
): ReadonlyMap<string, Match> => {
  if (kind === 'letter') return new Map();
  const matches = list.map((word) => [word.word, findMatch(word, language, letters)] as const);
  const exact = matches.filter(([, match]) => match === 'exact');
  const found = exact.length > 0 ? exact : matches;
  return new Map(found.flatMap(([word, match]) => (match === undefined ? [] : [[word, match]])));
};

const findMatch = (word: Word, language: WordLanguage, letters: string): Match | undefined => {
  const forms = [word.word, ...(word.accepted ?? [])].map(toLetters);
  const allForms = forms.flatMap((form) => [form, ...buildPlurals[language](form)]);
  const guess = ignoreUmlauts(letters, language);
  if (allForms.some((form) => ignoreUmlauts(form, language) === guess)) return 'exact';
  const isTypo = allForms.some(
    (form) => form.length >= minLengthForTypo && hasOneTypo(guess, ignoreUmlauts(form, language)),
  );
  return isTypo && toLetters(word.word).length >= minLengthForTypo ? 'typo' : undefined;
};

/** Returns only the letters from a to z. */
export const toLetters = (text: string): string => toBaseLetters(text).replace(/[^a-z]/g, '');

/** In German, umlauts are also spelled with an e: ä as ae. */
const ignoreUmlauts = (letters: string, language: WordLanguage): string =>
  language === 'de' ? letters.replace(/([aou])e/g, '$1') : letters;

/** Returns whether one letter was added, left out or replaced, or two neighboring letters were swapped. */
const hasOneTypo = (guess: string, word: string): boolean => {
  const [shorter, longer] = guess.length < word.length ? [guess, word] : [word, guess];
  let start = 0;
  while (start < shorter.length && shorter[start] === longer[start]) start += 1;
  const [shortRest, longRest] = [shorter.slice(start), longer.slice(start)];
  if (shorter.length < longer.length) return shortRest === longRest.slice(1);
  return shortRest.slice(1) === longRest.slice(1) || isSwapped(shortRest, longRest);
};

const isSwapped = (one: string, other: string): boolean =>
  one[0] === other[1] && one[1] === other[0] && one.slice(2) === other.slice(2);
