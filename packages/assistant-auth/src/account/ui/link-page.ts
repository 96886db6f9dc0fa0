/** The pages on the way back from a provider with an identity to add: the question, and the answer when it is taken. */

import type { ParsedBranding } from '../../ui/branding.ts';
import {
  fillText,
  html,
  type IdentitySummary,
  renderIdentity,
  renderLayout,
  renderName,
} from '../../ui/layout.ts';
import { renderForm } from './account-page.ts';

export interface LinkModel {
  readonly branding: ParsedBranding;
  readonly stylesheetPath: string;
  /** Path that the form is posted to. */
  readonly action: string;
  /** Sealed; posted back unread as `form`. */
  readonly form: string;
  /** The identity that was found, sealed; posted back unread as `link`. */
  readonly link: string;
  /** The identity that this session signed in with. */
  readonly currentIdentity: IdentitySummary;
  /** The identity that the provider has just vouched for. */
  readonly newIdentity: IdentitySummary;
}

/** Renders the question. The form posts `form`, `link` and either `confirm=1` or `cancel=1`. */
export const renderLinkPage = (model: LinkModel): string => {
  const { branding, stylesheetPath, currentIdentity, newIdentity } = model;
  const { texts } = branding;
  const names = { identity: renderIdentity(newIdentity), product: renderName(branding.name) };
  return renderLayout({
    branding,
    stylesheetPath,
    title: fillText(texts.linkTitle),
    content: html`<dl class="facts">
<dt>${fillText(texts.linkCurrent)}</dt>
<dd>${renderIdentity(currentIdentity)}</dd>
<dt>${fillText(texts.linkNew)}</dt>
<dd>${renderIdentity(newIdentity)}</dd>
</dl>
<p>${fillText(texts.linkAbout, names)}</p>
${renderForm(
  model.action,
  model.form,
  html`<input type="hidden" name="link" value="${model.link}">
<button class="main" name="confirm" value="1">${fillText(texts.linkWith, { provider: renderName(newIdentity.provider) })}</button>
<button class="cancel" name="cancel" value="1">${fillText(texts.cancel)}</button>`,
)}`,
  });
};

export interface LinkConflictModel {
  readonly branding: ParsedBranding;
  readonly stylesheetPath: string;
  /** Path of the account page. */
  readonly accountPath: string;
  /** The identity that belongs to another account. */
  readonly conflictingIdentity: IdentitySummary;
}

/** Renders the answer; it offers nothing but the way back, and tells nothing about the other account. */
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
    content: html`<p class="lead">${fillText(texts.linkConflictAbout, names)}</p>
<p><a href="${accountPath}">${fillText(texts.backToAccount)}</a></p>`,
  });
};
