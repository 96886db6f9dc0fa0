/** The section about identities: which ones open the account, how to remove one and how to add another. */
import { type Html, html } from '../html.ts';
import { properName } from '../layout.ts';
import { providerButtons, renderMark } from '../provider.ts';
import { fillText, type Texts } from '../texts.ts';
import { accountForm, confirmFirst } from './account-form.ts';
import type { AccountModel, LinkedIdentity } from './account-model.ts';
import { renderDay } from './day.ts';

/** Renders the identities. One form posts `identity`, the key of the one to remove; the other `choice`, a provider's id. */
export const linkedIdentities = (model: AccountModel): Html => {
  const { texts } = model.branding;
  return html`<section aria-labelledby="identities">
<h2 id="identities">${fillText(texts.identities)}</h2>
<p>${fillText(hasOthers(model) ? texts.identitiesAbout : texts.onlyIdentity)}</p>
${model.proof.kind === 'fresh' ? [removalForm(model), additionForm(model)] : [identityCards(model), confirmFirst(texts)]}
</section>`;
};

const removalForm = (model: AccountModel): Html =>
  hasOthers(model)
    ? accountForm(model.actions.unlink, model.form, identityCards(model))
    : identityCards(model);

const additionForm = ({ branding: { texts }, actions, form, linkable }: AccountModel): Html | undefined =>
  linkable.length === 0
    ? undefined
    : html`<h3>${fillText(texts.addIdentity)}</h3>
${accountForm(actions.link, form, providerButtons(linkable, texts.linkWith))}`;

const identityCards = (model: AccountModel): Html =>
  html`<ul class="cards" role="list">
${model.identities.map((identity, index) => identityCard(identity, `identity-${index}`, model))}</ul>\n`;

const identityCard = (identity: LinkedIdentity, id: string, model: AccountModel): Html => {
  const { language, texts } = model.branding;
  const { provider, label, markPath, since, lastSignInAt } = identity;
  const days = { since: renderDay(since, language), used: renderDay(lastSignInAt, language) };
  const isRemovable = hasOthers(model) && model.proof.kind === 'fresh';
  return html`<li class="facts">
<h3 id="${id}">${renderMark(markPath)}${properName(provider)}${label && html` <small>${properName(label)}</small>`}</h3>
${isRemovable && identity.current && html`<p class="note">${fillText(texts.unlinkCurrent)}</p>`}
<div class="row">
<div class="note">
<p>${fillText(texts.identitySince, days)}</p>
<p>${fillText(texts.lastUsed, days)}</p>
</div>
${isRemovable && removeButton(identity, id, texts)}
</div>
</li>\n`;
};

// The button is named by itself and by the heading: "Remove Google ada@example.org".
const removeButton = ({ key }: LinkedIdentity, id: string, texts: Texts): Html =>
  html`<button class="end" name="identity" value="${key}" id="end-${id}" aria-labelledby="end-${id} ${id}">${fillText(texts.unlink)}</button>`;

const hasOthers = ({ identities }: AccountModel): boolean => identities.length > 1;
