import { describe, expect, it } from 'vitest';
import { categories } from '../../src/game/categories.ts';
import { createDailyWords, startOfNextDay, toDate } from '../../src/game/daily-word.ts';

const secret = Uint8Array.from({ length: 32 }, (_, index) => index);

describe('the daily word', () => {
  it('is the HMAC-SHA-256 of the date: its first 32 bits select the category, the next 32 the word', async () => {
    // Computed with Python: hmac.new(bytes(range(32)), b'2026-11-30', 'sha256').
    expect(await createDailyWords(secret)('2026-11-30')).toEqual({ category: 'places', word: 3515233754 });
  });

  it('A4.1 depends on the secret and the date, and is the same in every instance', async () => {
    const choose = createDailyWords(secret);
    const first = await choose('2026-11-30');
    expect(await choose('2026-11-30')).toEqual(first);
    expect(await createDailyWords(secret)('2026-11-30')).toEqual(first);
    expect(await createDailyWords(secret.toReversed())('2026-11-30')).not.toEqual(first);
    expect(await choose('2026-12-01')).not.toEqual(first);
  });

  it('comes from each category, and from each place of a list, in the course of time', async () => {
    const choose = createDailyWords(secret);
    const words = await Promise.all(Array.from({ length: 1000 }, (_, day) => choose(toDate(day * 86_400))));
    const countBy = (keys: readonly (string | number)[]) => {
      const counts = new Map<string | number, number>();
      for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1);
      return [...counts.values()];
    };
    const perCategory = countBy(words.map(({ category }) => category));
    expect(perCategory).toHaveLength(categories.length);
    expect(Math.min(...perCategory)).toBeGreaterThan(200);
    const perPlace = countBy(words.map(({ word }) => word % 30));
    expect(perPlace).toHaveLength(30);
    expect(Math.max(...perPlace)).toBeLessThan(70);
  });
});

describe('a day', () => {
  it.each([
    [0, '1970-01-01', 86_400],
    [86_399, '1970-01-01', 86_400],
    [86_400, '1970-01-02', 172_800],
    [1_800_000_000, '2027-01-15', 1_800_057_600],
  ])('that contains %i is %s, and ends at %i', (time, date, end) => {
    expect(toDate(time)).toBe(date);
    expect(startOfNextDay(time)).toBe(end);
  });
});
