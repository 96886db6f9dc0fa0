/** The default texts of the account pages, and the branding that these pages are rendered from. */
import type { ParsedBranding } from '../../ui/branding.ts';
import type { AccountTexts, SignInTexts } from '../../ui/texts.ts';

/** Branding, language and texts as the account pages get them: checked, with all defaults filled in. */
export interface AccountBranding extends ParsedBranding {
  /** The texts of these pages, and those that all pages share. */
  readonly texts: SignInTexts & AccountTexts;
}

export const defaultAccountTexts: AccountTexts = {
  account: 'Your account at {product}',
  accountPurpose: 'Sign in to see which apps use {product} on your behalf, and to manage your account.',
  accountAssurance: 'You sign in on the provider’s own page, so {product} never sees your password.',
  signedInWith: 'You are signed in with {identity}.',
  signOut: 'Sign out',

  apps: 'Connected apps',
  appsAbout:
    'These apps keep access to {product} on your behalf until it expires, or until you disconnect them.',
  noApps: 'No app is connected yet.',
  appIdentifiedBy: 'This app is identified by {site}.',
  appUnverifiedName: 'The app chose this name itself, and we haven’t verified it.',
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
  linkAbout:
    'From then on, {identity} opens this account at {product}, too. Continue only if both are yours.',
  linkConflictTitle: 'Already in use by another account',
  linkConflictAbout:
    '{identity} already belongs to another account at {product}, so it was not added. Nothing has changed.',
  backToAccount: 'Back to your account',

  appDisconnected: 'The app is disconnected.',
  linked: 'Added. You can now use it to sign in.',
  alreadyLinked: 'You can already use it to sign in. Nothing has changed.',
  linkCanceled: 'Nothing was added.',
  notLinked: 'It belongs to another account, so it was not added. Nothing has changed.',
  unlinked: 'Removed. The apps that were connected through it are disconnected.',
  lastIdentity: 'Your only way to sign in cannot be removed.',
  confirmed:
    'Thank you. For the next few minutes, you can change how you sign in, download your data or delete your account.',
  notConfirmed: 'We couldn’t confirm that it’s you. Nothing has changed.',
  confirmationRequired: 'Please confirm that it is you, then try again. Nothing has changed yet.',
  deleteNotConfirmed: 'Nothing was deleted because the box was not checked.',
  signedOut: 'You are signed out.',
  signedOutEverywhere: 'Every app is disconnected, and you are signed out everywhere.',
  deleted: 'Your account is deleted.',

  accessUntilDisconnected: 'keep access for up to {duration}, or until you disconnect it in {account}',
  accountLink: 'your account',
  continueAs: 'Continue as {user} ({provider})',
  continueSession: 'Continue with your {provider} account',
  otherWay: 'or sign in another way',
  sessionEnded: 'Your session has ended. Please sign in again.',
  providerNotConfirmed:
    'Your earlier sign-in could not be confirmed with the provider. Please sign in again.',
  signInTooOld: 'This app requires a more recent sign-in. Please sign in again.',
  accountSignInComplete: 'This sign-in is complete. If your account asks you to sign in, sign in once more.',
  linkPageUsed: 'This page was already used',
  linkPageUsedNext:
    'Go to your account to see which accounts you can sign in with. To add another one, start again there.',
  goToAccount: 'Go to your account',
};
