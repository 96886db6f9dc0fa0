/** The sections about apps: what each may do and how to end it, and how to end everything at once. */
import { type Html, html } from '../html.ts';
import { properName } from '../layout.ts';
import { fillText, type Texts } from '../texts.ts';
import { accountForm } from './account-form.ts';
import type { AccountModel, ConnectedApp } from './account-model.ts';
import { renderDay } from './day.ts';

/** Renders the apps; the form posts `app`, the key of the one to end. */
export const connectedApps = (model: AccountModel): Html => {
  const { branding, actions, form, apps } = model;
  const { texts } = branding;
  return html`<section aria-labelledby="apps">
<h2 id="apps">${fillText(texts.apps)}</h2>
<p>${apps.length === 0 ? fillText(texts.noApps) : fillText(texts.appsAbout, { product: properName(branding.name) })}</p>
${apps.length > 0 && accountForm(actions.endApps, form, html`<ul class="cards" role="list">\n${apps.map((app, index) => appCard(app, `app-${index}`, model))}</ul>`)}
</section>`;
};

/** Renders the way out of everything; the form posts `all=1`. */
export const signOutEverywhere = ({ branding: { texts }, actions, form }: AccountModel): Html =>
  html`<section aria-labelledby="everywhere">
<h2 id="everywhere">${fillText(texts.everywhere)}</h2>
<p>${fillText(texts.everywhereAbout)}</p>
${accountForm(actions.endApps, form, html`<button class="end" name="all" value="1">${fillText(texts.endEverything)}</button>`)}
</section>`;

// The button is named by itself and by the heading: "Disconnect ChatGPT chatgpt.com".
const appCard = (app: ConnectedApp, id: string, { branding }: AccountModel): Html => {
  const { language, texts } = branding;
  const days = { since: renderDay(app.since, language), used: renderDay(app.lastUsedAt, language) };
  return html`<li class="facts">
<h3 id="${id}">${properName(app.clientName)} <small>${properName(app.redirectHost)}</small></h3>
${appScopes(app, texts, properName(branding.name))}
<div class="row">
<div class="note">
<p>${fillText(texts.appSince, days)}</p>
<p>${fillText(texts.lastUsed, days)}</p>
</div>
<button class="end" name="app" value="${app.key}" id="end-${id}" aria-labelledby="end-${id} ${id}">${fillText(texts.disconnect)}</button>
</div>
</li>\n`;
};

const appScopes = ({ scopes }: ConnectedApp, texts: Texts, product: Html): Html =>
  scopes.length === 0
    ? html`<p>${fillText(texts.appNoScopes, { product })}</p>`
    : html`<p>${fillText(texts.appScopes)}</p>
<ul class="scopes">
${scopes.map(({ description }) => html`<li>${description}</li>\n`)}</ul>`;
