/**
 * Renders the sign-in page, which is also the consent page. It shows the client, the scopes, the redirect
 * host and one button per provider. A client that is not in the configuration chose its name itself, so the
 * page also shows what identifies it.
 */

import type { Seconds } from '../oauth/identifiers.ts';
import type { ParsedBranding } from './branding.ts';
import {
  fillText,
  type Html,
  html,
  type IdentitySummary,
  type ProviderChoice,
  removeControlCharacters,
  renderLayout,
  renderLogo,
  renderName,
  renderProviderButtons,
} from './layout.ts';
import { formatDuration } from './texts.ts';

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
   * or a private-use URI scheme (RFC 8252 §7.1, §7.3). A loopback address of the issuer itself is a
   * `website`. If it is `device`, warn the user, even if the client is in the configuration: any app on the
   * device can start a sign-in with the client ID of another app, and receive the code (RFC 8252 §8.6).
   */
  readonly redirectKind: 'website' | 'device';
  /** The scopes that are granted. */
  readonly scopes: readonly ScopeDescription[];
  /** How long the client keeps access. Show it, so that the user knows whether that is long or short. */
  readonly access: AccessDuration;
  /** The path of the account page, where the user can disconnect the client. Absent if there is none. */
  readonly accountPath?: string;
  /** The providers that the user can choose, one button for each. The first one can be the last used. */
  readonly providers: readonly ProviderChoice[];
  /**
   * The identity of this browser's session, if the user can continue without the provider's page. The button
   * for that posts `continue` in the field `choice`.
   */
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
  /** What it allows, from the option `scopes`. Completes "It will be able to". */
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
 * Renders the page. The form posts `consent` with either `choice` (a provider's ID) or `cancel=1`.
 * @param session what the account page adds: a button that continues in its session, above those of the
 *   providers, and a notice. Default: nothing. See `account/ui/sign-in-with-session.ts`
 */
export const renderSignInPage = (
  model: SignInModel,
  session: { readonly button?: Html | undefined; readonly notice?: Html | undefined } = {},
): string => {
  const { branding, stylesheetPath, clientName, clientIdentity, redirectHost, providers } = model;
  const { texts } = branding;
  // Of other clients, only the redirect host is known.
  const site = clientIdentity.kind === 'metadata-document' ? clientIdentity.host : redirectHost;
  const names = {
    product: renderName(branding.name),
    client: renderName(clientName),
    host: html`<strong>${renderName(redirectHost)}</strong>`,
    site: html`<strong>${renderName(site)}</strong>`,
  };
  const isRegistration = clientIdentity.kind === 'registration';
  const destination = site === redirectHost ? texts.destination : texts.otherDestination;
  return renderLayout({
    branding,
    stylesheetPath,
    title: fillText(texts.signIn, { client: removeControlCharacters(clientName) }),
    heading: fillText(texts.signIn, names),
    header: html`<div class="brand">${renderLogo(branding.logo, branding.name)}<span class="arrow" aria-hidden="true">→</span>${renderLogo(findClientIcon(model), clientName)}</div>`,
    notice: session.notice,
    content: html`${clientIdentity.kind === 'metadata-document' && html`<p>${fillText(texts.identifiedBy, names)}</p>`}
<p>${fillText(isRegistration ? texts.unverifiedRequest : texts.request, names)}</p>
${renderAccess(model, names)}
${
  model.redirectKind === 'device'
    ? html`<div class="warning">
<h2>${fillText(texts.deviceWarning)}</h2>
<p>${fillText(texts.deviceDestination, names)}</p>
</div>`
    : html`<p>${fillText(destination, names)}</p>`
}
<form method="post" action="${model.action}" autocomplete="off">
<input type="hidden" name="consent" value="${model.consent}">
<fieldset>
<legend>${fillText(texts.choice)}</legend>
${session.button}
${renderProviderButtons(providers, texts.signInWith, texts.lastUsedProvider, session.button ? 'plain' : 'filled')}
</fieldset>
<button class="cancel" name="cancel" value="1">${fillText(texts.cancel)}</button>
</form>
<p class="note">${fillText(texts.assurance, names)}</p>`,
  });
};

/**
 * Finds the icon of a client by the host that its code is sent to. A client that another host identifies has
 * none: otherwise, it could have the icon of any app by sending its code there.
 */
export const findClientIcon = ({
  branding,
  clientIdentity,
  redirectHost,
}: Pick<SignInModel, 'branding' | 'clientIdentity' | 'redirectHost'>): string | undefined =>
  clientIdentity.kind === 'metadata-document' && clientIdentity.host !== redirectHost
    ? undefined
    : branding.clientIcons.get(redirectHost);

/** The values for the placeholders of the texts. */
type Names = Readonly<Record<'product' | 'client', Html>>;

/** Renders what the client gets: the scopes, and for how long. */
const renderAccess = ({ scopes, access, accountPath, branding }: SignInModel, names: Names): Html => {
  const { language, texts } = branding;
  const duration = formatDuration(access.lifetime, language, texts);
  const account = accountPath && html`<a href="${accountPath}">${fillText(texts.accountLink)}</a>`;
  const keptUntil = account ? texts.accessUntilDisconnected : texts.accessRefreshed;
  return html`<ul class="list">
${scopes.length === 0 ? html`<li>${texts.noScopes}</li>\n` : scopes.map(({ description }) => html`<li>${description}</li>\n`)}
<li>${fillText(access.kind === 'once' ? texts.accessOnce : keptUntil, { ...names, duration, account })}</li>
</ul>`;
};
