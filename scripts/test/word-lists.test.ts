import { describe, expect, it } from 'vitest';
import type { Word } from '../../apps/words/src/game/word-list.ts';
import { findListProblems, parseList } from '../words/word-list-rules.ts';

const hints = ['one', 'two', 'three', 'four'];
const createHints = (word: string) =>
  hints.map((step) => `Hint ${step} about the ${[...word].toReversed().join('')}.`);
const letters = 'bcdfghjklmnpqrstvwxz';

/** Words without similar neighbors, in alphabetical order. */
const words = Array.from({ length: 30 }, (_, index) => {
  const [first, second] = [letters[Math.floor(index / 6)] ?? '', letters[index % 6] ?? ''];
  return `${first}a${second}o${first}u${second}i`;
}).toSorted();

const validList: readonly Word[] = words.map((word) => ({ word, hints: createHints(word) }));

const replaceFirst = (changes: Partial<Word>): readonly Word[] => {
  const [first, ...rest] = validList;
  return first === undefined ? [] : [{ ...first, ...changes }, ...rest];
};

const findProblems = (en: readonly Word[], de: readonly Word[] = validList) =>
  findListProblems('food', { en, de });
const [firstWord = '', secondWord = ''] = words;
const firstHints = createHints(firstWord);
const withHint = (hint: string) => replaceFirst({ hints: [hint, ...firstHints.slice(1)] });

describe('a list', () => {
  it('is valid with 30 words that have four hints each', () => {
    expect(findProblems(validList)).toEqual([]);
  });

  it.each([
    ['29 words', validList.slice(1), 'en/food.json: has 29 words, not 30'],
    ['another order', validList.toReversed(), 'en/food.json: is not in alphabetical order'],
    ['a word in upper case', replaceFirst({ word: 'BABOBUBI' }), 'is not in lower case'],
    ['two words in one', replaceFirst({ word: 'ba bobubi' }), 'is not one word of 3 to 12 letters'],
    ['a short word', replaceFirst({ word: 'ba' }), 'is not one word of 3 to 12 letters'],
    [
      'a letter for two letters',
      replaceFirst({ word: 'baßobubi' }),
      'has a letter that is not based on a letter from a to z',
    ],
    ['a decomposed accent', replaceFirst({ word: 'ba\u0301bobubi' }), 'is not in the form NFC'],
    [
      'a name that is no guess',
      replaceFirst({ accepted: ['1'] }),
      'has an accepted name that cannot be guessed',
    ],
    ['three hints', replaceFirst({ hints: firstHints.slice(1) }), 'has 3 hints, not 4'],
    ['a short hint', withHint('It is short.'), 'is not a sentence of 20 to 110 characters'],
    ['a hint without a period', withHint('It has no period at the end'), 'is not a sentence of 20 to 110'],
    ['a hint with the word', withHint(`It is a ${firstWord}, of course.`), `contains “${firstWord}”`],
    ['a hint with the word in parts', withHint('It is a babo bubi, of course.'), 'contains “babobubi”'],
    [
      'a hint with a part of the word',
      withHint('It begins with babo, of course.'),
      'contains “babo”, a part of the word',
    ],
    [
      'a hint with another name',
      replaceFirst({
        accepted: ['gizmo'],
        hints: ['Some call it a Gizmo, some do not.', ...firstHints.slice(1)],
      }),
      'contains “gizmo”',
    ],
    ['another word’s name', replaceFirst({ accepted: [secondWord] }), `would be accepted for ${secondWord}`],
    [
      'a plural of another word',
      replaceFirst({ accepted: [`${secondWord}s`] }),
      `would be accepted for ${secondWord}`,
    ],
    ['a repeated hint', withHint(createHints(secondWord)[0] ?? ''), 'is repeated'],
  ])('is invalid with %s', (_, list, problem) => {
    expect(findProblems(list).join('\n')).toContain(problem);
  });

  it('is invalid with a hint that contains the translation', () => {
    const german = validList.map((word, index) => (index === 0 ? { ...word, word: 'Zuzuzaza' } : word));
    expect(findProblems(withHint('In German, it is a Zuzuzaza.'), german).join()).toContain(
      'contains “zuzuzaza”',
    );
  });

  it.each([
    ['not JSON', '[', /JSON/],
    ['not a list', '{}', /the file: .*Array/],
    ['an unknown member', '[{"word":"a","hints":[],"hint":"x"}]', /0\.hint: /],
    ['a word without hints', '[{"word":"a"}]', /0\.hints: /],
    ['a hint that is not text', '[{"word":"a","hints":[1]}]', /0\.hints\.0: /],
  ])('cannot be parsed if it is %s', (_, text, message) => {
    expect(() => parseList(text)).toThrow(message);
  });
});
