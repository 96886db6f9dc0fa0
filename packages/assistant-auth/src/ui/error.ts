/**
 * Renders the error page, for errors that are shown to the user, and the page for a callback that does not
 * sign anyone in, because it was already handled or because it is the response to a request for admin
 * consent.
 */

import type { RefusalLink } from '../oauth/protocol-error.ts';
import type { ParsedBranding } from './branding.ts';
import {
  fillText,
  type Html,
  html,
  type IdentitySummary,
  renderIdentity,
  renderLayout,
  renderName,
} from './layout.ts';
import type { ParsedTexts } from './texts.ts';

/** The data of the error page. */
export interface ErrorModel {
  /** The publisher's branding, language and texts, with all defaults filled in. */
  readonly branding: ParsedBranding;
  /** The problem in a few plain words: the heading of the page. */
  readonly title: string;
  /** What happened and what to do next, in a sentence or two. */
  readonly message: string;
  /** What exactly is wrong, for developers, in English. Absent if `message` says it. */
  readonly detail?: string;
  /** The request ID, which identifies the entry in the log. It is not secret. */
  readonly reference: string;
  /** The path of the stylesheet on the issuer's origin. */
  readonly stylesheetPath: string;
  /** Where the user can start again, or returns to if there is an `identity`. Only for the end of a sign-in. */
  readonly destination?: CompletedDestination;
  /**
   * The identity that `resolveUser` refused with a message, which is `message`. Show it, because users can
   * have several. Absent for all other errors.
   */
  readonly identity?: IdentitySummary;
  /** The link that `resolveUser` returned with that message, if any. Its target is checked. */
  readonly link?: RefusalLink;
}

/**
 * Renders the page. Apart from `title`, `message`, `detail`, `reference`, `destination` and `identity`, it reveals
 * nothing about the request.
 */
export const renderErrorPage = ({
  branding,
  title,
  message,
  detail,
  reference,
  stylesheetPath,
  destination = { kind: 'unknown' },
  identity,
  link,
}: ErrorModel): string => {
  const { texts } = branding;
  return renderLayout({
    branding,
    stylesheetPath,
    title,
    content: html`<p>${message}</p>
${link && html`<p><a href="${link.href}" rel="noreferrer">${link.text}</a></p>`}
${identity && html`<p>${fillText(texts.refusedIdentity, { identity: renderIdentity(identity) })}</p>`}
${renderNext(destination, branding)}
<p class="note">${
      identity ? fillText(texts.reference) : fillText(texts.report, { contact: renderContact(branding) })
    } <code translate="no">${reference}</code></p>
${detail && html`<p class="note" lang="en" dir="ltr">${detail}</p>`}`,
  });
};

/** Renders the product, or how to reach its support. */
const renderContact = ({ name, links: { support } }: ParsedBranding): Html =>
  support === undefined
    ? renderName(name)
    : html`<a href="${support}" rel="noreferrer">${renderName(support.startsWith('mailto:') ? support.slice(7) : name)}</a>`;

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
      /**
       * The origin of the client's redirect URI. Absent if that is not a website. On the page of a user whom
       * `resolveUser` refused with a message, the redirect URI with the error, so that the client learns it.
       */
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
  const [title, clientMessage, accountMessage] = outcomes[outcome];
  const client = destination.kind === 'client' && renderName(destination.name);
  return renderLayout({
    branding,
    stylesheetPath,
    title: fillText(texts[title]),
    content: html`<p>${fillText(texts[destination.kind === 'account' ? accountMessage : clientMessage], { client })}</p>
${renderNext(destination, branding)}`,
  });
};

/** Renders the one button of the page, or what to do if there is no address that it can lead to. */
const renderNext = (destination: CompletedDestination, { name, texts, links }: ParsedBranding): Html => {
  switch (destination.kind) {
    case 'client': {
      const client = renderName(destination.name);
      return destination.url === undefined
        ? html`<p>${fillText(texts.goBackToClient, { client })}</p>`
        : renderAction(destination.url, fillText(texts.returnToClient, { client }));
    }
    case 'account':
      return renderAction(destination.url, fillText(texts.goToAccount));
    case 'unknown':
      return html`<p>${fillText(texts.goBack)}</p>
${links.home && renderAction(links.home, fillText(texts.goHome, { product: renderName(name) }))}`;
  }
};

// The URL of this page can contain the provider's code, so the link must not send it in the `Referer` header.
const renderAction = (url: string, label: Html): Html =>
  html`<p><a class="action" href="${url}" rel="noreferrer"><span>${label}</span></a></p>`;

const consentOutcome = (title: keyof ParsedTexts) => [title, 'consentNext', 'consentNext'] as const;

const outcomes: Readonly<
  Record<
    CompletedModel['outcome'],
    readonly [title: keyof ParsedTexts, clientMessage: keyof ParsedTexts, accountMessage: keyof ParsedTexts]
  >
> = {
  'signed-in': ['alreadySignedIn', 'signInComplete', 'accountSignInComplete'],
  ended: ['signInEnded', 'accessEnded', 'sessionEnded'],
  linked: ['linkPageUsed', 'linkPageUsedNext', 'linkPageUsedNext'],
  'consent-given': consentOutcome('consentGiven'),
  'consent-declined': consentOutcome('consentDeclined'),
};
