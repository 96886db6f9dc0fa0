/**
 * Renders the sign-in page, which is also the consent page. It shows the client, the scopes, the redirect
 * host and one button per provider. A client that is not in the configuration chose its name itself, so the
 * page also shows what identifies it.
 */

import { continueChoice, type Seconds } from '../oauth/identifiers.ts';
import type { ParsedBranding } from './branding.ts';
import {
  fillText,
  type Html,
  html,
  type IdentitySummary,
  type ProviderChoice,
  renderLayout,
  renderName,
  renderProviderButtons,
} from './layout.ts';
import { formatDuration, type ParsedTexts } from './texts.ts';

/** The data of the sign-in page. */
export interface SignInModel {
  /** The publisher's branding, language and texts, with all defaults filled in. */
  readonly branding: ParsedBranding;
  /**
   * The name of the client. A client that is not in the configuration chose it itself, so never show it
   * without `clientIdentity`.
   */
  readonly clientName: string;
  /** What is known about the client besides its name. */
  readonly clientIdentity: ClientIdentity;
  /**
   * The host that the code is sent to, from the verified redirect URI, with the port unless it is the default
   * port; or the scheme if it is a private-use URI scheme (RFC 8252 §7.1). Never truncate it.
   */
  readonly redirectHost: string;
  /**
   * Where the code is sent: to a `website`, or to an app on the user's `device`, through a loopback address
   * or a private-use URI scheme (RFC 8252 §7.1, §7.3). If it is `device`, warn the user, even if the client
   * is in the configuration: any app on the device can start a sign-in with the client ID of another app, and
   * receive the code (RFC 8252 §8.6).
   */
  readonly redirectKind: 'website' | 'device';
  /** The scopes that are granted. */
  readonly scopes: readonly ScopeDescription[];
  /** How long the client keeps access. Show it, so that the user knows whether that is long or short. */
  readonly access: AccessDuration;
  /** The path of the account page, where the user can disconnect the client. Absent if there is none. */
  readonly accountPath?: string;
  /** The providers that the user can choose, one button for each. */
  readonly providers: readonly ProviderChoice[];
  /** The identity of this browser's session, if the user can continue without the provider's page. */
  readonly session?: IdentitySummary;
  /** Why the user must sign in again. */
  readonly notice?: SignInNotice;
  /** The path that the form is posted to. */
  readonly action: string;
  /** The sealed request, which the form posts back unchanged in the field `consent`. Secret. */
  readonly consent: string;
  /** The path of the stylesheet on the issuer's origin. */
  readonly stylesheetPath: string;
}

/** What is known about a client besides its name, so that users do not have to trust the name. */
export type ClientIdentity =
  /** The client is in the configuration, so the publisher chose its name. */
  | { readonly kind: 'configured' }
  /** Its metadata document, which contains the name, was read from the URL that is its ID. */
  | {
      readonly kind: 'metadata-document';
      /** The host of that URL, with the port unless it is the default port. Never truncate it. */
      readonly host: string;
    }
  /** The client registered itself (RFC 7591), and chose its name. Nothing about it is verified. */
  | { readonly kind: 'registration' };

/** How long a client keeps access, from the option `lifetimes`. The user can end it earlier. */
export type AccessDuration =
  /** The client gets a refresh token. */
  | {
      readonly kind: 'refreshed';
      /** How long it can refresh its access, in seconds. */
      readonly lifetime: Seconds;
      /** After how long without use the access ends, in seconds. It is never longer than `lifetime`. */
      readonly idleLifetime: Seconds;
    }
  /** The client gets only an access token. */
  | {
      readonly kind: 'once';
      /** How long that is valid, in seconds. */
      readonly lifetime: Seconds;
    };

/** A scope, and what it allows. */
export interface ScopeDescription {
  /** The scope, such as `score`. */
  readonly name: string;
  /** What it allows, from the option `scopes`. Completes "it will be able to". */
  readonly description: string;
}

/** Why a user who had a session must sign in again. */
export type SignInNotice =
  /** The session has ended. */
  | 'session-ended'
  /** The provider did not confirm that the user's account there is still active. */
  | 'provider-not-confirmed'
  /** The user authenticated longer ago than the client accepts (`max_age`). */
  | 'sign-in-too-old';

/**
 * Renders the page. The form posts `consent` with either `choice` (a provider's ID, or `continue` for the
 * session) or `cancel=1`.
 */
export const renderSignInPage = (model: SignInModel): string => {
  const { branding, stylesheetPath, notice, clientIdentity, redirectHost } = model;
  const { texts } = branding;
  // Of other clients, only the redirect host is known.
  const site = clientIdentity.kind === 'metadata-document' ? clientIdentity.host : redirectHost;
  const names = {
    product: renderName(branding.name),
    client: renderName(model.clientName),
    host: html`<strong>${renderName(redirectHost)}</strong>`,
    site: html`<strong>${renderName(site)}</strong>`,
  };
  const isRegistration = clientIdentity.kind === 'registration';
  const isOnDevice = model.redirectKind === 'device';
  const destination = site === redirectHost ? texts.destination : texts.otherDestination;
  return renderLayout({
    branding,
    stylesheetPath,
    title: fillText(texts.signIn, { product: branding.name }),
    notice: notice && fillText(texts[noticeTexts[notice]]),
    content: html`<p class="lead">${fillText(isRegistration ? texts.unverifiedRequest : texts.request, { ...names, client: html`<strong>${names.client}</strong>` })}</p>
<div class="facts">
${clientIdentity.kind !== 'configured' && html`<p>${fillText(isRegistration ? texts.unverifiedName : texts.identifiedBy, names)}</p>`}
${renderScopeList(model, names)}
${renderAccess(model, names)}
${
  isOnDevice &&
  html`</div>
<div class="facts warning">
<h2>${fillText(texts.deviceWarning)}</h2>`
}
<p>${fillText(isOnDevice ? texts.deviceDestination : destination, names)}</p>
</div>
${renderChoiceForm(model)}
<p class="note">${fillText(texts.assurance, names)}</p>`,
  });
};

/** The values for the placeholders of the texts. */
type Names = Readonly<Record<'product' | 'client' | 'host', Html>>;

const renderScopeList = ({ scopes, branding }: SignInModel, names: Names): Html =>
  scopes.length === 0
    ? html`<p>${fillText(branding.texts.noScopes, names)}</p>`
    : html`<h2>${fillText(branding.texts.scopes, names)}</h2>
<ul class="scopes">
${scopes.map(({ description }) => html`<li>${description}</li>\n`)}</ul>`;

const renderAccess = (
  { access, accountPath, branding: { language, texts } }: SignInModel,
  names: Names,
): Html => {
  const duration = formatDuration(access.lifetime, language, texts);
  if (access.kind === 'once') return html`<p>${fillText(texts.accessOnce, { ...names, duration })}</p>`;
  const account =
    accountPath !== undefined && html`<a href="${accountPath}">${fillText(texts.accountLink)}</a>`;
  const text = account === false ? texts.accessRefreshed : texts.accessUntilDisconnected;
  return html`<p>${fillText(text, { ...names, duration, account })}</p>`;
};

const noticeTexts = {
  'session-ended': 'sessionEnded',
  'provider-not-confirmed': 'providerNotConfirmed',
  'sign-in-too-old': 'signInTooOld',
} as const satisfies Readonly<Record<SignInNotice, keyof ParsedTexts>>;

// `autocomplete="off"`: on reload, Firefox would put the earlier sealed request back into the field.
const renderChoiceForm = ({ action, consent, providers, session, branding: { texts } }: SignInModel): Html =>
  html`<form method="post" action="${action}" autocomplete="off">
<input type="hidden" name="consent" value="${consent}">
<fieldset>
<legend>${fillText(texts.choice)}</legend>
${session && renderSessionButton(session, texts)}
${renderProviderButtons(providers, texts.continueWith)}
</fieldset>
<button class="cancel" name="cancel" value="1">${fillText(texts.cancel)}</button>
</form>`;

const renderSessionButton = ({ label, provider }: IdentitySummary, texts: ParsedTexts): Html =>
  html`<button class="main" name="choice" value="${continueChoice}">${
    label === undefined
      ? fillText(texts.continueSession, { provider: renderName(provider) })
      : fillText(texts.continueAs, { user: renderName(label), provider: renderName(provider) })
  }</button>
<p class="or">${fillText(texts.otherWay)}</p>`;
