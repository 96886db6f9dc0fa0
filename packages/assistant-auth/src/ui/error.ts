/**
 * Renders the error page, for errors that are shown to the user, and the page for a callback that does not
 * sign anyone in, because it was already handled or because it is the response to a request for admin
 * consent.
 */

import type { ParsedBranding } from './branding.ts';
import { fillText, type Html, html, renderLayout, renderName } from './layout.ts';
import type { ParsedTexts } from './texts.ts';

/** The data of the error page. */
export interface ErrorModel {
  /** The publisher's branding, language and texts, with all defaults filled in. */
  readonly branding: ParsedBranding;
  /** The problem in a few plain words: the heading of the page. */
  readonly title: string;
  /** What happened and what to do next, in a sentence or two. */
  readonly message: string;
  /** The request ID, which identifies the entry in the log. It is not secret. */
  readonly reference: string;
  /** The path of the stylesheet on the issuer's origin. */
  readonly stylesheetPath: string;
  /** Where the user can start again, if the error ended a sign-in. */
  readonly destination?: CompletedDestination;
}

/**
 * Renders the page. Apart from `title`, `message`, `reference` and `destination`, it reveals nothing about
 * the request.
 */
export const renderErrorPage = ({
  branding,
  title,
  message,
  reference,
  stylesheetPath,
  destination,
}: ErrorModel): string =>
  renderLayout({
    branding,
    stylesheetPath,
    title,
    content: html`<p class="lead">${message}</p>
<p>${destination ? renderLink(destination, branding.texts, 'startAgain') : fillText(branding.texts.advice)}</p>
<p>${fillText(branding.texts.report, { product: renderName(branding.name) })}</p>
<p class="facts reference"><span>${fillText(branding.texts.reference)}</span> <code translate="no">${reference}</code></p>`,
  });

/** The data of the page for a callback that arrives again after it was handled, or for admin consent. */
export interface CompletedModel {
  /** The publisher's branding, language and texts, with all defaults filled in. */
  readonly branding: ParsedBranding;
  /** The path of the stylesheet on the issuer's origin. */
  readonly stylesheetPath: string;
  /**
   * `signed-in`: the grant is active. `ended`: it was revoked or deleted since then. `linked`: the page that
   * asks whether to link an identity was shown before. `consent-given`, `consent-declined`: an administrator
   * was asked for consent for an organization. This does not sign anyone in.
   */
  readonly outcome: 'signed-in' | 'ended' | 'linked' | 'consent-given' | 'consent-declined';
  /** What the page links to. */
  readonly destination: CompletedDestination;
}

/** What a completed or failed sign-in was for. */
export type CompletedDestination =
  /** A sign-in to a client. */
  | {
      readonly kind: 'client';
      /** The registered name of the client. */
      readonly name: string;
      /** The origin of the client's redirect URI. Absent if that is not a website. */
      readonly url?: string;
    }
  /** A sign-in to the account page. */
  | {
      readonly kind: 'account';
      /** The path of the account page. */
      readonly url: string;
    }
  /** Admin consent, if no sign-in is in progress in this browser. */
  | { readonly kind: 'unknown' };

/** Renders the page for a repeated callback, or for admin consent. */
export const renderCompletedPage = ({
  branding,
  stylesheetPath,
  outcome,
  destination,
}: CompletedModel): string => {
  const { texts } = branding;
  const [title, clientMessage, accountMessage, clientLabel] = outcomes[outcome];
  const client = destination.kind === 'client' && renderName(destination.name);
  return renderLayout({
    branding,
    stylesheetPath,
    title: fillText(texts[title]),
    content: html`<p class="lead">${fillText(texts[destination.kind === 'account' ? accountMessage : clientMessage], { client })}</p>
<p>${renderLink(destination, texts, clientLabel)}</p>`,
  });
};

// The URL of this page can contain the provider's code, so the link must not send it in the `Referer` header.
const renderLink = (
  destination: CompletedDestination,
  texts: ParsedTexts,
  clientLabel: 'returnToClient' | 'startAgain',
): Html => {
  switch (destination.kind) {
    case 'client': {
      const label = fillText(texts[clientLabel], { client: renderName(destination.name) });
      return destination.url === undefined
        ? html`${label}.`
        : html`<a href="${destination.url}" rel="noreferrer">${label}</a>`;
    }
    case 'account':
      return html`<a href="${destination.url}" rel="noreferrer">${fillText(texts.goToAccount)}</a>`;
    case 'unknown':
      return fillText(texts.returnToApp);
  }
};

const consentOutcome = (title: keyof ParsedTexts) =>
  [title, 'consentNext', 'consentNext', 'startAgain'] as const;

const outcomes: Readonly<
  Record<
    CompletedModel['outcome'],
    readonly [
      title: keyof ParsedTexts,
      clientMessage: keyof ParsedTexts,
      accountMessage: keyof ParsedTexts,
      clientLabel: 'returnToClient' | 'startAgain',
    ]
  >
> = {
  'signed-in': ['alreadySignedIn', 'signInComplete', 'accountSignInComplete', 'returnToClient'],
  ended: ['signInEnded', 'accessEnded', 'sessionEnded', 'returnToClient'],
  linked: ['linkPageUsed', 'linkPageUsedNext', 'linkPageUsedNext', 'returnToClient'],
  'consent-given': consentOutcome('consentGiven'),
  'consent-declined': consentOutcome('consentDeclined'),
};
