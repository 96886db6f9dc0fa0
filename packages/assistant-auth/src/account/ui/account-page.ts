/**
 * Renders the account page with all its sections. `account-sign-in-page.ts` renders the page that is shown if
 * nobody is signed in.
 */
import type { EpochSeconds } from '../../oauth/identifiers.ts';
import {
  fillText,
  type Html,
  html,
  renderIdentity,
  renderLayout,
  renderLogo,
  renderName,
  renderProviderButtons,
  renderProviderIcon,
} from '../../ui/layout.ts';
import { type ClientIdentity, findClientIcon } from '../../ui/sign-in.ts';
import type { AccountTexts } from '../../ui/texts.ts';
import type {
  AccountIdentity,
  AccountModel,
  AccountNotice,
  ConnectedApp,
  SignedInDevice,
} from './account-model.ts';
import type { AccountBranding } from './texts.ts';

/**
 * Renders the page. Every form posts `form` and the fields that `AccountModel` documents to its own action.
 */
export const renderAccountPage = (model: AccountModel): string => {
  const { branding, stylesheetPath, notice } = model;
  const { texts, name } = branding;
  return renderLayout({
    branding,
    stylesheetPath,
    title: fillText(texts.account, { product: name }),
    ...(branding.links.home !== undefined && { header: renderWayBack(branding.links.home, branding) }),
    notice: notice && fillText(texts[noticeTexts[notice]]),
    content: html`${renderNewlyLinked(model)}
${renderProfile(model)}
${renderConnectedApps(model)}
${renderConfirmBox(model)}
${renderLinkedIdentities(model)}
${renderDevices(model)}
${renderDataExport(model)}
${renderDeletion(model)}`,
  });
};

const renderWayBack = (home: string, { name, logo, texts }: AccountBranding): Html =>
  html`<a class="brand" href="${home}" rel="noreferrer"><span class="arrow" aria-hidden="true">←</span>${logo && renderLogo(logo, name)}<span>${fillText(texts.backToProduct, { product: renderName(name) })}</span></a>`;

const noticeTexts = {
  'app-disconnected': 'appDisconnected',
  'device-signed-out': 'deviceSignedOut',
  linked: 'linked',
  'already-linked': 'alreadyLinked',
  'link-canceled': 'linkCanceled',
  'not-linked': 'notLinked',
  unlinked: 'unlinked',
  'last-identity': 'lastIdentity',
  confirmed: 'confirmed',
  'not-confirmed': 'notConfirmed',
  'confirmation-required': 'confirmationRequired',
  'delete-not-confirmed': 'deleteNotConfirmed',
} as const satisfies Readonly<Record<AccountNotice, keyof AccountTexts>>;

/**
 * Renders a form that posts the sealed `form` and the fields in `content`. `autocomplete="off"`: on reload,
 * Firefox would put the earlier sealed value back into the field.
 */
export const renderForm = (action: string, form: string, content: Html): Html =>
  html`<form method="post" action="${action}" autocomplete="off">
<input type="hidden" name="form" value="${form}">
${content}
</form>\n`;

/** Renders a notice for each identity that was recently linked. The form posts `linked`, its key. */
const renderNewlyLinked = ({ branding, actions, form, identities }: AccountModel): readonly Html[] => {
  const { language, texts } = branding;
  return identities
    .filter(({ isNewlyLinked }) => isNewlyLinked)
    .map((identity, index) => {
      const id = `linked-${index}`;
      const names = {
        identity: renderIdentity(identity),
        since: renderDate(identity.linkedAt, language),
      };
      return html`<div class="notice">
<p id="${id}">${fillText(texts.newlyLinked, names)}</p>
${
  identity.canDismissNotice
    ? renderForm(
        actions.linkSeen,
        form,
        html`<button name="linked" value="${identity.key}" aria-describedby="${id}">${fillText(texts.newlyLinkedSeen)}</button>`,
      )
    : html`<p>${fillText(texts.newlyLinkedKept, names)}</p>`
}
</div>\n`;
    });
};

/** Renders who is signed in, and the publisher's facts about the user. The form posts no further field. */
const renderProfile = ({ branding: { texts }, actions, form, profile }: AccountModel): Html => {
  const { provider, label = provider, icon } = profile.identity;
  return html`${renderForm(
    actions.signOut,
    form,
    html`<div class="row">
${renderProviderIcon(icon)}
<p><strong>${renderName(label)}</strong> <small>${fillText(texts.signedInWith, { provider: renderName(provider) })}</small></p>
<button>${fillText(texts.signOut)}</button>
</div>`,
  )}
${
  profile.facts.length > 0 &&
  html`<dl>
${profile.facts.map(({ label: name, value }) => html`<div><dt>${name}</dt> <dd>${value}</dd></div>\n`)}</dl>`
}`;
};

/**
 * Renders one box for all sections that need a recent sign-in. The form posts `purpose=confirm` and
 * `choice`, a provider's ID.
 */
const renderConfirmBox = ({
  branding: { texts },
  actions,
  form,
  recentAuth,
}: AccountModel): Html | undefined =>
  recentAuth.kind === 'fresh'
    ? undefined
    : html`<section class="box" aria-labelledby="confirm">
<h2 id="confirm">${fillText(texts.confirm)}</h2>
<p>${fillText(texts.confirmAbout)}</p>
${renderForm(actions.signIn, form, html`<input type="hidden" name="purpose" value="confirm">\n${renderProviderButtons(recentAuth.providers, texts.confirmWith)}`)}
</section>`;

/** Renders a link to the confirmation box, in place of a form that would be refused. */
const renderConfirmBoxLink = (texts: AccountTexts): Html =>
  html`<p><a href="#confirm">${fillText(texts.confirm)}</a></p>`;

/** Renders the connected apps. The form posts `app`, the key of the app to disconnect. */
const renderConnectedApps = (model: AccountModel): Html => {
  const { branding, actions, form, apps } = model;
  const { texts } = branding;
  return html`<section aria-labelledby="apps">
<h2 id="apps">${fillText(texts.apps)}</h2>
<p class="note">${apps.length === 0 ? fillText(texts.noApps) : fillText(texts.appsAbout, { product: renderName(branding.name) })}</p>
${apps.length > 0 && renderForm(actions.disconnectApps, form, html`<ul class="rows" role="list">\n${apps.map((app, index) => renderApp(app, `app-${index}`, branding))}</ul>`)}
</section>`;
};

const renderApp = (app: ConnectedApp, id: string, branding: AccountBranding): Html => {
  const { texts } = branding;
  const { clientName, clientIdentity, redirectHost, connectedAt, lastUsedAt, key } = app;
  return html`<li class="row">
${renderLogo(findClientIcon({ ...app, branding }), clientName)}
<div>
<h3 id="${id}">${renderName(clientName)} <small>${renderName(redirectHost)}</small></h3>
${renderClientIdentity(clientIdentity, texts)}
${renderAppScopes(app, branding)}
${renderTimes(texts.appSince, connectedAt, lastUsedAt, branding)}
</div>
${renderEndButton('app', key, id, texts.disconnect)}
</li>\n`;
};

const renderClientIdentity = (identity: ClientIdentity, texts: AccountTexts): Html | undefined => {
  switch (identity.kind) {
    case 'configured':
      return undefined;
    case 'metadata-document':
      return html`<p>${fillText(texts.appIdentifiedBy, { site: html`<strong>${renderName(identity.host)}</strong>` })}</p>`;
    case 'registration':
      return html`<p>${fillText(texts.appUnverifiedName)}</p>`;
  }
};

const renderAppScopes = ({ scopes }: ConnectedApp, { name, texts }: AccountBranding): Html =>
  scopes.length === 0
    ? html`<p>${fillText(texts.appNoScopes, { product: renderName(name) })}</p>`
    : html`<p>${fillText(texts.appScopes)}</p>
<ul class="inline">
${scopes.map(({ description }) => html`<li>${description}</li>\n`)}</ul>`;

/**
 * Renders when something was added and last used.
 * @param since the text with the placeholder `{since}`
 */
const renderTimes = (
  since: string,
  addedAt: EpochSeconds,
  usedAt: EpochSeconds,
  { language, texts }: AccountBranding,
): Html =>
  html`<p class="note">${fillText(since, { since: renderDate(addedAt, language) })} · ${fillText(texts.lastUsed, { used: renderDate(usedAt, language) })}</p>`;

/**
 * Renders the date of an instant in the language of the page, in UTC: the server does not know the user's
 * time zone.
 */
const renderDate = (instant: EpochSeconds, language: string): Html => {
  const date = new Date(instant * 1000);
  const shown = new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeZone: 'UTC' }).format(date);
  return html`<time datetime="${date.toISOString().slice(0, 10)}">${shown}</time>`;
};

/**
 * Renders the button that ends or removes an item. Its accessible name includes the heading of the item, for
 * example "Disconnect ChatGPT chatgpt.com".
 */
const renderEndButton = (field: string, key: string, id: string, text: string): Html =>
  html`<button class="end" name="${field}" value="${key}" id="end-${id}" aria-labelledby="end-${id} ${id}">${fillText(text)}</button>`;

/**
 * Renders the identities. One form posts `identity`, the key of the identity to remove; the other posts
 * `choice`, a provider's ID.
 */
const renderLinkedIdentities = (model: AccountModel): Html => {
  const { branding, actions, form, identities, recentAuth } = model;
  const { texts } = branding;
  const isFresh = recentAuth.kind === 'fresh';
  const hasOthers = identities.length > 1;
  const rows = html`<ul class="rows" role="list">
${identities.map((identity, index) => renderLinkedIdentity(identity, `identity-${index}`, branding, isFresh && hasOthers ? 'removable' : 'kept'))}</ul>\n`;
  return html`<section aria-labelledby="identities">
<h2 id="identities">${fillText(texts.identities)}</h2>
<p class="note">${fillText(hasOthers ? texts.identitiesAbout : texts.onlyIdentity)}</p>
${isFresh && hasOthers ? renderForm(actions.unlink, form, rows) : rows}
${isFresh ? renderLinkMenu(model) : renderConfirmBoxLink(texts)}
</section>`;
};

const renderLinkedIdentity = (
  identity: AccountIdentity,
  id: string,
  branding: AccountBranding,
  state: 'removable' | 'kept',
): Html => {
  const { texts } = branding;
  const { provider, label, icon, linkedAt, lastSignInAt, key, isCurrent } = identity;
  return html`<li class="row">
${renderProviderIcon(icon)}
<div>
<h3 id="${id}">${renderName(provider)}${label && html` <small>${renderName(label)}</small>`}</h3>
${state === 'removable' && isCurrent && html`<p>${fillText(texts.unlinkCurrent)}</p>`}
${renderTimes(texts.identitySince, linkedAt, lastSignInAt, branding)}
</div>
${state === 'removable' && renderEndButton('identity', key, id, texts.unlink)}
</li>\n`;
};

const renderLinkMenu = ({
  branding: { texts },
  actions,
  form,
  linkableProviders,
}: AccountModel): Html | undefined =>
  linkableProviders.length === 0
    ? undefined
    : html`<details>
<summary>${fillText(texts.addIdentity)}</summary>
${renderForm(actions.link, form, renderProviderButtons(linkableProviders, texts.linkWith))}
</details>`;

/**
 * Renders the active sessions. One form posts `device`, the key of the device to sign out; the other posts
 * `all=1`, which disconnects everything.
 */
const renderDevices = (model: AccountModel): Html => {
  const { branding, actions, form, devices } = model;
  const { texts } = branding;
  return html`<section aria-labelledby="devices">
<h2 id="devices">${fillText(texts.devices)}</h2>
<p class="note">${fillText(texts.devicesAbout)}</p>
${renderForm(actions.signOutDevice, form, html`<ul class="rows" role="list">\n${devices.map((device, index) => renderDevice(device, `device-${index}`, branding))}</ul>`)}
${renderForm(
  actions.disconnectApps,
  form,
  html`<div class="row">
<p class="note">${fillText(texts.signOutEverywhereAbout)}</p>
<button class="end" name="all" value="1">${fillText(texts.disconnectEverything)}</button>
</div>`,
)}
</section>`;
};

const renderDevice = (
  { key, description, signedInAt, lastUsedAt, isCurrent }: SignedInDevice,
  id: string,
  branding: AccountBranding,
): Html => {
  const { texts } = branding;
  return html`<li class="row">
<div>
<h3 id="${id}">${description === undefined ? fillText(texts.unknownDevice) : renderName(description)}${isCurrent && html` <small>${fillText(texts.thisDevice)}</small>`}</h3>
${renderTimes(texts.deviceSince, signedInAt, lastUsedAt, branding)}
</div>
${!isCurrent && renderEndButton('device', key, id, texts.signOutDevice)}
</li>\n`;
};

/** Renders the data export. The form posts no further field. */
const renderDataExport = ({ branding, actions, form, recentAuth }: AccountModel): Html => {
  const { texts } = branding;
  const about = html`<p class="note">${fillText(texts.exportAbout, { product: renderName(branding.name) })}</p>`;
  return html`<section aria-labelledby="export">
<h2 id="export">${fillText(texts.exportHeading)}</h2>
${
  recentAuth.kind === 'fresh'
    ? renderForm(
        actions.exportData,
        form,
        html`<div class="row">
${about}
<button>${fillText(texts.exportData)}</button>
</div>`,
      )
    : html`${about}
${renderConfirmBoxLink(texts)}`
}
</section>`;
};

/** Renders the account deletion. The form posts `confirm=yes` if the box is checked. */
const renderDeletion = ({ branding, actions, form, recentAuth }: AccountModel): Html => {
  const { texts } = branding;
  return html`<section aria-labelledby="delete">
<h2 id="delete">${fillText(texts.deleteHeading)}</h2>
<details>
<summary>${fillText(texts.deleteAbout)}</summary>
<ul class="list">
<li>${fillText(texts.deleteApps)}</li>
<li>${fillText(texts.deleteIdentities)}</li>
<li>${fillText(texts.deleteData, { product: renderName(branding.name) })}</li>
<li><strong>${fillText(texts.deleteFinal)}</strong></li>
</ul>
${
  recentAuth.kind === 'fresh'
    ? renderForm(
        actions.deleteAccount,
        form,
        html`<label><input type="checkbox" name="confirm" value="yes" required> ${fillText(texts.deleteConfirm)}</label>
<button class="end">${fillText(texts.deleteAccount)}</button>`,
      )
    : renderConfirmBoxLink(texts)
}
</details>
</section>`;
};
