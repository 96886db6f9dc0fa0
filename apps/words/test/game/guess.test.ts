import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findMatches, parseGuess, toBaseLetters } from '../../src/game/guess.ts';
import type { WordList } from '../../src/game/word-list.ts';

const hints = ['one', 'two', 'three', 'four'];
const english: WordList = [
  { word: 'penguin', hints },
  { word: 'jalapeño', hints },
  { word: 'library', hints },
  { word: 'wolf', hints },
  { word: 'tiger', hints },
  { word: 'goose', accepted: ['geese'], hints },
  { word: 'cinema', accepted: ['movie theater'], hints },
  { word: 'orchard', hints },
  { word: 'crane', hints },
  { word: 'crayfish', hints },
  { word: 'grayfish', hints },
];
const german: WordList = [
  { word: 'Bär', hints },
  { word: 'Frösche', hints },
  { word: 'Kuh', hints },
  { word: 'Fuchs', hints },
  { word: 'Känguru', hints },
  { word: 'Bus', hints },
  { word: 'Knödel', accepted: ['Kloß'], hints },
  { word: 'blau', hints },
];

const match = (text: string, language: 'en' | 'de' = 'en') => {
  const guess = parseGuess(text, language);
  const list = language === 'en' ? english : german;
  return guess && Object.fromEntries(findMatches(list, language, guess));
};

describe('a guess', () => {
  it.each([
    ['a', 'letter', 'a'],
    ['A', 'letter', 'a'],
    [' é ', 'letter', 'e'],
    ['Ü', 'letter', 'u'],
    ['"k"!', 'letter', 'k'],
    ['an e', 'letter', 'e'],
    ['Tiger', 'word', 'tiger'],
    ['the', 'word', 'the'],
    ['The Tiger.', 'word', 'tiger'],
    ['a tiger', 'word', 'tiger'],
    ['an  ICE-cream', 'word', 'icecream'],
    ['der tiger', 'word', 'dertiger'],
    ['ß', 'word', 'ss'],
    ['œuf', 'word', 'oeuf'],
    ['ﬁg', 'word', 'fig'],
    ['the Great  Barrier-Reef', 'word', 'greatbarrierreef'],
  ])('"%s" is a %s: %s', (text, kind, letters) => {
    expect(parseGuess(text, 'en')).toMatchObject({ kind, letters });
  });

  it.each([
    ['der Bär', 'bar'],
    ['DIE Katze', 'katze'],
    ['einen Igel', 'igel'],
    ['a Igel', 'aigel'],
  ])('in German, "%s" is the word %s', (text, letters) => {
    expect(parseGuess(text, 'de')).toMatchObject({ kind: 'word', letters });
  });

  it.each([[''], ['   '], ['123'], ['?!'], ['猫'], ['кот'], ['\u0301'], ['\u0000'], ['😀']])(
    'needs a letter from a to z: "%s"',
    (text) => {
      expect(parseGuess(text, 'en')).toBeUndefined();
    },
  );

  it.each([
    ['an owl', false],
    ['owl', false],
    ['e', false],
    ['is it e', true],
    ['the movie theater', true],
    ['e, a', true],
  ])('"%s" is a phrase, apart from its article: %s', (text, isPhrase) => {
    expect(parseGuess(text, 'en')).toMatchObject({ isPhrase });
  });

  it('consists only of letters from a to z, whatever the text is', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme', maxLength: 60 }),
        fc.constantFrom('en' as const, 'de' as const),
        (text, language) => {
          const guess = parseGuess(text, language);
          if (guess === undefined) expect(toBaseLetters(text)).not.toMatch(/[a-z]/);
          else {
            expect(guess.letters).toMatch(/^[a-z]+$/);
            expect(guess.kind).toBe(guess.letters.length === 1 ? 'letter' : 'word');
          }
        },
      ),
    );
  });
});

describe('a word is accepted', () => {
  it.each([
    ['as it is', 'penguin', { penguin: 'exact' }],
    ['in capital letters, with an article', 'THE PENGUIN', { penguin: 'exact' }],
    ['without its accent', 'jalapeno', { jalapeño: 'exact' }],
    ['with another accent', 'jálapeñó', { jalapeño: 'exact' }],
    ['in the plural with s', 'penguins', { penguin: 'exact' }],
    ['in the plural with ies', 'libraries', { library: 'exact' }],
    ['in the plural with ves', 'wolves', { wolf: 'exact' }],
    ['in an irregular plural from the list', 'geese', { goose: 'exact' }],
    ['under another name, in two words', 'the movie theater', { cinema: 'exact' }],
    ['under another name, in one word', 'movietheater', { cinema: 'exact' }],
    ['with one letter replaced', 'panguin', { penguin: 'typo' }],
    ['with one letter left out', 'pengun', { penguin: 'typo' }],
    ['with the first letter left out', 'enguin', { penguin: 'typo' }],
    ['with one letter added', 'penguiin', { penguin: 'typo' }],
    ['with one letter added at the end', 'orchardd', { orchard: 'typo' }],
    ['with two neighbors swapped', 'pengiun', { penguin: 'typo' }],
    ['with the first two letters swapped', 'epnguin', { penguin: 'typo' }],
    ['in the plural with a typo', 'pengiuns', { penguin: 'typo' }],
    ['with a typo in another name', 'movie teater', { cinema: 'typo' }],
  ])('%s', (_, text, expected) => {
    expect(match(text)).toEqual(expected);
  });

  it.each([
    ['with an umlaut written with an e', 'Baer', { Bär: 'exact' }],
    ['without its umlaut', 'bar', { Bär: 'exact' }],
    ['in a plural with an umlaut', 'Füchse', { Fuchs: 'exact' }],
    ['in a plural with an umlaut written with an e', 'Fuechse', { Fuchs: 'exact' }],
    ['in a plural with an umlaut and e', 'Kühe', { Kuh: 'exact' }],
    ['in a plural with s', 'die Kängurus', { Känguru: 'exact' }],
    ['in a plural with se', 'Busse', { Bus: 'exact' }],
    ['under another name with ß written ss', 'Kloss', { Knödel: 'exact' }],
    ['with a typo', 'Kaenguruh', { Känguru: 'typo' }],
    ['although u and e meet', 'blaue', { blau: 'exact' }],
  ])('in German, %s', (_, text, expected) => {
    expect(match(text, 'de')).toEqual(expected);
  });
});

describe('a word is not accepted', () => {
  it.each([
    ['with a typo, if it has fewer than six letters', 'tigre'],
    ['with two typos', 'pangwin'],
    ['with two pairs swapped', 'epnugin'],
    ['with letters that are not neighbors swapped', 'nepguin'],
    ['if it is only a part', 'peng'],
    ['with a word before it', 'it’s penguin'],
    ['in a German plural', 'tigeren'],
    ['with a typo in a short name of another length', 'gease'],
  ])('%s', (_, text) => {
    expect(match(text)).toEqual({});
  });

  it('for another word of the list, as its typo', () => {
    expect(match('grayfish')).toEqual({ grayfish: 'exact' });
    expect(match('grayfishes')).toEqual({ grayfish: 'exact' });
    expect(match('drayfish')).toEqual({ crayfish: 'typo', grayfish: 'typo' });
  });

  it('for a letter', () => {
    expect(match('p')).toEqual({});
  });
});
