/** Owns every sentence of the pages: the defaults, what a replacement must keep, and how names are put in. */
import { ConfigurationError } from '../oauth/errors.ts';

/**
 * The sentences, plain text with places for names: `{product}`, `{buildOAuthClient}`, `{host}` (where the client's code goes),
 * `{provider}` and `{createSimulatedUser}` (how the provider shows whoever signed in before). A replacement keeps the places of the
 * default; only `{product}` may be left out.
 */
/**
 * Further places: `{identity}`, a provider with the name or address that it shows the person by; `{since}` and `{used}`,
 * days. A button that ends something is read out together with the name of what it ends.
 */
export interface AccountTexts {
  /** Heading and window title of the account page and of its sign-in page: `{product}`. */
  readonly account: string;
  /** What signing in is good for: `{product}`. */
  readonly accountPurpose: string;
  /** What happens to the password: `{product}`. */
  readonly accountAssurance: string;
  /** Who is here: `{identity}`. */
  readonly signedInWith: string;
  readonly signOut: string;

  /** Heading of the apps. */
  readonly apps: string;
  /** Stands before the apps: `{product}`. */
  readonly appsAbout: string;
  readonly noApps: string;
  /** Stands before the list of what an app may do. */
  readonly appScopes: string;
  /** Stands instead of the list when the app may only recognise the person: `{product}`. */
  readonly appNoScopes: string;
  /** When an app was connected: `{since}`. */
  readonly appSince: string;
  /** When an app or an identity was last used: `{used}`. */
  readonly lastUsed: string;
  /** Button that ends one app. */
  readonly disconnect: string;
  /** Heading of the way to end everything. */
  readonly signOutEverywhereTitle: string;
  readonly signOutEverywhereAbout: string;
  readonly disconnectEverything: string;

  /** Heading of what the person must do before anything below it, and link to it where a form would stand otherwise. */
  readonly confirm: string;
  readonly confirmAbout: string;
  /** A provider's button: `{provider}`. */
  readonly confirmWith: string;

  /** Heading of the identities. */
  readonly identities: string;
  /** What each is, and what removing one does. */
  readonly identitiesAbout: string;
  /** Stands instead when there is only one. */
  readonly onlyIdentity: string;
  /** When an identity was added: `{since}`. */
  readonly identitySince: string;
  /** Beside the identity that this session signed in with, when it can be removed. */
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
  /** Stands before the list of what goes: `{product}`. */
  readonly deleteAbout: string;
  readonly deleteApps: string;
  readonly deleteIdentities: string;
  /** What goes besides: `{product}`. */
  readonly deleteData: string;
  readonly deleteFinal: string;
  /** Beside the box that must be ticked. */
  readonly deleteConfirm: string;
  readonly deleteAccount: string;

  /** Heading and window title of the question whether to add an identity. */
  readonly linkTitle: string;
  /** Stands before the identity of this session. */
  readonly linkCurrent: string;
  /** Stands before the identity to be added. */
  readonly linkNew: string;
  /** What adding it means: `{identity}`, `{product}`. */
  readonly linkAbout: string;
  /** Heading and window title when the identity belongs to another account. */
  readonly linkConflictTitle: string;
  /** What that means: `{identity}`, `{product}`. */
  readonly linkConflictAbout: string;
  readonly backToAccount: string;

  // What has just happened, said at the top of a page.
  readonly appDisconnected: string;
  readonly linked: string;
  readonly alreadyLinked: string;
  readonly linkCancelled: string;
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
  appNoScopes: 'It can only recognise you when you come back to {product}.',
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
  linkCancelled: 'Nothing was added.',
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

export interface Texts extends AccountTexts {
  /** Heading and window title: `{product}`. */
  readonly signIn: string;
  /** Who asks for what: `{buildOAuthClient}`, `{product}`. */
  readonly request: string;
  /** Stands before the list of what is asked for: `{buildOAuthClient}`. */
  readonly scopes: string;
  /** Stands instead of the list when nothing is asked for but to be recognised: `{buildOAuthClient}`, `{product}`. */
  readonly noScopes: string;
  /** Where the browser goes afterwards: `{host}`. */
  readonly destination: string;
  /** Name of the group of buttons. */
  readonly choice: string;
  /** A provider's button, which is also the consent: `{provider}`. */
  readonly continueWith: string;
  /** The button of whoever is signed in already, which is also the consent: `{createSimulatedUser}`, `{provider}`. */
  readonly continueAs: string;
  /** The same when the provider told neither name nor address: `{provider}`. */
  readonly continueSession: string;
  /** Stands between that button and those of the providers. */
  readonly otherWay: string;
  /** Said at the top when an earlier sign-in is over. */
  readonly sessionEnded: string;
  /** Said at the top when the provider did not stand by an earlier sign-in. */
  readonly providerNotConfirmed: string;
  readonly cancel: string;
  /**
   * What happens to password, name and address: `{buildOAuthClient}`, `{product}`. Replace it if the guarded API itself tells
   * clients who the person is, so that the page stays true.
   */
  readonly assurance: string;
  readonly privacy: string;
  /** Heading when a sign-in was completed before and its page is opened again. */
  readonly alreadySignedIn: string;
  /** Said below it: `{buildOAuthClient}`. */
  readonly signInComplete: string;
  /** The same for a sign-in to the account page. */
  readonly accountSignInComplete: string;
  /** Heading when the access of a completed sign-in was ended since then. */
  readonly signInEnded: string;
  /** Said below it: `{buildOAuthClient}`. */
  readonly accessEnded: string;
  /** Heading when the page that asks whether to add an account is opened again. */
  readonly linkPageUsed: string;
  readonly linkPageUsedNext: string;
  /** Link to the client's website: `{buildOAuthClient}`. */
  readonly returnToClient: string;
  readonly goToAccount: string;
  /** What to do after an error: `{product}`. */
  readonly advice: string;
  /** Name of the reference that identifies an error in the log. */
  readonly reference: string;
}

export const defaultTexts: Texts = {
  ...defaultAccountTexts,
  signIn: 'Sign in to {product}',
  request: '{client} asks to use {product} on your behalf.',
  scopes: '{client} will be able to:',
  noScopes: '{client} will only be able to recognise you when you come back to {product}.',
  destination: 'Afterwards you return to {host}. If that is not where you came from, cancel.',
  choice: 'Allow this and sign in',
  continueWith: 'Continue with {provider}',
  continueAs: 'Continue as {person} ({provider})',
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
 * Completes replaced texts with the defaults.
 * @throws ConfigurationError for an unknown text, an empty one, one that lost a place for a name or invents one
 */
export const parseTexts = (given: Partial<Texts>): Texts => {
  for (const [name, text] of Object.entries(given)) checkText(`branding.texts.${name}`, name, text);
  return { ...defaultTexts, ...given };
};

// Splitting by it leaves the places' names at the odd positions.
export const placeholder = /\{([a-z]+)\}/;

const findPlaceholders = (text: string): readonly string[] =>
  text.split(placeholder).filter((_, index) => index % 2 === 1);

const checkText = (option: string, name: string, text: unknown): void => {
  const original = Object.entries(defaultTexts).find(([known]) => known === name)?.[1];
  if (original === undefined) throw new ConfigurationError(option, 'is not a text of the pages');
  if (typeof text !== 'string' || text.trim() === '')
    throw new ConfigurationError(option, 'must be a text that is not empty');
  const placeholders = findPlaceholders(original);
  const missing = placeholders.find(
    (wanted) => wanted !== 'product' && !findPlaceholders(text).includes(wanted),
  );
  if (missing !== undefined) throw new ConfigurationError(option, `must contain {${missing}}`);
  const unknown = findPlaceholders(text).find((used) => !placeholders.includes(used));
  if (unknown !== undefined) throw new ConfigurationError(option, `cannot contain {${unknown}}`);
};
