/**
 * The texts of the pages, without the titles and messages of errors: the defaults, and the check of
 * replacements, which must keep the placeholders.
 */
import { ConfigurationError } from '../oauth/errors.ts';

/**
 * The texts of the account pages. Besides the placeholders of `Texts`: `{identity}` (a provider, with the
 * user's name or address there), `{since}` and `{used}` (dates). Screen readers read a button that
 * disconnects or removes something together with the name of that item.
 */
export interface AccountTexts {
  /** Heading and window title of the account page and of its sign-in page: `{product}`. */
  readonly account: string;
  /** Why to sign in: `{product}`. */
  readonly accountPurpose: string;
  /** What happens to the password: `{product}`. */
  readonly accountAssurance: string;
  /** Who is signed in: `{identity}`. */
  readonly signedInWith: string;
  readonly signOut: string;

  /** Heading of the apps. */
  readonly apps: string;
  /** Shown before the apps: `{product}`. */
  readonly appsAbout: string;
  readonly noApps: string;
  /** Shown before the list of what an app can do. */
  readonly appScopes: string;
  /**
   * Shown instead of the list if an app has no scopes, so that it can only recognize the user: `{product}`.
   */
  readonly appNoScopes: string;
  /** When an app was connected: `{since}`. */
  readonly appSince: string;
  /** When an app or an identity was last used: `{used}`. */
  readonly lastUsed: string;
  /** Button that disconnects one app. */
  readonly disconnect: string;
  /** Heading of the section that disconnects everything. */
  readonly signOutEverywhereTitle: string;
  readonly signOutEverywhereAbout: string;
  readonly disconnectEverything: string;

  /** Heading of the confirmation box, and link to it in place of a form that needs a recent sign-in. */
  readonly confirm: string;
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

  /** Heading of the export. */
  readonly exportHeading: string;
  /** What the file contains: `{product}`. */
  readonly exportAbout: string;
  readonly exportData: string;

  /** Heading of the deletion. */
  readonly deleteHeading: string;
  /** Shown before the list of consequences: `{product}`. */
  readonly deleteAbout: string;
  readonly deleteApps: string;
  readonly deleteIdentities: string;
  /** What else is deleted: `{product}`. */
  readonly deleteData: string;
  readonly deleteFinal: string;
  /** Label of the box that must be checked. */
  readonly deleteConfirm: string;
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
  readonly backToAccount: string;

  // Notices at the top of a page: what has just happened.
  readonly appDisconnected: string;
  readonly linked: string;
  readonly alreadyLinked: string;
  readonly linkCanceled: string;
  readonly notLinked: string;
  readonly unlinked: string;
  readonly lastIdentity: string;
  readonly confirmed: string;
  readonly notConfirmed: string;
  readonly confirmationRequired: string;
  readonly deleteNotConfirmed: string;
  readonly signedOut: string;
  readonly signedOutEverywhere: string;
  readonly deleted: string;
}

export const defaultAccountTexts: AccountTexts = {
  account: 'Your account at {product}',
  accountPurpose: 'Sign in to see which apps use {product} on your behalf, and to manage your account.',
  accountAssurance: 'You sign in on the provider’s own page, so {product} never sees your password.',
  signedInWith: 'You are signed in with {identity}.',
  signOut: 'Sign out',

  apps: 'Connected apps',
  appsAbout: 'These apps can use {product} on your behalf until you disconnect them.',
  noApps: 'No app is connected yet.',
  appScopes: 'It can:',
  appNoScopes: 'It can only recognize you when you come back to {product}.',
  appSince: 'Connected {since}',
  lastUsed: 'Last used {used}',
  disconnect: 'Disconnect',
  signOutEverywhereTitle: 'Sign out everywhere',
  signOutEverywhereAbout:
    'Lost a device, or found something that is not yours? This disconnects every app and ends every sign-in, ' +
    'this one too. Your account stays.',
  disconnectEverything: 'Disconnect everything and sign out everywhere',

  confirm: 'First, confirm that it is you',
  confirmAbout:
    'Before you change how you sign in, download your data or delete your account, please sign in once more. ' +
    'It keeps others out if you ever leave this page open.',
  confirmWith: 'Confirm with {provider}',

  identities: 'Ways to sign in',
  identitiesAbout:
    'Each of these opens this account. You can add others, and remove those that you do not need. ' +
    'Removing one also disconnects the apps that were connected through it.',
  onlyIdentity: 'This opens your account. It is the only one, so it cannot be removed; you can add others.',
  identitySince: 'Added {since}',
  unlinkCurrent: 'You are signed in with this one, so removing it signs you out.',
  unlink: 'Remove',
  addIdentity: 'Add another way to sign in',
  linkWith: 'Add {provider}',

  exportHeading: 'Your data',
  exportAbout: 'Get a file with everything that {product} stores about you.',
  exportData: 'Download your data',

  deleteHeading: 'Delete your account',
  deleteAbout: 'If you delete your account at {product}:',
  deleteApps: 'All apps are disconnected.',
  deleteIdentities: 'All ways to sign in are removed. Your accounts at the providers stay as they are.',
  deleteData: 'Everything that {product} stores about you is deleted.',
  deleteFinal: 'This cannot be undone.',
  deleteConfirm: 'Yes, delete my account for good',
  deleteAccount: 'Delete my account',

  linkTitle: 'Add this way to sign in?',
  linkCurrent: 'You are signed in with',
  linkNew: 'You are about to add',
  linkAbout: 'From then on, {identity} opens this account at {product}, too. Go on only if both are yours.',
  linkConflictTitle: 'Already in use by another account',
  linkConflictAbout:
    '{identity} already belongs to another account at {product}, so it was not added. Nothing has changed.',
  backToAccount: 'Back to your account',

  appDisconnected: 'The app is disconnected.',
  linked: 'Added. You can sign in that way, too, from now on.',
  alreadyLinked: 'You can sign in that way already. Nothing has changed.',
  linkCanceled: 'Nothing was added.',
  notLinked: 'That one belongs to another account, so it was not added. Nothing has changed.',
  unlinked: 'Removed. The apps that were connected through it are disconnected.',
  lastIdentity: 'Your only way to sign in cannot be removed.',
  confirmed:
    'Thank you. For a short while you can change how you sign in, download your data or delete your account.',
  notConfirmed: 'It could not be confirmed that it is you. Nothing has changed.',
  confirmationRequired: 'Please confirm that it is you, then try again. Nothing has changed yet.',
  deleteNotConfirmed: 'Nothing was deleted: the box was not ticked.',
  signedOut: 'You are signed out.',
  signedOutEverywhere: 'Every app is disconnected, and you are signed out everywhere.',
  deleted: 'Your account is deleted.',
};

/**
 * The texts: plain text with placeholders for names: `{product}`, `{client}`, `{host}` (where the client's
 * code is sent), `{provider}` and `{user}` (the user's name or address at the provider of the session). A
 * replacement must keep the placeholders of the default; only `{product}` can be left out.
 */
export interface Texts extends AccountTexts {
  /** Heading and window title: `{product}`. */
  readonly signIn: string;
  /** Which client requests access: `{client}`, `{product}`. */
  readonly request: string;
  /** Shown before the list of scopes: `{client}`. */
  readonly scopes: string;
  /**
   * Shown instead of the list if there are no scopes, so that the client can only recognize the user:
   * `{client}`, `{product}`.
   */
  readonly noScopes: string;
  /** Where the browser is redirected afterwards: `{host}`. */
  readonly destination: string;
  /** Legend of the group of buttons. */
  readonly choice: string;
  /** A provider's button, which also gives consent: `{provider}`. */
  readonly continueWith: string;
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
  readonly cancel: string;
  /**
   * What happens to password, name and address: `{client}`, `{product}`. Replace it if your API tells clients
   * who the user is; otherwise the text is wrong.
   */
  readonly assurance: string;
  /** Link to the privacy policy. */
  readonly privacy: string;
  /** Link to the terms of service. */
  readonly terms: string;
  /** Link to where users get help. */
  readonly support: string;
  /** Heading if the callback of a completed sign-in is opened again. */
  readonly alreadySignedIn: string;
  /** Shown below it: `{client}`. */
  readonly signInComplete: string;
  /** The same for a sign-in to the account page. */
  readonly accountSignInComplete: string;
  /** Heading if the grant of a completed sign-in has been revoked or deleted since then. */
  readonly signInEnded: string;
  /** Shown below it: `{client}`. */
  readonly accessEnded: string;
  /** Heading if the callback that showed the page for adding an identity is opened again. */
  readonly linkPageUsed: string;
  readonly linkPageUsedNext: string;
  /** Link to the client's website, or plain text if it has none: `{client}`. */
  readonly returnToClient: string;
  readonly goToAccount: string;
  /** What to do after an error: `{product}`. */
  readonly advice: string;
  /** Label of the reference that identifies an error in the log. */
  readonly reference: string;
}

export const defaultTexts: Texts = {
  ...defaultAccountTexts,
  signIn: 'Sign in to {product}',
  request: '{client} asks to use {product} on your behalf.',
  scopes: '{client} will be able to:',
  noScopes: '{client} will only be able to recognize you when you come back to {product}.',
  destination: 'Afterwards you return to {host}. If that is not where you came from, cancel.',
  choice: 'Allow this and sign in',
  continueWith: 'Continue with {provider}',
  continueAs: 'Continue as {user} ({provider})',
  continueSession: 'Continue with your {provider} account',
  otherWay: 'or sign in another way',
  sessionEnded: 'Your session has ended. Please sign in again.',
  providerNotConfirmed:
    'Your earlier sign-in could not be confirmed with the provider. Please sign in again.',
  cancel: 'Cancel',
  assurance:
    'You sign in on the provider’s own page, so {product} never sees your password. ' +
    '{client} gets neither your name nor your e-mail address, only what you allow here.',
  privacy: 'Privacy policy',
  terms: 'Terms',
  support: 'Help',
  alreadySignedIn: 'You’re already signed in',
  signInComplete: 'This sign-in is complete. If {client} still asks you to sign in, start again there.',
  accountSignInComplete: 'This sign-in is complete. If your account asks you to sign in, sign in once more.',
  signInEnded: 'This sign-in has ended',
  accessEnded: 'Access for {client} was ended after this sign-in. To use it again, start again there.',
  linkPageUsed: 'This page was already used',
  linkPageUsedNext:
    'Go to your account to see which accounts you can sign in with. To add another one, start again there.',
  returnToClient: 'Return to {client}',
  goToAccount: 'Go to your account',
  advice:
    'Close this page and try again from where you came. If it happens again, tell whoever runs {product} this reference:',
  reference: 'Reference',
};

/**
 * Fills in the default texts.
 * @throws ConfigurationError for an unknown name, an empty text, a missing placeholder, or one that the
 *   default does not have
 */
export const parseTexts = (given: Partial<Texts>): Texts => {
  for (const [name, text] of Object.entries(given)) checkText(`texts.${name}`, name, text);
  return { ...defaultTexts, ...given };
};

/** Matches a placeholder. `split` with it leaves the names of the placeholders at the odd positions. */
export const placeholder = /\{([a-z]+)\}/;

const findPlaceholders = (text: string): readonly string[] =>
  text.split(placeholder).filter((_, index) => index % 2 === 1);

const checkText = (option: string, name: string, text: unknown): void => {
  const original = Object.entries(defaultTexts).find(([known]) => known === name)?.[1];
  if (original === undefined) throw new ConfigurationError(option, 'is not the name of a text.');
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
