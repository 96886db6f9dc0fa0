/** Selects the language of a response from the languages that the user prefers. */

/** Browsers send at most this many. Further ones are ignored, so that a long header takes little time. */
const maxRanges = 10;

/**
 * Creates a function that selects the language of a response, by lookup (RFC 4647 §3.4): it returns the
 * available language that fits the first of the preferred ones that any fits. A preferred language fits an
 * available one that differs only in the region, such as `de-AT` and `de`, but not one in another script.
 * @param tags the available languages, as BCP 47 tags; the first is the default
 * @returns a function of the `Accept-Language` header of a request (RFC 9110 §12.5.4), or `null` if there is
 *   none. Ranges that are malformed, `*`, or have the weight 0 are ignored
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
  const available = tags.map((tag) => ({ tag, locale: parseLocale(tag)?.maximize() }));
  const find = (range: string): Tag | undefined => {
    const wanted = parseLocale(range)?.maximize();
    const candidates = available.filter(
      ({ locale }) => locale?.language === wanted?.language && locale?.script === wanted?.script,
    );
    return (candidates.find(({ locale }) => locale?.region === wanted?.region) ?? candidates[0])?.tag;
  };
  return (acceptLanguage) => {
    // Browsers send the same few values, but none of them is worth a cache: this takes microseconds.
    for (const range of listRanges(acceptLanguage ?? '')) {
      const tag = find(range);
      if (tag !== undefined) return tag;
    }
    return tags[0];
  };
};

/** Matches a range of a header and its weight: `de-AT;q=0.9`. */
const rangePattern = /^\s*([a-z]{2,8}(?:-[a-z\d]{1,8})*)\s*(?:;\s*q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)\s*)?$/i;

/** Lists the ranges that are acceptable, the preferred ones first. */
const listRanges = (header: string): readonly string[] =>
  header
    .split(',', maxRanges)
    .map((part) => rangePattern.exec(part))
    .map((match) => ({ range: match?.[1] ?? '', weight: match ? Number(match[2] ?? 1) : 0 }))
    .filter(({ weight }) => weight > 0)
    .sort((first, second) => second.weight - first.weight)
    .map(({ range }) => range);

/** Returns the locale of a BCP 47 tag, or `undefined` if the tag is malformed. */
export const parseLocale = (tag: string): Intl.Locale | undefined => {
  try {
    return new Intl.Locale(tag);
  } catch {
    return undefined;
  }
};
