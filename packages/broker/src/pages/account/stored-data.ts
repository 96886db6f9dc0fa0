/** The sections about what is stored: a copy of it, and its end. */
import { type Html, html } from '../html.ts';
import { properName } from '../layout.ts';
import { fillText } from '../texts.ts';
import { accountForm, confirmFirst } from './account-form.ts';
import type { AccountModel } from './account-model.ts';

/** Renders the export; the form posts nothing of its own. */
export const dataExport = (model: AccountModel): Html => {
  const { branding, actions } = model;
  const { texts } = branding;
  return html`<section aria-labelledby="export">
<h2 id="export">${fillText(texts.exportHeading)}</h2>
<p>${fillText(texts.exportAbout, { product: properName(branding.name) })}</p>
${provenForm(model, actions.exportData, html`<button>${fillText(texts.exportData)}</button>`)}
</section>`;
};

/** Renders what a deletion takes away; the form posts `confirm=yes` if the box is ticked. */
export const deletion = (model: AccountModel): Html => {
  const { branding, actions } = model;
  const { texts } = branding;
  const product = properName(branding.name);
  return html`<section aria-labelledby="delete">
<h2 id="delete">${fillText(texts.deleteHeading)}</h2>
<p>${fillText(texts.deleteAbout, { product })}</p>
<ul class="scopes">
<li>${fillText(texts.deleteApps)}</li>
<li>${fillText(texts.deleteIdentities)}</li>
<li>${fillText(texts.deleteData, { product })}</li>
<li><strong>${fillText(texts.deleteFinal)}</strong></li>
</ul>
${provenForm(
  model,
  actions.deleteAccount,
  html`<label><input type="checkbox" name="confirm" value="yes" required> ${fillText(texts.deleteConfirm)}</label>
<button class="end">${fillText(texts.deleteAccount)}</button>`,
)}
</section>`;
};

const provenForm = ({ proof, form, branding }: AccountModel, action: string, content: Html): Html =>
  proof.kind === 'fresh' ? accountForm(action, form, content) : confirmFirst(branding.texts);
