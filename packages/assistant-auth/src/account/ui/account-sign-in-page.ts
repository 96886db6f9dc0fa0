/** Renders the sign-in page of the account, which is shown if nobody is signed in. */
import {
  fillText,
  html,
  type ProviderChoice,
  renderLayout,
  renderName,
  renderProviderButtons,
} from '../../ui/layout.ts';
import type { Texts } from '../../ui/texts.ts';
import { renderForm } from './account-page.ts';
import type { AccountBranding } from './texts.ts';

/** The data of the page that is shown if nobody is signed in. */
export interface AccountSignInModel {
  /** The publisher's branding, language and texts, with all defaults filled in. */
  readonly branding: AccountBranding;
  /** Path of the stylesheet on the issuer's origin. */
  readonly stylesheetPath: string;
  /** Path that the form is posted to. */
  readonly action: string;
  /** A sealed value that the form posts back unchanged as `form`. */
  readonly form: string;
  /** The providers that the user can choose. */
  readonly providers: readonly ProviderChoice[];
  /** Why the user is signed out. Default: nobody was signed in. */
  readonly notice?: AccountSignInNotice;
}

/** Why the user is signed out. */
export type AccountSignInNotice =
  /** The user signed out. */
  | 'signed-out'
  /** The user disconnected everything and signed out everywhere. */
  | 'signed-out-everywhere'
  /** The account was deleted. */
  | 'deleted'
  /** The session has expired or was revoked. */
  | 'session-ended';

/** Every notice of the page that is shown if nobody is signed in. */
export const accountSignInNotices: readonly AccountSignInNotice[] = [
  ...(['signed-out', 'signed-out-everywhere', 'deleted', 'session-ended'] as const),
];

/** Renders the page. The form posts `form` and `choice`, a provider's ID. */
export const renderAccountSignInPage = (model: AccountSignInModel): string => {
  const { branding, stylesheetPath, notice } = model;
  const { texts } = branding;
  const product = renderName(branding.name);
  return renderLayout({
    branding,
    stylesheetPath,
    title: fillText(texts.account, { product: branding.name }),
    notice: notice && fillText(texts[signInNoticeTexts[notice]]),
    content: html`<p>${fillText(texts.accountPurpose, { product })}</p>
${renderForm(model.action, model.form, renderProviderButtons(model.providers, texts.signInWith, texts.lastUsedProvider))}
<p class="note">${fillText(texts.accountAssurance)}</p>`,
  });
};

const signInNoticeTexts = {
  'signed-out': 'signedOut',
  'signed-out-everywhere': 'signedOutEverywhere',
  deleted: 'deleted',
  'session-ended': 'sessionEnded',
} as const satisfies Readonly<Record<AccountSignInNotice, keyof Texts>>;
