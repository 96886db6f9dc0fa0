/** The page for whatever goes wrong before an answer can be sent to a client: what happened, what to do, what to quote. */

import type { ParsedBranding } from './branding.ts';
import { fillText, type Html, html, renderLayout, renderName } from './layout.ts';
import type { Texts } from './texts.ts';

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
export const renderErrorPage = ({
  branding,
  title,
  message,
  reference,
  stylesheetPath,
}: ErrorModel): string =>
  renderLayout({
    branding,
    stylesheetPath,
    title,
    content: html`<p class="lead">${message}</p>
<p>${fillText(branding.texts.advice, { product: renderName(branding.name) })}</p>
<p class="facts reference"><span>${fillText(branding.texts.reference)}</span> <code translate="no">${reference}</code></p>`,
  });

// The page for a callback that arrives again after it was handled: what became of the sign-in, and where to go next.

export interface CompletedModel {
  readonly branding: ParsedBranding;
  readonly stylesheetPath: string;
  /** `signed-in`; `ended`: the access was ended since then; `linked`: the person was asked whether to add an account. */
  readonly outcome: 'signed-in' | 'ended' | 'linked';
  /** Where the page links to. `url` of a client: the origin of its redirect URI; absent if that is not a website. */
  readonly destination:
    | { readonly kind: 'client'; readonly name: string; readonly url?: string }
    | { readonly kind: 'account'; readonly url: string };
}

/** Renders the page. */
export const renderCompletedPage = ({
  branding,
  stylesheetPath,
  outcome,
  destination,
}: CompletedModel): string => {
  const { texts } = branding;
  const [title, messages] = outcomes[outcome];
  const client = destination.kind === 'client' && renderName(destination.name);
  return renderLayout({
    branding,
    stylesheetPath,
    title: fillText(texts[title]),
    content: html`<p class="lead">${fillText(texts[messages[destination.kind]], { client })}</p>
<p>${renderLink(destination, texts)}</p>`,
  });
};

// The URL of this page contains the provider's code, so the link must not send it as a referrer.
const renderLink = (destination: CompletedModel['destination'], texts: Texts): Html => {
  switch (destination.kind) {
    case 'client': {
      const label = fillText(texts.returnToClient, { client: renderName(destination.name) });
      return destination.url === undefined
        ? html`${label}.`
        : html`<a href="${destination.url}" rel="noreferrer">${label}</a>`;
    }
    case 'account':
      return html`<a href="${destination.url}" rel="noreferrer">${fillText(texts.goToAccount)}</a>`;
  }
};

const outcomes = {
  'signed-in': ['alreadySignedIn', { client: 'signInComplete', account: 'accountSignInComplete' }],
  ended: ['signInEnded', { client: 'accessEnded', account: 'sessionEnded' }],
  linked: ['linkPageUsed', { client: 'linkPageUsedNext', account: 'linkPageUsedNext' }],
} as const satisfies Readonly<
  Record<
    CompletedModel['outcome'],
    readonly [title: keyof Texts, Readonly<Record<'client' | 'account', keyof Texts>>]
  >
>;
