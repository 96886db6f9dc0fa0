import { describe, expect, it } from 'vitest';
import { createLanguageSelector } from '../../src/languages/select.ts';
import { ConfigurationError } from '../../src/oauth/errors.ts';

const select = createLanguageSelector(['en', 'de']);

describe('the language of a response', () => {
  it.each([
    ['de', 'de'],
    ['DE', 'de'],
    ['de-DE,de;q=0.9,en-US;q=0.8,en;q=0.7', 'de'],
    ['de-AT', 'de'],
    ['en-GB,en;q=0.9,de;q=0.8', 'en'],
    ['en;q=0.5,de;q=0.8', 'de'],
    ['fr-FR,fr;q=0.9,de;q=0.8,en;q=0.7', 'de'],
    [' de ; q=1.000 ,\ten', 'de'],
  ])('for %j is the preferred one of those that are available: %s', (header, expected) => {
    expect(select(header)).toBe(expected);
  });

  it.each([null, '', 'fr', '*', 'de;q=0', 'de;q=0.000'])(
    'for %j is the default, because no other is acceptable',
    (header) => {
      expect(select(header)).toBe('en');
    },
  );

  it.each([
    ',,;q=,',
    'de;q=2',
    'de;q=0.1234',
    'de;level=1',
    'd',
    'de_DE',
    'deutschland',
    'de-',
    '-de',
    'de\u0000',
    'de de',
    '<script>',
    '\u202Ede',
    'a'.repeat(8000),
    'de-'.repeat(3000),
    ';'.repeat(8000),
  ])('ignores the malformed header %j', (header) => {
    expect(select(header)).toBe('en');
    expect(select(`${header},de`)).toBe('de');
  });

  it('W24.2 is selected from the first ten ranges only', () => {
    expect(select(`${'fr,'.repeat(9)}de`)).toBe('de');
    expect(select(`${'fr,'.repeat(10)}de`)).toBe('en');
  });

  it('keeps the order of ranges with the same weight', () => {
    expect(select('de,en')).toBe('de');
    expect(select('en,de')).toBe('en');
  });

  it('is the one of the same region if there are several', () => {
    const selectPortuguese = createLanguageSelector(['en', 'pt-BR', 'pt-PT']);
    expect(selectPortuguese('pt-PT')).toBe('pt-PT');
    expect(selectPortuguese('pt-BR')).toBe('pt-BR');
    expect(selectPortuguese('pt-AO')).toBe('pt-BR');
    expect(selectPortuguese('pt')).toBe('pt-BR');
  });

  it('is the one with the same tag, even if another fits too', () => {
    const selectVariant = createLanguageSelector(['en', 'en-US', 'de', 'de-x-formal']);
    expect(selectVariant('en-US')).toBe('en-US');
    expect(selectVariant('en')).toBe('en');
    expect(selectVariant('de-x-formal')).toBe('de-x-formal');
    expect(selectVariant('de-DE')).toBe('de');
  });

  it.each(['', 'u-', 'x-'])(
    'W24.2 ignores a range with 200 subtags after de-%s, which take long to parse',
    (prefix) => {
      const subtags = Array.from({ length: 200 }, (_, index) => `a${String(index).padStart(4, '0')}`);
      const range = `de-${prefix}${subtags.join('-')}`;
      expect(select(range)).toBe('en');
      expect(select(`${range},de`)).toBe('de');
      expect(select(`de-${prefix}abcde-fghij`)).toBe('de');
    },
  );

  it.each(['', 'de_DE', 'DE', 'not a tag', '*'])('cannot be %j, which is not a canonical tag', (tag) => {
    expect(() => createLanguageSelector(['en', tag])).toThrow(
      new ConfigurationError(`languages.${tag}`, 'must be a canonical language tag, such as de or pt-BR.'),
    );
  });

  it('is not one in another script', () => {
    const selectChinese = createLanguageSelector(['en', 'zh-CN']);
    expect(selectChinese('zh-SG')).toBe('zh-CN');
    expect(selectChinese('zh-TW')).toBe('en');
    expect(selectChinese('zh-Hant,zh-Hans;q=0.5')).toBe('zh-CN');
  });
});
