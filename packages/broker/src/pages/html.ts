/** Owns how values become markup: a template tag that escapes everything but markup made by itself. */

const markup: unique symbol = Symbol('markup');

/** Finished markup. Only `html` makes it: the key is private, so no parsed input can pose as it. */
export interface Html {
  readonly [markup]: string;
}

/** What may stand in a template; `undefined` and `false` render as nothing. */
export type HtmlValue = string | number | Html | undefined | false | readonly HtmlValue[];

/**
 * Builds markup from a template. Text is escaped for element content and for quoted attributes, the only two places
 * where a value may stand; markup from another `html` and lists are put in as they are.
 */
export const html = (strings: TemplateStringsArray, ...values: readonly HtmlValue[]): Html => ({
  [markup]: String.raw({ raw: strings }, ...values.map(toMarkup)),
});

/** Gives the markup as text, ready to be a response body. */
export const renderHtml = (content: Html): string => content[markup];

const toMarkup = (value: HtmlValue): string => {
  if (value === undefined || value === false) return '';
  if (typeof value === 'string') return escapeText(value);
  if (typeof value === 'number') return String(value);
  return markup in value ? value[markup] : value.map(toMarkup).join('');
};

// The ampersand first, or it would escape the others' escapes.
const escapeText = (text: string): string =>
  text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
