/**
 * The languages of the pages besides English: selects one for each request, and has the German texts.
 * @module
 */
import { ConfigurationError, rejectUnknownOptions } from '../oauth/errors.ts';
import type { ConnectedLanguages, PageLanguages, ParsedBranding } from '../ui/branding.ts';
import { checkText, type Language, type ParsedTexts, type Texts } from '../ui/texts.ts';
import { createLanguageSelector, requireLocale } from './select.ts';

export type { PageLanguages } from '../ui/branding.ts';
export type { Language } from '../ui/texts.ts';
export { german } from './german.ts';
export { createLanguageSelector } from './select.ts';

/** The options of `pageLanguages`. */
export interface PageLanguagesOptions {
  /**
   * The tag of the only language that is shown, whatever the browser prefers: `en`, or that of a given language.
   * Default: the browser selects the language.
   */
  readonly fixed?: string;
}

/**
 * Shows the pages in the language that the browser prefers (the `Accept-Language` header, RFC 9110 §12.5.4), or in
 * English if it prefers none of the given ones. For the option `languages` of `createBroker`. Each scope then needs
 * a description in each language.
 * @param languages the languages besides English
 * @param options a fixed language
 * @throws ConfigurationError when `createBroker` is called: `languages.<tag>…` for a language that is not valid,
 *   `languages.fixed` for one that is not given, `languages.<name>` for an unknown option
 * @example
 * ```ts
 * import { german, pageLanguages } from 'assistant-auth/languages';
 *
 * const options = {
 *   languages: pageLanguages([german]),
 *   scopes: { score: { en: 'see your score', de: 'deinen Punktestand sehen' } },
 * };
 *
 * // Always in German, and with a text of your own.
 * const texts = { ...german.texts, cancel: 'Nicht jetzt' };
 * const onlyGerman = pageLanguages([{ ...german, texts }], { fixed: 'de' });
 * ```
 */
export const pageLanguages = (
  languages: readonly Language[],
  options: PageLanguagesOptions = {},
): PageLanguages => ({
  kind: 'page-languages',
  connect(english, originals) {
    const { fixed, ...unknown } = options;
    rejectUnknownOptions('languages.', unknown);
    const byTag = new Map([[english.language, english]]);
    for (const { tag, texts, ...unknownMembers } of languages) {
      rejectUnknownOptions(`languages.${tag}.`, unknownMembers);
      if (byTag.has(tag))
        throw new ConfigurationError(
          `languages.${tag}`,
          'must be listed only once. English is always included.',
        );
      byTag.set(tag, { ...english, ...describeTag(tag), texts: parseTexts(tag, texts, originals) });
    }
    return fixed === undefined ? selectByHeader(english, byTag) : selectFixed(fixed, byTag);
  },
});

const selectByHeader = (
  english: ParsedBranding,
  byTag: ReadonlyMap<string, ParsedBranding>,
): ConnectedLanguages => {
  const [first = english.language, ...others] = byTag.keys();
  const selectLanguage = createLanguageSelector([first, ...others]);
  return {
    tags: [first, ...others],
    select: ({ headers }) => byTag.get(selectLanguage(headers.get('accept-language'))) ?? english,
  };
};

const selectFixed = (tag: string, byTag: ReadonlyMap<string, ParsedBranding>): ConnectedLanguages => {
  const branding = byTag.get(tag);
  if (branding === undefined)
    throw new ConfigurationError('languages.fixed', 'must be en or the tag of a given language.');
  return { tags: [tag], select: () => branding };
};

/** The scripts that are written from right to left and used by a living language (ISO 15924). */
const rightToLeftScripts = ['Adlm', 'Arab', 'Hebr', 'Mand', 'Nkoo', 'Rohg', 'Syrc', 'Thaa'];

const describeTag = (tag: string): Pick<ParsedBranding, 'language' | 'direction'> => {
  const isRightToLeft = rightToLeftScripts.includes(requireLocale(tag).maximize().script ?? '');
  return { language: tag, direction: isRightToLeft ? 'rtl' : 'ltr' };
};

/**
 * Returns the texts that the broker uses. Only JavaScript callers can leave one out, or add others.
 * @throws ConfigurationError `languages.<tag>.texts.<name>`
 */
const parseTexts = (tag: string, texts: Texts, originals: ParsedTexts): ParsedTexts => {
  const english = new Map(Object.entries(originals));
  const given = new Map<string, unknown>(Object.entries(Object(texts)));
  for (const name of english.keys())
    checkText(`languages.${tag}.texts.${name}`, english.get(name), given.get(name));
  const isUsed = ([name]: [string, unknown]) => english.has(name);
  return { ...originals, ...Object.fromEntries(Object.entries(texts).filter(isUsed)) };
};
