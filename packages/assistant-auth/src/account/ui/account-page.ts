/**
 * Renders the account page with all its sections. `account-sign-in-page.ts` renders the page that is shown if
 * nobody is signed in.
 */
import type { EpochSeconds } from '../../oauth/identifiers.ts';
import {
  fillText,
  type Html,
  html,
  type IdentitySummary,
  type ProviderChoice,
  renderIdentity,
  renderLayout,
  renderName,
  renderProviderButtons,
  renderProviderIcon,
} from '../../ui/layout.ts';
import type { ClientIdentity, ScopeDescription } from '../../ui/sign-in.ts';
import type { AccountTexts } from '../../ui/texts.ts';
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
      return html`<div class="facts">
<p id="${id}">${fillText(texts.newlyLinked, names)}</p>
${renderForm(actions.linkSeen, form, html`<button name="linked" value="${identity.key}" aria-describedby="${id}">${fillText(texts.newlyLinkedSeen)}</button>`)}
</div>\n`;
    });
};

/** Renders who is signed in, and the publisher's facts about the user. The form posts no further field. */
const renderProfile = ({ branding: { texts }, actions, form, profile }: AccountModel): Html =>
  html`${renderForm(
    actions.signOut,
    form,
    html`<div class="row">
<p>${fillText(texts.signedInWith, { identity: renderIdentity(profile.identity) })}</p>
<button>${fillText(texts.signOut)}</button>
</div>`,
  )}
${
  profile.facts.length > 0 &&
  html`<dl class="facts">
${profile.facts.map(({ label, value }) => html`<dt>${label}</dt>\n<dd>${value}</dd>\n`)}</dl>`
}`;

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
    : html`<section class="facts" aria-labelledby="confirm">
<h2 id="confirm">${fillText(texts.confirm)}</h2>
<p>${fillText(texts.confirmAbout)}</p>
${renderForm(actions.signIn, form, html`<input type="hidden" name="purpose" value="confirm">\n${renderProviderButtons(recentAuth.providers, texts.confirmWith)}`)}
</section>`;

/** The data of the account page. */
export interface AccountModel {
  /** The publisher's branding, language and texts, with all defaults filled in. */
  readonly branding: AccountBranding;
  /** Path of the stylesheet on the issuer's origin. */
  readonly stylesheetPath: string;
  /** Paths that the forms are posted to. Each form also posts `form`. */
  readonly actions: {
    /** Ends this session. */
    readonly signOut: string;
    /** Disconnects an app (`app`, its key) or everything (`all=1`), which includes this session. */
    readonly disconnectApps: string;
    /** Signs out a device (`device`, its key), and shows the page again. */
    readonly signOutDevice: string;
    /** Redirects to a provider (`choice`) to confirm the current user (`purpose=confirm`). */
    readonly signIn: string;
    /** Redirects to a provider (`choice`) to link an identity of that provider. */
    readonly link: string;
    /** Ends the notice about a newly linked identity (`linked`, its key), and shows the page again. */
    readonly linkSeen: string;
    /** Unlinks an identity (`identity`, its key) and disconnects the apps that were connected through it. */
    readonly unlink: string;
    /** Downloads the user's data as JSON. */
    readonly exportData: string;
    /** Deletes the account if the form posts `confirm=yes`. */
    readonly deleteAccount: string;
  };
  /** A sealed value that every form posts back unchanged as `form`. */
  readonly form: string;
  /** What has just happened. Default: nothing. */
  readonly notice?: AccountNotice;
  /** Who is signed in. */
  readonly profile: AccountProfile;
  /** The connected apps, one per client and redirect host. */
  readonly apps: readonly ConnectedApp[];
  /** The identities that the user can sign in with. */
  readonly identities: readonly AccountIdentity[];
  /** The active sessions of the user: the current one first, then the most recently used. */
  readonly devices: readonly SignedInDevice[];
  /** The providers whose identities can be linked. A user can have several identities of one provider. */
  readonly linkableProviders: readonly ProviderChoice[];
  /** Whether the last sign-in is recent enough to link, unlink, export and delete. */
  readonly recentAuth: RecentAuth;
}

/** What has just happened, or why nothing was changed. */
export type AccountNotice =
  /** An app was disconnected. */
  | 'app-disconnected'
  /** A device was signed out. */
  | 'device-signed-out'
  /** An identity was linked. */
  | 'linked'
  /** The identity was linked before. */
  | 'already-linked'
  /** The user canceled before an identity was linked. */
  | 'link-canceled'
  /** The identity was linked to another account in the meantime. */
  | 'not-linked'
  /** An identity was removed. */
  | 'unlinked'
  /** Nothing was removed: no other identity can be used to sign in. */
  | 'last-identity'
  /** The provider confirmed the current user. */
  | 'confirmed'
  /** The provider did not confirm the current user: someone else signed in, or the sign-in was canceled. */
  | 'not-confirmed'
  /** Nothing was done: the last sign-in is not recent enough. */
  | 'confirmation-required'
  /** Nothing was deleted: `confirm` was not `yes`. */
  | 'delete-not-confirmed';

/** Every notice of the account page. */
export const accountNotices: readonly AccountNotice[] = [
  ...([
    'app-disconnected',
    'device-signed-out',
    'linked',
    'already-linked',
    'link-canceled',
    'not-linked',
    'unlinked',
  ] as const),
  ...(['last-identity', 'confirmed', 'not-confirmed', 'confirmation-required'] as const),
  'delete-not-confirmed',
];

/** Who is signed in, and what the publisher shows about the user. */
export interface AccountProfile {
  /** The identity that this session was started with, and the provider's icon. */
  readonly identity: ProfileIdentity;
  /** What `summarizeUser` returned. */
  readonly facts: readonly UserFact[];
}

/** A fact about the user that the publisher shows, such as a score. */
export interface UserFact {
  /** What the fact is: plain text on one line, at most 100 characters. */
  readonly label: string;
  /** Its value: plain text on one line, at most 100 characters. */
  readonly value: string;
}

/** A client at one redirect host, with all its active grants. */
export interface ConnectedApp {
  /** Identifies the app in the posted form. */
  readonly key: string;
  /**
   * The name of the client. If none is known, the host of its ID if the ID is a URL, and otherwise the ID,
   * shortened if it is long. A client that is not in the configuration chose the name itself, so never show it
   * without `clientIdentity`.
   */
  readonly clientName: string;
  /** What is known about the client besides its name. */
  readonly clientIdentity: ClientIdentity;
  /**
   * The host that its codes are sent to, without the port of a loopback address; or the scheme if it is a
   * private-use URI scheme (RFC 8252 §7.1).
   */
  readonly redirectHost: string;
  /** The scopes of all its grants. Each description completes "it can". */
  readonly scopes: readonly ScopeDescription[];
  /** When the first of its active grants was created. */
  readonly connectedAt: EpochSeconds;
  /** When one of its grants was last used. */
  readonly lastUsedAt: EpochSeconds;
}

/** An identity, and its provider's icon. */
export interface ProfileIdentity extends IdentitySummary {
  /** Path of the provider's icon on the issuer's origin. Default: no icon. */
  readonly providerIconPath?: string;
}

/** An identity that the user can sign in with. */
export interface AccountIdentity extends ProfileIdentity {
  /** Identifies the identity in the posted form. */
  readonly key: string;
  /** When it was linked. */
  readonly linkedAt: EpochSeconds;
  /** When the user last signed in with it. */
  readonly lastSignInAt: EpochSeconds;
  /** Whether this session was started with it. */
  readonly isCurrent: boolean;
  /**
   * Whether it was added, and the user has not ended the notice about that yet. If so, the page must say when
   * the identity was added and what to do if someone else did that: whoever can open the account in an
   * unattended browser can add an identity of their own.
   */
  readonly isNewlyLinked: boolean;
}

/** An active session of the account page. */
export interface SignedInDevice {
  /** Identifies the session in the posted form. */
  readonly key: string;
  /**
   * The browser and the system that signed in, such as `Chrome, macOS`, or one of them, in no particular
   * language. The browser sent them, so they prove nothing. Absent if neither was recognized.
   */
  readonly description?: string;
  /** When it signed in. */
  readonly signedInAt: EpochSeconds;
  /** When it last used the account page, or continued to an app. */
  readonly lastUsedAt: EpochSeconds;
  /** Whether it is this session. */
  readonly isCurrent: boolean;
}

/** Whether the last sign-in is recent enough to link, unlink, export and delete. */
export type RecentAuth =
  | {
      /** It is recent enough. */
      readonly kind: 'fresh';
      /** Until when. The default page does not show it, because it does not know the user's time zone. */
      readonly until: EpochSeconds;
    }
  | {
      /** The user must first confirm who they are. */
      readonly kind: 'stale';
      /** The providers with which they can do that. */
      readonly providers: readonly ProviderChoice[];
    };

/**
 * Renders a form that posts the sealed `form` and the fields in `content`. `autocomplete="off"`: on reload,
 * Firefox would put the earlier sealed value back into the field.
 */
export const renderForm = (action: string, form: string, content: Html): Html =>
  html`<form method="post" action="${action}" autocomplete="off">
<input type="hidden" name="form" value="${form}">
${content}
</form>\n`;

/** Renders a link to the confirmation box, in place of a form that would be refused. */
const renderConfirmBoxLink = (texts: AccountTexts): Html =>
  html`<p><a href="#confirm">${fillText(texts.confirm)}</a></p>`;

/** Renders the connected apps. The form posts `app`, the key of the app to disconnect. */
const renderConnectedApps = (model: AccountModel): Html => {
  const { branding, actions, form, apps } = model;
  const { texts } = branding;
  return html`<section aria-labelledby="apps">
<h2 id="apps">${fillText(texts.apps)}</h2>
<p>${apps.length === 0 ? fillText(texts.noApps) : fillText(texts.appsAbout, { product: renderName(branding.name) })}</p>
${apps.length > 0 && renderForm(actions.disconnectApps, form, html`<ul class="cards" role="list">\n${apps.map((app, index) => renderAppCard(app, `app-${index}`, model))}</ul>`)}
</section>`;
};

// The accessible name of the button includes the heading: "Disconnect ChatGPT chatgpt.com".
const renderAppCard = (app: ConnectedApp, id: string, { branding }: AccountModel): Html => {
  const { language, texts } = branding;
  const days = { since: renderDate(app.connectedAt, language), used: renderDate(app.lastUsedAt, language) };
  return html`<li class="facts">
<h3 id="${id}">${renderName(app.clientName)} <small>${renderName(app.redirectHost)}</small></h3>
${renderClientIdentity(app.clientIdentity, texts)}
${renderAppScopes(app, texts, renderName(branding.name))}
<div class="row">
<div class="note">
<p>${fillText(texts.appSince, days)}</p>
<p>${fillText(texts.lastUsed, days)}</p>
</div>
<button class="end" name="app" value="${app.key}" id="end-${id}" aria-labelledby="end-${id} ${id}">${fillText(texts.disconnect)}</button>
</div>
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

const renderAppScopes = ({ scopes }: ConnectedApp, texts: AccountTexts, product: Html): Html =>
  scopes.length === 0
    ? html`<p>${fillText(texts.appNoScopes, { product })}</p>`
    : html`<p>${fillText(texts.appScopes)}</p>
<ul class="scopes">
${scopes.map(({ description }) => html`<li>${description}</li>\n`)}</ul>`;

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
 * Renders the identities. One form posts `identity`, the key of the identity to remove; the other posts
 * `choice`, a provider's ID.
 */
const renderLinkedIdentities = (model: AccountModel): Html => {
  const { texts } = model.branding;
  return html`<section aria-labelledby="identities">
<h2 id="identities">${fillText(texts.identities)}</h2>
<p>${fillText(hasOthers(model) ? texts.identitiesAbout : texts.onlyIdentity)}</p>
${model.recentAuth.kind === 'fresh' ? [renderUnlinkForm(model), renderLinkForm(model)] : [renderIdentityCards(model), renderConfirmBoxLink(texts)]}
</section>`;
};

const renderUnlinkForm = (model: AccountModel): Html =>
  hasOthers(model)
    ? renderForm(model.actions.unlink, model.form, renderIdentityCards(model))
    : renderIdentityCards(model);

const renderLinkForm = ({
  branding: { texts },
  actions,
  form,
  linkableProviders,
}: AccountModel): Html | undefined =>
  linkableProviders.length === 0
    ? undefined
    : html`<h3>${fillText(texts.addIdentity)}</h3>
${renderForm(actions.link, form, renderProviderButtons(linkableProviders, texts.linkWith))}`;

const renderIdentityCards = (model: AccountModel): Html =>
  html`<ul class="cards" role="list">
${model.identities.map((identity, index) => renderIdentityCard(identity, `identity-${index}`, model))}</ul>\n`;

const renderIdentityCard = (identity: AccountIdentity, id: string, model: AccountModel): Html => {
  const { language, texts } = model.branding;
  const { provider, label, providerIconPath, linkedAt, lastSignInAt } = identity;
  const days = { since: renderDate(linkedAt, language), used: renderDate(lastSignInAt, language) };
  const isRemovable = hasOthers(model) && model.recentAuth.kind === 'fresh';
  return html`<li class="facts">
<h3 id="${id}">${renderProviderIcon(providerIconPath)}${renderName(provider)}${label && html` <small>${renderName(label)}</small>`}</h3>
${isRemovable && identity.isCurrent && html`<p class="note">${fillText(texts.unlinkCurrent)}</p>`}
<div class="row">
<div class="note">
<p>${fillText(texts.identitySince, days)}</p>
<p>${fillText(texts.lastUsed, days)}</p>
</div>
${isRemovable && renderUnlinkButton(identity, id, texts)}
</div>
</li>\n`;
};

// The accessible name of the button includes the heading: "Remove Google ada@example.org".
const renderUnlinkButton = ({ key }: AccountIdentity, id: string, texts: AccountTexts): Html =>
  html`<button class="end" name="identity" value="${key}" id="end-${id}" aria-labelledby="end-${id} ${id}">${fillText(texts.unlink)}</button>`;

/**
 * Renders the active sessions. One form posts `device`, the key of the device to sign out; the other posts
 * `all=1`, which disconnects everything.
 */
const renderDevices = (model: AccountModel): Html => {
  const { branding, actions, form, devices } = model;
  const { texts } = branding;
  return html`<section aria-labelledby="devices">
<h2 id="devices">${fillText(texts.devices)}</h2>
<p>${fillText(texts.devicesAbout)}</p>
${renderForm(actions.signOutDevice, form, html`<ul class="cards" role="list">\n${devices.map((device, index) => renderDeviceCard(device, `device-${index}`, branding))}</ul>`)}
<p>${fillText(texts.signOutEverywhereAbout)}</p>
${renderForm(actions.disconnectApps, form, html`<button class="end" name="all" value="1">${fillText(texts.disconnectEverything)}</button>`)}
</section>`;
};

// The accessible name of the button includes the heading: "Sign out Chrome, macOS".
const renderDeviceCard = (
  { key, description, signedInAt, lastUsedAt, isCurrent }: SignedInDevice,
  id: string,
  { language, texts }: AccountBranding,
): Html => {
  const days = { since: renderDate(signedInAt, language), used: renderDate(lastUsedAt, language) };
  return html`<li class="facts">
<h3 id="${id}">${description === undefined ? fillText(texts.unknownDevice) : renderName(description)}</h3>
${isCurrent && html`<p class="note">${fillText(texts.thisDevice)}</p>`}
<div class="row">
<div class="note">
<p>${fillText(texts.deviceSince, days)}</p>
<p>${fillText(texts.lastUsed, days)}</p>
</div>
${!isCurrent && html`<button class="end" name="device" value="${key}" id="end-${id}" aria-labelledby="end-${id} ${id}">${fillText(texts.signOutDevice)}</button>`}
</div>
</li>\n`;
};

const hasOthers = ({ identities }: AccountModel): boolean => identities.length > 1;

/** Renders the data export. The form posts no further field. */
const renderDataExport = (model: AccountModel): Html => {
  const { branding, actions } = model;
  const { texts } = branding;
  return html`<section aria-labelledby="export">
<h2 id="export">${fillText(texts.exportHeading)}</h2>
<p>${fillText(texts.exportAbout, { product: renderName(branding.name) })}</p>
${renderRecentAuthForm(model, actions.exportData, html`<button>${fillText(texts.exportData)}</button>`)}
</section>`;
};

/** Renders the account deletion. The form posts `confirm=yes` if the box is checked. */
const renderDeletion = (model: AccountModel): Html => {
  const { branding, actions } = model;
  const { texts } = branding;
  const product = renderName(branding.name);
  return html`<section aria-labelledby="delete">
<h2 id="delete">${fillText(texts.deleteHeading)}</h2>
<p>${fillText(texts.deleteAbout, { product })}</p>
<ul class="scopes">
<li>${fillText(texts.deleteApps)}</li>
<li>${fillText(texts.deleteIdentities)}</li>
<li>${fillText(texts.deleteData, { product })}</li>
<li><strong>${fillText(texts.deleteFinal)}</strong></li>
</ul>
${renderRecentAuthForm(
  model,
  actions.deleteAccount,
  html`<label><input type="checkbox" name="confirm" value="yes" required> ${fillText(texts.deleteConfirm)}</label>
<button class="end">${fillText(texts.deleteAccount)}</button>`,
)}
</section>`;
};

const renderRecentAuthForm = (
  { recentAuth, form, branding }: AccountModel,
  action: string,
  content: Html,
): Html =>
  recentAuth.kind === 'fresh' ? renderForm(action, form, content) : renderConfirmBoxLink(branding.texts);
