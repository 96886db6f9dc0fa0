/** Owns how values become markup: a template tag that escapes everything but markup made by itself. */

import type { IdentityProvider } from '../providers/provider.ts';
import type { ParsedBranding } from './branding.ts';
import { placeholder } from './texts.ts';

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

// Owns the frame around every page: head, logo, main part and foot.

interface Layout {
  readonly branding: ParsedBranding;
  /** Path on the own origin that serves `stylesheet`. */
  readonly stylesheetPath: string;
  /** Heading of the page and title of its window. */
  readonly title: HtmlValue;
  /** What has just happened, said before everything else. */
  readonly notice?: HtmlValue;
  readonly content: Html;
}

/** Renders a whole document; it has no script and no style of its own, so that the strictest CSP holds. */
export const renderLayout = ({ branding, stylesheetPath, title, notice, content }: Layout): string =>
  renderHtml(html`<!doctype html>
<html lang="${branding.language}" dir="${branding.direction}">
<head>
<meta charset="utf-8">
<title>${title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
${branding.iconPath && html`<link rel="icon" href="${branding.iconPath}">`}
<link rel="stylesheet" href="${stylesheetPath}">
</head>
<body>
<main>
${branding.logoPath && html`<img class="logo" src="${branding.logoPath}" alt="" width="48" height="48">`}
<h1>${title}</h1>
${notice && html`<p class="notice" role="status" tabindex="-1" autofocus>${notice}</p>`}
${content}
</main>
<footer>${renderName(branding.name)}${renderPrivacyLink(branding)}</footer>
</body>
</html>
`);

/** Renders a name or address that somebody chose: kept apart from the text around it and never translated. */
export const renderName = (text: string): Html => html`<bdi translate="no">${text}</bdi>`;

const renderPrivacyLink = ({ privacyUrl, texts }: ParsedBranding): Html | undefined =>
  privacyUrl === undefined
    ? undefined
    : html` <a href="${privacyUrl}" rel="noreferrer">${fillText(texts.privacy)}</a>`;

// How a provider is shown: as a button that chooses it, and as where somebody signs in.

/** A provider as a button. */
export interface ProviderChoice {
  readonly id: string;
  readonly displayName: string;
  /** Path of the vendor's mark on the own origin; the label says all that it says. */
  readonly providerIconPath?: string;
}

/** An identity in the words that a person knows it by. */
export interface IdentitySummary {
  /** The provider's label. */
  readonly provider: string;
  /** How the provider shows the person: a name or an address. */
  readonly label?: string;
}

/** Renders one button per provider; each posts the provider's id as `choice`. `text` has a place for `{provider}`. */
export const renderProviderButtons = (providers: readonly ProviderChoice[], text: string): Html =>
  html`<ul class="providers" role="list">
${providers.map((provider) => renderProviderButton(provider, text))}</ul>`;

/** Renders a vendor's mark as decoration beside the vendor's name; nothing where there is none. */
export const renderProviderIcon = (providerIconPath: string | undefined): Html =>
  html`${providerIconPath && html`<img class="mark" src="${providerIconPath}" alt="" width="24" height="24">`}`;

/** Renders an identity within a sentence: `Google (ada@example.org)`. */
export const renderIdentity = ({ provider, label }: IdentitySummary): Html =>
  html`${renderName(provider)}${label && html` (${renderName(label)})`}`;

const renderProviderButton = ({ id, displayName, providerIconPath }: ProviderChoice, text: string): Html =>
  html`<li><button name="choice" value="${id}">${renderProviderIcon(providerIconPath)}${fillText(text, { provider: renderName(displayName) })}</button></li>\n`;

// Providers as the buttons that pages show.

/** Returns the path of a provider's icon. */
export const iconPath = (folder: string, provider: string): string => `${folder}/${provider}.svg`;

/** @param icons the path of the folder with the icons */
export const listProviderChoices = (
  providers: readonly IdentityProvider[],
  icons: string,
): readonly ProviderChoice[] =>
  providers.map(({ id, displayName, icon }) => ({
    id,
    displayName,
    ...(icon !== undefined && { providerIconPath: iconPath(icons, id) }),
  }));

/** Puts names into a text. A name is put in once, as it is: places inside a name are not filled. */
export const fillText = (text: string, names: Readonly<Record<string, HtmlValue>> = {}): Html =>
  html`${text.split(placeholder).map((piece, index) => (index % 2 === 0 ? piece : names[piece]))}`;
