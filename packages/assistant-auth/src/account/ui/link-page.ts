/**
 * Renders the page that asks whether to link an identity, and the page for an identity that belongs to
 * another account.
 */

import {
  fillText,
  html,
  type IdentitySummary,
  renderIdentity,
  renderLayout,
  renderName,
} from '../../ui/layout.ts';
import { renderForm } from './account-page.ts';
import type { AccountBranding } from './texts.ts';

/** The data of the page that asks whether to link an identity. */
export interface LinkModel {
  /** The publisher's branding, language and texts, with all defaults filled in. */
  readonly branding: AccountBranding;
  /** Path of the stylesheet on the issuer's origin. */
  readonly stylesheetPath: string;
  /** Path that the form is posted to. */
  readonly action: string;
  /** A sealed value that the form posts back unchanged as `form`. */
  readonly form: string;
  /** The new identity, sealed. The form posts it back unchanged as `link`. */
  readonly link: string;
  /** The identity that this session was started with. */
  readonly currentIdentity: IdentitySummary;
  /** The identity that the provider has just verified. */
  readonly newIdentity: IdentitySummary;
}

/** Renders the page. The form posts `form`, `link` and either `confirm=1` or `cancel=1`. */
export const renderLinkPage = (model: LinkModel): string => {
  const { branding, stylesheetPath, currentIdentity, newIdentity } = model;
  const { texts } = branding;
  const names = { identity: renderIdentity(newIdentity), product: renderName(branding.name) };
  return renderLayout({
    branding,
    stylesheetPath,
    title: fillText(texts.linkTitle),
    content: html`<dl>
<div><dt>${fillText(texts.linkCurrent)}</dt> <dd>${renderIdentity(currentIdentity)}</dd></div>
<div><dt>${fillText(texts.linkNew)}</dt> <dd>${renderIdentity(newIdentity)}</dd></div>
</dl>
<p>${fillText(texts.linkAbout, names)}</p>
${renderForm(
  model.action,
  model.form,
  html`<input type="hidden" name="link" value="${model.link}">
<button class="main" name="confirm" value="1"><span>${fillText(texts.linkWith, { provider: renderName(newIdentity.provider) })}</span></button>
<button class="cancel" name="cancel" value="1">${fillText(texts.cancel)}</button>`,
)}`,
  });
};

/** The data of the page for an identity that belongs to another account. */
export interface LinkConflictModel {
  /** The publisher's branding, language and texts, with all defaults filled in. */
  readonly branding: AccountBranding;
  /** Path of the stylesheet on the issuer's origin. */
  readonly stylesheetPath: string;
  /** Path of the account page. */
  readonly accountPath: string;
  /** The identity that belongs to another account. */
  readonly conflictingIdentity: IdentitySummary;
}

/** Renders the page. It only links back to the account page, and reveals nothing about the other account. */
export const renderLinkConflictPage = ({
  branding,
  stylesheetPath,
  accountPath,
  conflictingIdentity,
}: LinkConflictModel): string => {
  const { texts } = branding;
  const names = { identity: renderIdentity(conflictingIdentity), product: renderName(branding.name) };
  return renderLayout({
    branding,
    stylesheetPath,
    title: fillText(texts.linkConflictTitle),
    content: html`<p>${fillText(texts.linkConflictAbout, names)}</p>
<p>${fillText(texts.linkConflictUse, names)}</p>
<p>${fillText(texts.linkConflictMove, names)}</p>
<ol>
<li>${fillText(texts.linkConflictSignIn, names)}</li>
<li>${fillText(texts.linkConflictRemove)}</li>
<li>${fillText(texts.linkConflictAdd)}</li>
</ol>
<p><a class="action" href="${accountPath}">${fillText(texts.backToAccount)}</a></p>`,
  });
};
