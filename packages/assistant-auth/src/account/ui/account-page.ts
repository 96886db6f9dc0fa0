/** The account page: who is signed in, and every section in its order. */

import type { EpochSeconds } from '../../oauth/time.ts';
import type { ParsedBranding } from '../../ui/branding.ts';
import {
  fillText,
  type Html,
  html,
  type ProviderChoice,
  properName,
  providerButtons,
  renderIdentity,
  renderLayout,
  renderMark,
  type ShownIdentity,
} from '../../ui/layout.ts';
import type { Texts } from '../../ui/texts.ts';

/** Renders the page. Every form posts `form` to its own action, and what the model says there. */
export const accountPage = (model: AccountModel): string => {
  const { branding, stylesheetPath, notice } = model;
  const { texts, name } = branding;
  return renderLayout({
    branding,
    stylesheetPath,
    title: fillText(texts.account, { product: name }),
    notice: notice && fillText(texts[noticeTexts[notice]]),
    content: html`${session(model)}
${connectedApps(model)}
${signOutEverywhere(model)}
${confirmBox(model)}
${linkedIdentities(model)}
${dataExport(model)}
${deletion(model)}`,
  });
};

const noticeTexts = {
  'app-ended': 'appEnded',
  linked: 'linked',
  'already-linked': 'alreadyLinked',
  'link-cancelled': 'linkCancelled',
  'not-linked': 'notLinked',
  unlinked: 'unlinked',
  'last-identity': 'lastIdentity',
  proven: 'proven',
  'not-confirmed': 'notConfirmed',
  'proof-needed': 'proofNeeded',
  'delete-unticked': 'deleteUnticked',
} as const satisfies Readonly<Record<AccountNotice, keyof Texts>>;

const session = ({ branding: { texts }, actions, form, identities }: AccountModel): Html => {
  const current = identities.find((identity) => identity.current);
  return accountForm(
    actions.signOut,
    form,
    html`<div class="row">
${current && html`<p>${fillText(texts.signedInWith, { identity: renderIdentity(current) })}</p>`}
<button>${fillText(texts.signOut)}</button>
</div>`,
  );
};

/** One box for all that needs a proof; the form posts `purpose=prove` and `choice`, a provider's id. */
const confirmBox = ({ branding: { texts }, actions, form, proof }: AccountModel): Html | undefined =>
  proof.kind === 'fresh'
    ? undefined
    : html`<section class="facts" aria-labelledby="confirm">
<h2 id="confirm">${fillText(texts.confirm)}</h2>
<p>${fillText(texts.confirmAbout)}</p>
${accountForm(actions.signIn, form, html`<input type="hidden" name="purpose" value="prove">\n${providerButtons(proof.providers, texts.confirmWith)}`)}
</section>`;

// What the account page is made from.

export interface AccountModel {
  readonly branding: ParsedBranding;
  readonly stylesheetPath: string;
  /** Paths that the forms are posted to. */
  readonly actions: {
    readonly signOut: string;
    /** Ends an app (`app`, its key) or everything (`all=1`), which includes this session. */
    readonly endApps: string;
    /** Leads to a provider (`choice`) to prove who it is (`purpose=prove`). */
    readonly signIn: string;
    /** Leads to a provider (`choice`) to add an identity there. */
    readonly link: string;
    /** Removes an identity (`identity`, its key) and ends the apps that were connected through it. */
    readonly unlink: string;
    readonly exportData: string;
    /** Deletes the account if `confirm=yes` was ticked. */
    readonly deleteAccount: string;
  };
  /** Sealed; posted back unread as `form` by every form. */
  readonly form: string;
  readonly notice?: AccountNotice;
  /** Connected apps, each once per client and host. */
  readonly apps: readonly ConnectedApp[];
  readonly identities: readonly LinkedIdentity[];
  /** Providers that an identity can be added of; several identities of one provider may be. */
  readonly linkable: readonly ProviderChoice[];
  readonly proof: Proof;
}

/** What has just been done, or why it was not. */
export const accountNotices = [
  'app-ended',
  'linked',
  'already-linked',
  'link-cancelled',
  // It belongs to another account by now.
  'not-linked',
  'unlinked',
  // Nothing was removed: it is the only identity.
  'last-identity',
  'proven',
  // The provider did not confirm who it is: somebody else, or a journey given up.
  'not-confirmed',
  // Nothing was done: the proof that it needs is missing or too old.
  'proof-needed',
  // Nothing was deleted: `confirm` was missing.
  'delete-unticked',
] as const;

export type AccountNotice = (typeof accountNotices)[number];

export interface ConnectedApp {
  /** Stands for the app in what is posted. */
  readonly key: string;
  /** What the client calls itself: a claim. */
  readonly clientName: string;
  /** Host that its codes are sent to: a fact. */
  readonly redirectHost: string;
  /** What it may do; `description` completes "it can". */
  readonly scopes: readonly { readonly name: string; readonly description: string }[];
  readonly since: EpochSeconds;
  readonly lastUsedAt: EpochSeconds;
}

export interface LinkedIdentity extends ShownIdentity {
  /** Stands for the identity in what is posted. */
  readonly key: string;
  /** Path of the vendor's mark on the own origin. */
  readonly markPath?: string;
  readonly since: EpochSeconds;
  readonly lastSignInAt: EpochSeconds;
  /** Whether this session signed in with it. */
  readonly current: boolean;
}

/** Whether the person has just proved who it is: to link, unlink, export and delete needs that. */
export type Proof =
  /** The page does not show `until`: it knows neither the person's clock nor time zone. */
  | { readonly kind: 'fresh'; readonly until: EpochSeconds }
  /** With which providers it can be proved. */
  | { readonly kind: 'stale'; readonly providers: readonly ProviderChoice[] };

// Owns the forms of the account's pages, and what stands where one needs a fresh proof first.

/**
 * Renders a form that posts the sealed `form` and what `content` holds. Without autocompletion: on reload Firefox would
 * put the earlier sealed value back into the field.
 */
export const accountForm = (action: string, form: string, content: Html): Html =>
  html`<form method="post" action="${action}" autocomplete="off">
<input type="hidden" name="form" value="${form}">
${content}
</form>\n`;

/** Renders the way to the box that confirms who it is, in place of a form that could only be refused. */
export const confirmFirst = (texts: Texts): Html =>
  html`<p><a href="#confirm">${fillText(texts.confirm)}</a></p>`;

// The sections about apps: what each may do and how to end it, and how to end everything at once.

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

// Owns how days are shown.

/** Renders the day of an instant in the language of the page. In UTC: the server does not know the person's time zone. */
export const renderDay = (instant: EpochSeconds, language: string): Html => {
  const date = new Date(instant * 1000);
  const shown = new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeZone: 'UTC' }).format(date);
  return html`<time datetime="${date.toISOString().slice(0, 10)}">${shown}</time>`;
};

// The section about identities: which ones open the account, how to remove one and how to add another.

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

// The sections about what is stored: a copy of it, and its end.

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
