/** The templates of the page, which only name what the app sets. */
import { describe, expect, it } from 'vitest';
import german from '../../public/de/play.html?raw';
import english from '../../public/en/play.html?raw';
import { categories, wordLanguages } from '../../src/game/categories.ts';
import { flagNames, valueNames } from './browser.ts';

const listMatches = (template: string, pattern: RegExp): readonly string[] =>
  [...template.matchAll(pattern)].map(([, match = '']) => match);

describe.each([
  ['English', english],
  ['German', german],
])('the %s template', (_, template) => {
  it('has a text for each message, and no other conditions than those that exist', () => {
    const flags = listMatches(template, /data-if="([^"]*)"/g)
      .flatMap((condition) => condition.split(' '))
      .map((flag) => flag.replace('!', ''));
    expect(flags.filter((flag) => !flagNames.includes(flag))).toEqual([]);
    const messages = flagNames.filter((flag) => flag.startsWith('said-'));
    expect(messages.filter((flag) => !flags.includes(flag))).toEqual([]);
  });

  it('has no other values than those that exist', () => {
    const names = listMatches(template, /data-(?:text|choose)="([^"]*)"/g);
    expect(names.length).toBeGreaterThan(10);
    expect(names.filter((name) => !valueNames.some((known) => known === name))).toEqual([]);
  });

  it('has a name for each category and language', () => {
    for (const [choice, values] of [
      ['category', categories],
      ['language', wordLanguages],
    ] as const)
      for (const element of listMatches(template, RegExp(`<(\\w+ [^>]*data-choose="${choice}"[^>]*)>`, 'g')))
        for (const value of values) expect(element).toMatch(RegExp(` data-${value}="[^"]+"`));
  });

  it('can list rounds with every status', () => {
    const [list = ''] = listMatches(template, /(<ol[^>]*data-list="rounds"[^>]*>)/g);
    for (const status of ['open', 'won', 'lost', 'given_up', 'expired'])
      expect(list).toMatch(RegExp(` data-${status}="[^"]+"`));
  });
});
