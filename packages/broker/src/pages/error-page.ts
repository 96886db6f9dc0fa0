/** The page for whatever goes wrong before an answer can be sent to a client: what happened, what to do, what to quote. */
import type { ParsedBranding } from './branding.ts';
import { html } from './html.ts';
import { properName, renderLayout } from './layout.ts';
import { fillText } from './texts.ts';

export interface ErrorModel {
  readonly branding: ParsedBranding;
  /** The problem in a few plain words, the page's heading. */
  readonly title: string;
  /** What happened, in a sentence or two for the person. */
  readonly message: string;
  /** Identifies the entry in the log; no secret. */
  readonly reference: string;
  readonly stylesheetPath: string;
}

/** Renders the page; it says nothing about the request but what `title` and `message` say. */
export const errorPage = ({ branding, title, message, reference, stylesheetPath }: ErrorModel): string =>
  renderLayout({
    branding,
    stylesheetPath,
    title,
    content: html`<p class="lead">${message}</p>
<p>${fillText(branding.texts.advice, { product: properName(branding.name) })}</p>
<p class="facts reference"><span>${fillText(branding.texts.reference)}</span> <code translate="no">${reference}</code></p>`,
  });
