/** The rules for the lists of words and hints of the game (`apps/words/public/words`). */
import * as v from 'valibot';
import type { Category, WordLanguage } from '../../apps/words/src/game/categories.ts';
import { findMatches, parseGuess, toBaseLetters, toLetters } from '../../apps/words/src/game/guess.ts';
import { hintsPerWord } from '../../apps/words/src/game/scoring.ts';
import type { Word, WordList } from '../../apps/words/src/game/word-list.ts';

/** The lists of one category, by language. */
export type ListsOfCategory = Readonly<Record<WordLanguage, WordList>>;

const wordsPerList = 30;

const listSchema = v.array(
  v.strictObject({
    word: v.string(),
    accepted: v.optional(v.array(v.string())),
    hints: v.array(v.string()),
  }),
);

/**
 * Parses a file.
 * @throws Error that says what is wrong with its form
 */
export const parseList = (text: string): WordList => {
  const result = v.safeParse(listSchema, JSON.parse(text));
  if (result.success) return result.output;
  const [issue] = result.issues;
  throw new Error(`${v.getDotPath(issue) ?? 'the file'}: ${issue.message}`);
};

/** Finds what is wrong with the lists of a category. Each problem is one line. */
export const findListProblems = (category: Category, lists: ListsOfCategory): readonly string[] =>
  Object.entries(lists).flatMap(([name, list]) => {
    const language = name === 'de' ? 'de' : 'en';
    const translations = lists[language === 'de' ? 'en' : 'de'];
    const problems = [
      ...(list.length === wordsPerList ? [] : [`has ${list.length} words, not ${wordsPerList}`]),
      ...(language === 'en' && !isSorted(list) ? ['is not in alphabetical order'] : []),
      ...findRepeatedHints(list),
      ...list.flatMap((word, index) =>
        [
          ...findWordProblems(word, language),
          ...findSimilarWords(word, list, language),
          ...word.hints.flatMap((hint) => findHintProblems(hint, word, translations[index])),
        ].map((problem) => `${word.word}: ${problem}`),
      ),
    ];
    return problems.map((problem) => `${language}/${category}.json: ${problem}`);
  });

const isSorted = (list: WordList): boolean => {
  const words = list.map(({ word }) => toBaseLetters(word));
  return words.every((word, index) => index === 0 || (words[index - 1] ?? '') < word);
};

const findWordProblems = (
  { word, accepted = [], hints }: Word,
  language: WordLanguage,
): readonly string[] => [
  ...(/^\p{Script=Latin}{3,12}$/u.test(word) ? [] : ['is not one word of 3 to 12 letters']),
  ...([word, ...accepted, ...hints].every((text) => text === text.normalize('NFC'))
    ? []
    : ['is not in the form NFC']),
  ...([...word].every((letter) => /^[a-z]$/.test(toBaseLetters(letter)))
    ? []
    : ['has a letter that is not based on a letter from a to z']),
  ...(language === 'de' || word === word.toLowerCase() ? [] : ['is not in lower case']),
  ...(accepted.every((text) => parseGuess(text, language)?.kind === 'word')
    ? []
    : ['has an accepted name that cannot be guessed']),
  ...(hints.length === hintsPerWord ? [] : [`has ${hints.length} hints, not ${hintsPerWord}`]),
];

/** Finds other words of the list for which the word, or another name of it, would be accepted. */
const findSimilarWords = (
  { word, accepted = [] }: Word,
  list: WordList,
  language: WordLanguage,
): readonly string[] => {
  const others = list.filter((other) => other.word !== word);
  return [word, ...accepted].flatMap((name) => {
    const guess = parseGuess(name, language);
    const matches = guess === undefined ? [] : [...findMatches(others, language, guess).keys()];
    return matches.map((match) => `“${name}” would be accepted for ${match}`);
  });
};

const findHintProblems = (hint: string, word: Word, translation: Word | undefined): readonly string[] => {
  const text = toLetters(hint);
  const names = [word, ...(translation === undefined ? [] : [translation])].flatMap(listNames);
  const contained = names.filter((name) => text.includes(name));
  const parts = (toBaseLetters(hint).match(/[a-z]+/g) ?? []).filter(
    (part) => part.length >= minPartLength && toBaseLetters(word.word).includes(part),
  );
  return [
    ...(/^.{20,110}\.$/u.test(hint) ? [] : ['is not a sentence of 20 to 110 characters']),
    ...contained.map((name) => `contains “${name}”`),
    ...parts.map((part) => `contains “${part}”, a part of the word`),
  ].map((problem) => `the hint “${hint}” ${problem}`);
};

/** Shorter parts of words, such as “the” in “panther”, say nothing about the word. */
const minPartLength = 4;

/** Short names are part of many other words. */
const listNames = ({ word, accepted = [] }: Word): readonly string[] =>
  [word, ...accepted].map((name) => toLetters(name)).filter(({ length }) => length >= minPartLength);

const findRepeatedHints = (list: WordList): readonly string[] => {
  const hints = list.flatMap((word) => word.hints);
  return hints
    .filter((hint, index) => hints.indexOf(hint) < index)
    .map((hint) => `the hint “${hint}” is repeated`);
};
