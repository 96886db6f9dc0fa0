import { describe, expect, it } from 'vitest';
import { categories, wordsByCategory } from '../../src/game/categories.ts';

describe('the words', () => {
  it('have three categories', () => {
    expect(categories).toEqual(['animals', 'places', 'colors']);
  });

  it.each(Object.entries(wordsByCategory))('of %s number 50 to 80', (_, words) => {
    expect(words.length).toBeGreaterThanOrEqual(50);
    expect(words.length).toBeLessThanOrEqual(80);
  });

  it.each(Object.entries(wordsByCategory))(
    'of %s are each one lowercase word, long enough to guess',
    (_, words) => {
      expect(words.filter((word) => !/^[a-z]{3,12}$/.test(word))).toEqual([]);
    },
  );

  it.each(Object.entries(wordsByCategory))(
    'of %s are in alphabetical order without duplicates',
    (_, words) => {
      expect(words).toEqual([...new Set<string>(words)].sort());
    },
  );
});
