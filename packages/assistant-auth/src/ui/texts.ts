/**
 * The texts of the pages: the English texts of the sign-in and error pages, and the check of other languages
 * and replacements, which must keep the placeholders. The English texts of the opt-in parts are in
 * `account/ui/texts.ts` and `mcp-clients/texts.ts`.
 */
import { ConfigurationError } from '../oauth/errors.ts';
import type { Seconds } from '../oauth/identifiers.ts';
import {
  authorizationErrors,
  callbackErrors,
  type UserErrorReason,
  userErrors,
} from '../oauth/protocol-error.ts';

/**
 * The texts of the account pages, and those of other pages that are only shown if there is an account page,
 * as part of {@link Texts}. They can also have these placeholders, besides those of {@link SignInTexts}:
 * `{account}` (a link to the account page), `{identity}` (a provider, with the user's name or address there),
 * `{site}` (the host of the URL that is a client's ID), `{since}` and `{used}` (dates). Screen readers read a
 * button that disconnects or removes something together with the name of that item.
 */
export interface AccountTexts {
  /** Heading and window title of the account page and of its sign-in page: `{product}`. */
  readonly account: string;
  /** Link at the top of the account page to the product's home page: `{product}`. */
  readonly backToProduct: string;
  /** Why to sign in: `{product}`. */
  readonly accountPurpose: string;
  /** What happens to the password. */
  readonly accountAssurance: string;
  /** Shown below the name or address of the user: the provider of this session, `{provider}`. */
  readonly signedInWith: string;
  /** Button that ends the session. */
  readonly signOut: string;

  /** Heading of the apps. */
  readonly apps: string;
  /** Shown before the apps: `{product}`. */
  readonly appsAbout: string;
  /** Shown instead of the apps if none is connected. */
  readonly noApps: string;
  /** Which host identifies an app, if its client ID is the URL of its metadata document: `{site}`. */
  readonly appIdentifiedBy: string;
  /** Shown with an app that registered itself: its name is not verified. */
  readonly appUnverifiedName: string;
  /** Shown before the list of what an app can do. */
  readonly appScopes: string;
  /**
   * Shown instead of the list if an app has no scopes, so that it can only recognize the user: `{product}`.
   */
  readonly appNoScopes: string;
  /** When an app was connected: `{since}`. */
  readonly appSince: string;
  /** When an app, an identity or a device was last used: `{used}`. */
  readonly lastUsed: string;
  /** Button that disconnects one app. */
  readonly disconnect: string;

  /** Heading of the confirmation box, and link to it in place of a form that needs a recent sign-in. */
  readonly confirm: string;
  /** Shown in the confirmation box: why the user must sign in again. */
  readonly confirmAbout: string;
  /** A provider's button in the confirmation box: `{provider}`. */
  readonly confirmWith: string;

  /** Heading of the identities. */
  readonly identities: string;
  /** What an identity is, and what removing one does. */
  readonly identitiesAbout: string;
  /** Shown instead if there is only one identity. */
  readonly onlyIdentity: string;
  /** When an identity was added: `{since}`. */
  readonly identitySince: string;
  /** Shown beside the identity that this session was started with, if it can be removed. */
  readonly unlinkCurrent: string;
  /** Button that removes an identity. */
  readonly unlink: string;
  /** Heading of the providers that can be added. */
  readonly addIdentity: string;
  /** Button that adds an identity of a provider: `{provider}`. */
  readonly linkWith: string;

  /** Notice about a new identity, in every session, until the user dismisses it: `{identity}`, `{since}`. */
  readonly newlyLinked: string;
  /** Button that dismisses that notice. */
  readonly newlyLinkedSeen: string;
  /** Shown instead of the button in a session that can't dismiss the notice: `{identity}`. */
  readonly newlyLinkedKept: string;

  /** Heading of the devices that are signed in to the account page. */
  readonly devices: string;
  /** Shown before the devices. */
  readonly devicesAbout: string;
  /** Heading of a device whose browser and operating system were not recognized. */
  readonly unknownDevice: string;
  /** Shown with the device of this session. */
  readonly thisDevice: string;
  /** When a device signed in: `{since}`. */
  readonly deviceSince: string;
  /** Button that signs out another device. */
  readonly signOutDevice: string;
  /** Shown after the devices: what the button below does. */
  readonly signOutEverywhereAbout: string;
  /** Button that disconnects all apps and ends all sessions. */
  readonly disconnectEverything: string;

  /** Heading of the export. */
  readonly exportHeading: string;
  /** What the file contains: `{product}`. */
  readonly exportAbout: string;
  /** Button that downloads the file. */
  readonly exportData: string;

  /** Heading of the deletion. */
  readonly deleteHeading: string;
  /** Opens the list of consequences and the form below it. */
  readonly deleteAbout: string;
  /** Consequence: the apps are disconnected. */
  readonly deleteApps: string;
  /** Consequence: the identities are removed. */
  readonly deleteIdentities: string;
  /** What else is deleted: `{product}`. */
  readonly deleteData: string;
  /** Consequence: the deletion cannot be undone. */
  readonly deleteFinal: string;
  /** Label of the box that must be checked. */
  readonly deleteConfirm: string;
  /** Button that deletes the account. */
  readonly deleteAccount: string;

  /** Heading and window title of the page that asks whether to add an identity. */
  readonly linkTitle: string;
  /** Shown before the identity of this session. */
  readonly linkCurrent: string;
  /** Shown before the identity to add. */
  readonly linkNew: string;
  /** What adding it means: `{identity}`, `{product}`. */
  readonly linkAbout: string;
  /** Heading and window title if the identity belongs to another account. */
  readonly linkConflictTitle: string;
  /** What that means: `{identity}`, `{product}`. */
  readonly linkConflictAbout: string;
  /** How to use the other account: `{identity}`. */
  readonly linkConflictUse: string;
  /** Shown before the steps that move the identity to this account: `{identity}`. */
  readonly linkConflictMove: string;
  /** First step, in the other account: `{identity}`. */
  readonly linkConflictSignIn: string;
  /** Second step, in the other account. */
  readonly linkConflictRemove: string;
  /** Third step, in this account. */
  readonly linkConflictAdd: string;
  /** Link to the account page. */
  readonly backToAccount: string;

  // Notices at the top of a page: what has just happened.
  /** Notice after an app was disconnected. */
  readonly appDisconnected: string;
  /** Notice after another device was signed out. */
  readonly deviceSignedOut: string;
  /** Notice after an identity was added. */
  readonly linked: string;
  /** Notice if the identity to add already belongs to the account. */
  readonly alreadyLinked: string;
  /** Notice after the user canceled adding an identity. */
  readonly linkCanceled: string;
  /** Notice if the identity to add belongs to another account. */
  readonly notLinked: string;
  /** Notice after an identity was removed. */
  readonly unlinked: string;
  /** Notice if the only identity was to be removed. */
  readonly lastIdentity: string;
  /** Notice after the user signed in again for a sensitive action. */
  readonly confirmed: string;
  /** Notice if the provider did not confirm that the user authenticated again. */
  readonly notConfirmed: string;
  /** Notice if an action needs a recent sign-in. */
  readonly confirmationRequired: string;
  /** Notice if the box for the deletion was not checked. */
  readonly deleteNotConfirmed: string;
  /** Notice on the sign-in page of the account after a sign-out. */
  readonly signedOut: string;
  /** Notice there after everything was disconnected. */
  readonly signedOutEverywhere: string;
  /** Notice there after the account was deleted. */
  readonly deleted: string;

  // The sign-in page, and the page for a repeated callback.

  /** How long a client that gets a refresh token keeps access: `{duration}`, `{account}`. */
  readonly accessUntilDisconnected: string;
  /** Link to the account page within it (`{account}`). */
  readonly accountLink: string;
  /** The button for a user with a session, which also gives consent: `{user}`, `{provider}`. */
  readonly continueAs: string;
  /** The same, if the provider returned neither a name nor an address: `{provider}`. */
  readonly continueSession: string;
  /** Shown between that button and those of the providers. */
  readonly otherWay: string;
  /** Notice if the session has ended, and shown below `signInEnded` for a sign-in to the account page. */
  readonly sessionEnded: string;
  /** Notice if the provider did not confirm the session's identity. */
  readonly providerNotConfirmed: string;
  /** Notice if the user authenticated longer ago than the client accepts. */
  readonly signInTooOld: string;
  /** Shown below `alreadySignedIn` if the sign-in was to the account page. */
  readonly accountSignInComplete: string;
  /** Heading if the callback that showed the page for adding an identity is opened again. */
  readonly linkPageUsed: string;
  /** Shown below it: what to do instead. */
  readonly linkPageUsedNext: string;
  /** Link to the account page after a repeated callback. */
  readonly goToAccount: string;
}

/**
 * The texts of the sign-in and error pages, as part of {@link Texts}: plain text with placeholders for names:
 * `{product}`, `{client}`, `{host}` (where the client's code is sent), `{duration}`, `{provider}`, `{user}`
 * (the user's name or address at the provider of the session), `{identity}` (a provider, with the user's
 * name or address there) and `{contact}` (the product, or a link to its support). A replacement must keep the
 * placeholders of the English text; only `{product}` can be left out.
 */
export interface SignInTexts {
  /** Heading and window title: `{client}`. */
  readonly signIn: string;
  /** Which client requests access: `{client}`, `{product}`. The items of the list complete its last sentence. */
  readonly request: string;
  /** The only scope if there are none: the client can only recognize the user. */
  readonly noScopes: string;
  /** Describes the scope `offline_access`, unless the option `scopes` does. */
  readonly offlineAccess: string;
  /** How long a client that gets no refresh token has access: `{duration}`. An item of the list. */
  readonly accessOnce: string;
  /**
   * How long any other client keeps access, if there is no account page: `{product}`, `{client}`, `{duration}`.
   */
  readonly accessRefreshed: string;
  /** `{duration}` if it is a year. All others are formatted in the language of the page. */
  readonly oneYear: string;
  /** Where the browser is redirected afterwards: `{host}`. */
  readonly destination: string;
  /** Heading of the warning before access is given to an app on the user's device. */
  readonly deviceWarning: string;
  /**
   * Shown below it instead of `destination`: `{host}`, which can also be a URI scheme such as
   * `com.example.app:`, and `{client}`, a name that any app can use.
   */
  readonly deviceDestination: string;
  /** Legend of the group of buttons, which also give consent. */
  readonly choice: string;
  /**
   * A provider's button: `{provider}`. The guidelines of Google, Apple and Microsoft list which texts are
   * allowed in each language.
   */
  readonly signInWith: string;
  /** Shown on the button of the provider that the user last signed in with in this browser. */
  readonly lastUsedProvider: string;
  /** Button that cancels the request, for the client to handle. */
  readonly cancel: string;
  /**
   * What happens to password, name and address: `{client}`. Replace it if your API tells clients who the user
   * is; otherwise the text is wrong.
   */
  readonly assurance: string;
  /** Link to the privacy policy in the footer. */
  readonly privacy: string;
  /** Link to the terms of service. */
  readonly terms: string;
  /** Link to where users get help. */
  readonly support: string;
  /** Heading if the callback of a completed sign-in is opened again. */
  readonly alreadySignedIn: string;
  /** Shown below it: `{client}`. */
  readonly signInComplete: string;
  /** Heading if the grant of a completed sign-in has been revoked or deleted since then. */
  readonly signInEnded: string;
  /** Shown below it: `{client}`. */
  readonly accessEnded: string;
  /** Button that leads to the client's website: `{client}`. */
  readonly returnToClient: string;
  /** What to do if the client has no website: `{client}`. */
  readonly goBackToClient: string;
  /** Button of an error page that leads to the product's home page: `{product}`. */
  readonly goHome: string;
  /** Heading after an administrator gave consent for an organization at a provider. */
  readonly consentGiven: string;
  /** Heading if the administrator did not. */
  readonly consentDeclined: string;
  /** Shown below both. */
  readonly consentNext: string;
  /** Heading and window title of an error that the user, the client or the provider can correct. */
  readonly notSignedIn: string;
  /** Heading of such an error after a form of the account page was sent. */
  readonly nothingChanged: string;
  /** Heading of an error on the server (status 500 or higher) that has no heading of its own. */
  readonly failed: string;
  /**
   * Message of an error that has no text of its own, such as a missing parameter. The page also shows the
   * description, in English.
   */
  readonly invalidRequest: string;
  /** Heading if the browser requested the page before the user opened it. */
  readonly openAgain: string;
  /** Heading if the user has signed in too often. */
  readonly tooManySignIns: string;
  /** Heading if the chosen provider is unavailable. */
  readonly providerUnavailable: string;
  /** Heading if the browser sent no cookies. */
  readonly cookiesRequired: string;
  /** Heading and window title if `resolveUser` refused the user with a message. */
  readonly refused: string;
  /** Shown below that message: which account was used: `{identity}`. */
  readonly refusedIdentity: string;
  /** What to do after an error, if the client is not known. */
  readonly goBack: string;
  /** What to do if an error happens again: `{contact}`. Shown before the reference. */
  readonly report: string;
  /** Shown before the reference on the page of a refused user. */
  readonly reference: string;
}

/**
 * The texts of the sign-in page that are only shown with `mcpClients`, for clients that are not in the
 * configuration, as part of {@link Texts}. They can also have the placeholder `{site}`, besides those of
 * {@link SignInTexts}: the host of the URL that is the client's ID.
 */
export interface McpClientTexts {
  /**
   * Used instead of `request` if the client registered itself: says that its name is not verified, `{client}`,
   * `{product}`.
   */
  readonly unverifiedRequest: string;
  /** Which host identifies the client, if its ID is the URL of its metadata document: `{site}`. */
  readonly identifiedBy: string;
  /**
   * Shown instead of `destination` if that host is not the one that the code is sent to: `{host}`, `{site}`.
   */
  readonly otherDestination: string;
}

/**
 * The messages of error pages, by the reason that is also logged (`docs/reference/error-codes.md`). They have no
 * placeholders. The `error_description` that clients get is always in English.
 */
export interface ErrorTexts extends Readonly<Record<UserErrorReason, string>> {}

/** The texts of all pages. */
export interface Texts extends SignInTexts, AccountTexts, McpClientTexts, ErrorTexts {}

/** A language of the pages, for `pageLanguages` of `assistant-auth/languages`. */
export interface Language {
  /**
   * The BCP 47 tag, for example `de` or `pt-BR`. It also sets the `lang` attribute, the writing direction, and
   * the format of dates and durations.
   */
  readonly tag: string;
  /**
   * All texts: in TypeScript, a missing text is an error. Each must have the placeholders of the English text;
   * only `{product}` can be left out.
   */
  readonly texts: Texts;
}

/**
 * The validated texts of one language. Those of the account pages and of `mcpClients` are present if the broker
 * uses them.
 */
export type ParsedTexts = SignInTexts & Partial<AccountTexts & McpClientTexts & ErrorTexts>;

/** Returns the English messages of errors: their descriptions are ASCII, and pages have typographic apostrophes. */
export const listErrorTexts = (
  definitions: Readonly<Record<string, readonly [code: string, description: string, status?: number]>>,
): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(definitions).map(([reason, [, description]]) => [
      reason,
      description.replaceAll("'", '’'),
    ]),
  );

export const defaultTexts: SignInTexts = {
  signIn: 'Sign in to continue to {client}',
  request: '{client} wants access to your {product} account. It will be able to:',
  noScopes: 'recognize you when you come back',
  offlineAccess: 'stay connected without asking you again',
  accessOnce: 'keep access for up to {duration}',
  accessRefreshed: 'keep access for up to {duration}, or until you disconnect {product} in {client}',
  oneYear: 'a year',
  destination: 'You’ll return to {host}. If you didn’t come from there, cancel.',
  deviceWarning: 'Did you just start this sign-in?',
  deviceDestination:
    'An app on this device ({host}) will get access. Any app can call itself {client}, so continue only if ' +
    'you just started this in an app you trust.',
  choice: 'Sign in to allow this',
  signInWith: 'Sign in with {provider}',
  lastUsedProvider: 'Last used',
  cancel: 'Cancel',
  assurance: 'We never see your password, and {client} doesn’t get your name or email address.',
  privacy: 'Privacy',
  terms: 'Terms',
  support: 'Help',
  alreadySignedIn: 'You’re already signed in',
  signInComplete: 'This sign-in is complete. If {client} still asks you to sign in, start again there.',
  signInEnded: 'This sign-in has ended',
  accessEnded: '{client} no longer has access. To reconnect it, sign in again from there.',
  returnToClient: 'Return to {client}',
  goBackToClient: 'Go back to {client}.',
  goHome: 'Go to {product}',
  consentGiven: 'Your organization gave consent',
  consentDeclined: 'Your organization didn’t give consent',
  consentNext: 'You’re not signed in yet. To continue, start the sign-in again.',
  notSignedIn: 'We couldn’t sign you in',
  nothingChanged: 'Nothing was changed',
  failed: 'Something went wrong',
  invalidRequest: 'The request that opened this page isn’t valid.',
  openAgain: 'Open this page again',
  tooManySignIns: 'Too many sign-ins',
  providerUnavailable: 'This sign-in method is unavailable',
  cookiesRequired: 'Cookies are required',
  refused: 'You can’t sign in with this account',
  refusedIdentity: 'Account used: {identity}',
  goBack: 'Go back to the app that you came from and try again.',
  report: 'If this keeps happening, contact {contact} and include this reference:',
  reference: 'Reference:',
};

/**
 * Returns the English texts that a broker uses.
 * @param optionalTexts those of the opt-in parts
 */
export const listEnglishTexts = (optionalTexts?: Partial<Texts>): ParsedTexts => ({
  ...listErrorTexts({ ...userErrors, ...authorizationErrors, ...callbackErrors }),
  ...defaultTexts,
  ...optionalTexts,
});

/**
 * Checks replacements of texts.
 * @param originals the English texts that the broker uses
 * @throws ConfigurationError `texts.<name>` as `checkText`, and for a text of an opt-in part that the broker does
 *   not use
 */
export const parseReplacements = (replacements: Partial<Texts>, originals: ParsedTexts): Partial<Texts> => {
  const known = new Map(Object.entries(originals));
  for (const [name, text] of Object.entries(replacements)) checkText(`texts.${name}`, known.get(name), text);
  return replacements;
};

/** The units of a duration, with their lengths in seconds. */
const units = [
  ['month', 2_592_000],
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
] as const;

/**
 * Formats a duration, such as `6 months` or `90 minutes`, rounded up: in the largest unit of which it has at
 * least two.
 * @param language the BCP 47 tag of the page's language
 * @param oneYear the text for 365 days
 */
export const formatDuration = (
  seconds: Seconds,
  language: string,
  { oneYear }: Pick<SignInTexts, 'oneYear'>,
): string => {
  if (seconds === 31_536_000) return oneYear;
  const [unit, length] = units.find(([, size]) => seconds >= 2 * size) ?? units[3];
  const count = Math.ceil(seconds / length);
  return new Intl.NumberFormat(language, { style: 'unit', unit, unitDisplay: 'long' }).format(count);
};

/** Matches a placeholder. `split` with it leaves the names of the placeholders at the odd positions. */
export const placeholder = /\{([a-z]+)\}/;

const findPlaceholders = (text: string): readonly string[] =>
  text.split(placeholder).filter((_, index) => index % 2 === 1);

/**
 * Checks a text against the English one.
 * @throws ConfigurationError for an unknown name, an empty text, a missing placeholder, or one that the original does
 *   not have
 */
export const checkText = (option: string, original: string | undefined, text: unknown): void => {
  if (original === undefined)
    throw new ConfigurationError(
      option,
      'is not the name of a text. Some texts exist only with the option account or with mcpClients().',
    );
  if (typeof text !== 'string' || text.trim() === '')
    throw new ConfigurationError(option, 'must be a non-empty string.');
  const placeholders = findPlaceholders(original);
  const missing = placeholders.find(
    (wanted) => wanted !== 'product' && !findPlaceholders(text).includes(wanted),
  );
  if (missing !== undefined) throw new ConfigurationError(option, `must contain {${missing}}.`);
  const unknown = findPlaceholders(text).find((used) => !placeholders.includes(used));
  if (unknown !== undefined) throw new ConfigurationError(option, `must not contain {${unknown}}.`);
};
