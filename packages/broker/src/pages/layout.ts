/** Owns the frame around every page: head, logo, main part and foot. */
import type { ParsedBranding } from './branding.ts';
import { type Html, type HtmlValue, html, renderHtml } from './html.ts';
import { fillText } from './texts.ts';

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
<footer>${properName(branding.name)}${privacyLink(branding)}</footer>
</body>
</html>
`);

/** Renders a name or address that somebody chose: kept apart from the text around it and never translated. */
export const properName = (text: string): Html => html`<bdi translate="no">${text}</bdi>`;

const privacyLink = ({ privacyUrl, texts }: ParsedBranding): Html | undefined =>
  privacyUrl === undefined
    ? undefined
    : html` <a href="${privacyUrl}" rel="noreferrer">${fillText(texts.privacy)}</a>`;
