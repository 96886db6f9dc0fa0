/** The page for whoever wants to see the account and is not signed in: one button per provider. */

import type { ParsedBranding } from '../../ui/branding.ts';
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

export interface AccountSignInModel {
  readonly branding: ParsedBranding;
  readonly stylesheetPath: string;
  /** Path that the form is posted to. */
  readonly action: string;
  /** Sealed; posted back unread as `form`. */
  readonly form: string;
  readonly providers: readonly ProviderChoice[];
  readonly notice?: AccountSignInNotice;
}

/** Why nobody is signed in. */
export const accountSignInNotices = [
  'signed-out',
  'signed-out-everywhere',
  'deleted',
  'session-ended',
] as const;

export type AccountSignInNotice = (typeof accountSignInNotices)[number];

/** Renders the page. The form posts `form` and `choice`, a provider's id. */
export const renderAccountSignInPage = (model: AccountSignInModel): string => {
  const { branding, stylesheetPath, notice } = model;
  const { texts } = branding;
  const product = renderName(branding.name);
  return renderLayout({
    branding,
    stylesheetPath,
    title: fillText(texts.account, { product: branding.name }),
    notice: notice && fillText(texts[noticeTexts[notice]]),
    content: html`<p class="lead">${fillText(texts.accountPurpose, { product })}</p>
${renderForm(model.action, model.form, renderProviderButtons(model.providers, texts.continueWith))}
<p class="note">${fillText(texts.accountAssurance, { product })}</p>`,
  });
};

const noticeTexts = {
  'signed-out': 'signedOut',
  'signed-out-everywhere': 'signedOutEverywhere',
  deleted: 'deleted',
  'session-ended': 'sessionEnded',
} as const satisfies Readonly<Record<AccountSignInNotice, keyof Texts>>;
