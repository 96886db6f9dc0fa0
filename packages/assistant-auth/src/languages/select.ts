/** Selects the language of a response from the languages that the user prefers. */

import { ConfigurationError } from '../oauth/errors.ts';

/** Browsers send fewer and shorter ranges. Others are ignored, because `Intl.Locale` is slow for long tags. */
const maxRanges = 10;
/** In characters (RFC 5646 §4.4.1). */
const maxRangeLength = 35;

/**
 * Creates a function that selects the language of a response. It takes the preferred languages in order, and
 * returns the first available one that matches. Unlike the lookup of RFC 4647 §3.4, it compares language and
 * script: `de-AT` matches `de`, and the reverse, but `zh-TW` does not match `zh-CN`. If several match, the same
 * tag wins, then the same region, then the first one.
 * @param tags the available languages, as BCP 47 tags; the first is the default
 * @returns a function that selects one of the tags. Its argument is the `Accept-Language` header of the request
 *   (RFC 9110 §12.5.4), or `null` if the request has none. It ignores ranges that are malformed, `*`, or have
 *   the weight 0, all after the first ten, and those of more than 35 characters
 * @throws ConfigurationError `languages.<tag>` for a tag that is malformed or not canonical, such as `de_DE`
 * @example
 * ```ts
 * import { createLanguageSelector } from 'assistant-auth/languages';
 *
 * const selectLanguage = createLanguageSelector(['en', 'de']);
 *
 * selectLanguage('de-AT,de;q=0.9,en;q=0.8'); // 'de'
 * selectLanguage('fr'); // 'en'
 * ```
 */
export const createLanguageSelector = <Tag extends string>(
  tags: readonly [Tag, ...Tag[]],
): ((acceptLanguage: string | null) => Tag) => {
  const available = tags.map((tag) => ({ tag, locale: requireLocale(tag) }));
  return (acceptLanguage) => {
    for (const range of listRanges(acceptLanguage ?? '')) {
      const wanted = parseLocale(range);
      const matching = available.filter(({ locale }) => wanted && hasSameScript(locale, wanted));
      const best =
        matching.find(({ tag }) => tag === String(wanted)) ??
        matching.find(({ locale }) => locale.maximize().region === wanted?.maximize().region) ??
        matching[0];
      if (best !== undefined) return best.tag;
    }
    return tags[0];
  };
};

/** Returns whether two locales have the same language and script. */
const hasSameScript = (one: Intl.Locale, other: Intl.Locale): boolean => {
  const { language, script } = one.maximize();
  const wanted = other.maximize();
  return language === wanted.language && script === wanted.script;
};

/** Matches a range of a header and its weight: `de-AT;q=0.9`. */
const rangePattern = /^\s*([a-z]{2,8}(?:-[a-z\d]{1,8})*)\s*(?:;\s*q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)\s*)?$/i;

/** Lists the ranges that are acceptable, the preferred ones first. */
const listRanges = (header: string): readonly string[] =>
  header
    .split(',', maxRanges)
    .map((part) => rangePattern.exec(part))
    .map((match) => ({ range: match?.[1] ?? '', weight: match ? Number(match[2] ?? 1) : 0 }))
    .filter(({ range, weight }) => weight > 0 && range.length <= maxRangeLength)
    .sort((first, second) => second.weight - first.weight)
    .map(({ range }) => range);

/** @throws ConfigurationError for a tag that is malformed or not canonical, such as `DE` or `de_DE` */
export const requireLocale = (tag: string): Intl.Locale => {
  const locale = parseLocale(tag);
  if (locale !== undefined && locale.toString() === tag) return locale;
  throw new ConfigurationError(`languages.${tag}`, 'must be a canonical language tag, such as de or pt-BR.');
};

/** Returns `undefined` for a malformed tag. */
const parseLocale = (tag: string): Intl.Locale | undefined => {
  try {
    return new Intl.Locale(tag);
  } catch {
    return undefined;
  }
};
