/**
 * Builds HTML: the template tag that escapes every value, the layout of all pages, and how providers and
 * identities are shown.
 */

import type { IdentityProvider } from '../providers/provider.ts';
import type { ParsedBranding } from './branding.ts';
import { placeholder } from './texts.ts';

const markup: unique symbol = Symbol('markup');

/**
 * Markup that is safe to send. Only {@link html} can create it: the key is a private symbol, which parsed
 * input cannot have.
 */
export interface Html {
  /** The markup. {@link renderHtml} returns it. */
  readonly [markup]: string;
}

/**
 * A value that can be inserted into a template: text and numbers are escaped, markup is inserted unchanged,
 * and the items of a list are inserted one after the other. `undefined` and `false` render nothing.
 */
export type HtmlValue = string | number | Html | undefined | false | readonly HtmlValue[];

/**
 * Builds markup from a template. Text is escaped for element content and for quoted attribute values, the
 * only two places where a value can be inserted. Markup from another `html` is inserted unchanged, and the
 * items of a list are inserted one after the other.
 * @param strings the literal parts of the template
 * @param values the values between them
 * @example
 * ```ts
 * import { html, renderHtml, type SignInModel } from 'assistant-auth';
 *
 * const renderScopes = ({ scopes }: SignInModel): string =>
 *   renderHtml(html`<ul>${scopes.map(({ description }) => html`<li>${description}</li>`)}</ul>`);
 * ```
 */
export const html = (strings: TemplateStringsArray, ...values: readonly HtmlValue[]): Html => ({
  [markup]: String.raw({ raw: strings }, ...values.map(toMarkup)),
});

/**
 * Returns the markup as a string, for a response body or for a page in `pages`.
 * @param content the markup
 * @example
 * ```ts
 * import { type ErrorModel, html, renderHtml } from 'assistant-auth';
 *
 * const renderErrorPage = ({ branding, title, message, detail, reference }: ErrorModel): string =>
 *   renderHtml(html`<!doctype html>
 * <html lang="${branding.language}" dir="${branding.direction}">
 * <title>${title}</title>
 * <h1>${title}</h1>
 * <p>${message}</p>
 * <p>Reference: <code>${reference}</code></p>
 * ${detail && html`<p lang="en" dir="ltr">${detail}</p>`}
 * </html>`);
 * ```
 */
export const renderHtml = (content: Html): string => content[markup];

const toMarkup = (value: HtmlValue): string => {
  if (value === undefined || value === false) return '';
  if (typeof value === 'string') return escapeText(value);
  if (typeof value === 'number') return String(value);
  return markup in value ? value[markup] : value.map(toMarkup).join('');
};

// The ampersand must be first; otherwise it would escape the other escape sequences.
const escapeText = (text: string): string =>
  text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');

interface Layout {
  readonly branding: ParsedBranding;
  /** Path of the stylesheet on the broker's own origin. */
  readonly stylesheetPath: string;
  /** The window title of the page. Plain text: a title can't contain markup. */
  readonly title: HtmlValue;
  /** The heading of the page. Default: the title. */
  readonly heading?: Html;
  /** What is above the heading. Default: the logo and the name of the product, which link to its home page. */
  readonly header?: Html;
  /** What has just happened; shown before the content. */
  readonly notice?: HtmlValue;
  readonly content: Html;
}

/** Renders a whole document without scripts or inline styles, so that a strict CSP can apply. */
export const renderLayout = ({
  branding,
  stylesheetPath,
  title,
  heading = html`${title}`,
  header = renderBrand(branding),
  notice,
  content,
}: Layout): string =>
  renderHtml(html`<!doctype html>
<html lang="${branding.language}" dir="${branding.direction}">
<head>
<meta charset="utf-8">
<title>${title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
${branding.icon && html`<link rel="icon" href="${branding.icon}">`}
<link rel="stylesheet" href="${stylesheetPath}">
</head>
<body>
<main>
${header}
<h1>${heading}</h1>
${notice && html`<p class="notice" role="status" tabindex="-1" autofocus>${notice}</p>`}
${content}
</main>
<footer>${renderFooter(branding)}</footer>
</body>
</html>
`);

const renderBrand = ({ name, logo, links: { home } }: ParsedBranding): Html => {
  const brand = html`${logo && renderLogo(logo, name)}${renderName(name)}`;
  return home === undefined
    ? html`<div class="brand">${brand}</div>`
    : html`<a class="brand" href="${home}" rel="noreferrer">${brand}</a>`;
};

/**
 * Renders a logo as decoration, because the name is next to it.
 * @param path the path of the image on the issuer's origin. Default: the first letter or digit of the name, and
 *   no symbol: a client can choose its name, and a check mark would look like an approval
 */
export const renderLogo = (path: string | undefined, name: string): Html =>
  path === undefined
    ? html`<span class="logo" aria-hidden="true">${renderName(/[\p{L}\p{N}]/u.exec(name)?.[0] ?? '')}</span>`
    : html`<img class="logo" src="${path}" alt="" width="40" height="40">`;

/** Control characters, and those that change the direction of the text around them. */
export const controlCharacters = /[\p{Cc}\p{Zp}\p{Bidi_C}]/gu;

/**
 * Renders a name or an address: isolated from the direction of the text around it, and never translated.
 * Control characters are removed: some end the isolation, and would reverse the text after the name.
 */
export const renderName = (text: string): Html =>
  html`<bdi translate="no">${removeControlCharacters(text)}</bdi>`;

/** Removes control characters from a name, for text that can't contain markup. */
export const removeControlCharacters = (text: string): string => text.replace(controlCharacters, '');

const renderFooter = ({ links, texts }: ParsedBranding): readonly HtmlValue[] => {
  const { privacyPolicy, terms, support } = links;
  const pages: readonly (readonly [string | undefined, string])[] = [
    [privacyPolicy, texts.privacy],
    [terms, texts.terms],
    [support, texts.support],
  ];
  return pages.map(([url, text]) => url && html`<a href="${url}" rel="noreferrer">${fillText(text)}</a>\n`);
};

/** The icon of a provider. It is decoration: the provider's name is next to it. */
export interface ProviderIcon {
  /** Its path on the issuer's origin. */
  readonly path: string;
  /**
   * Whether it is black, from an SVG with `currentColor`. Show it in the color of the text next to it: in
   * white if that is light.
   */
  readonly isSingleColor: boolean;
}

/** A provider that the user can choose. */
export interface ProviderChoice {
  /** The ID of the provider, which the form posts in the field `choice`. */
  readonly id: string;
  /** The name of the provider for the button, such as `Google`. */
  readonly displayName: string;
  /** The icon of the provider. Default: no icon. */
  readonly icon?: ProviderIcon;
  /** Whether the user last signed in with it in this browser. Default: no. */
  readonly isLastUsed?: boolean;
}

/** An identity, as it is shown to the user. */
export interface IdentitySummary {
  /** The provider's display name. */
  readonly provider: string;
  /** The user's name or email address at the provider. Absent if it sent neither. */
  readonly label?: string;
}

/**
 * Renders one button per provider. Each posts the provider's ID as `choice`.
 * @param text the text of the buttons, with the placeholder `{provider}`
 * @param lastUsed the text on the button of the provider that the user last signed in with. Default: none
 * @param style `filled`: that button, or the only one, is filled. `plain`: none is, because the page has another
 *   filled button. Default: `filled`
 */
export const renderProviderButtons = (
  providers: readonly ProviderChoice[],
  text: string,
  lastUsed?: string,
  style: 'filled' | 'plain' = 'filled',
): Html =>
  html`<ul class="providers" role="list">
${providers.map(({ id, displayName, icon, isLastUsed }) => {
  const isFilled = style === 'filled' && (isLastUsed || providers.length === 1);
  return html`<li><button${isFilled && html` class="filled"`} name="choice" value="${id}">${renderProviderIcon(icon)}<span>${fillText(text, { provider: renderName(displayName) })}</span>${isLastUsed && html`<small>${lastUsed}</small>`}</button></li>\n`;
})}</ul>`;

/** Renders a provider's icon as decoration beside the provider's name, or nothing if there is no icon. */
export const renderProviderIcon = (icon: ProviderIcon | undefined): Html =>
  html`${icon && html`<img class="icon${icon.isSingleColor && ' single-color'}" src="${icon.path}" alt="" width="20" height="20">`}`;

/** Renders an identity within a sentence: `Google (ada@example.org)`. */
export const renderIdentity = ({ provider, label }: IdentitySummary): Html =>
  html`${renderName(provider)}${label && html` (${renderName(label)})`}`;

/** Returns the path of a provider's icon. */
export const iconPath = (folder: string, provider: string): string => `${folder}/${provider}.svg`;

/**
 * Returns the icon of a provider, if it has one.
 * @param icons the path of the folder with the icons
 */
export const findProviderIcon = (
  { id, icon }: Pick<IdentityProvider, 'id' | 'icon'>,
  icons: string,
): { readonly icon?: ProviderIcon } =>
  icon === undefined
    ? {}
    : { icon: { path: iconPath(icons, id), isSingleColor: icon.includes('currentColor') } };

/**
 * Returns the providers as choices for `renderProviderButtons`, first the one that the user last signed in
 * with.
 * @param icons the path of the folder with the icons
 * @param lastUsed the ID of that provider. Default: none
 */
export const listProviderChoices = (
  providers: Iterable<IdentityProvider>,
  icons: string,
  lastUsed?: string,
): readonly ProviderChoice[] =>
  [...providers]
    .map((provider) => ({
      id: provider.id,
      displayName: provider.displayName,
      ...findProviderIcon(provider, icons),
      ...(provider.id === lastUsed && { isLastUsed: true }),
    }))
    .toSorted((one, other) => Number(other.id === lastUsed) - Number(one.id === lastUsed));

/**
 * Replaces the placeholders in a text with names. Placeholders inside a name are not replaced.
 * @param text Default: empty, for a text of the account page if there is none, which no page shows
 */
export const fillText = (text = '', names: Readonly<Record<string, HtmlValue>> = {}): Html =>
  html`${text.split(placeholder).map((piece, index) => (index % 2 === 0 ? piece : names[piece]))}`;
