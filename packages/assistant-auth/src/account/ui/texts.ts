/** The English texts of the account pages, and the branding that these pages are rendered from. */
import type { ParsedBranding } from '../../ui/branding.ts';
import type { AccountTexts, SignInTexts } from '../../ui/texts.ts';

/** Branding, language and texts as the account pages get them: checked, with all defaults filled in. */
export interface AccountBranding extends ParsedBranding {
  /** The texts of these pages, and those that all pages share. */
  readonly texts: SignInTexts & AccountTexts;
}

export const defaultAccountTexts: AccountTexts = {
  account: 'Your {product} account',
  backToProduct: 'Back to {product}',
  accountPurpose: 'Sign in to see which apps use {product} for you, and to manage your account.',
  accountAssurance: 'You sign in on the provider’s site. We never see your password.',
  signedInWith: 'Signed in with {provider}',
  signOut: 'Sign out',

  apps: 'Connected apps',
  appsAbout: 'These apps can use {product} for you until you disconnect them or their access expires.',
  noApps: 'No apps are connected.',
  appIdentifiedBy: 'This app is identified by {site}.',
  appUnverifiedName: 'This app chose its own name, and we haven’t verified it.',
  appScopes: 'It can:',
  appNoScopes: 'It can only recognize you when you come back to {product}.',
  appSince: 'Connected {since}',
  lastUsed: 'Last used {used}',
  disconnect: 'Disconnect',

  confirm: 'Confirm it’s you',
  confirmAbout:
    'Sign in again before you change your sign-in methods, download your data, or delete your account. ' +
    'This protects your account if someone else uses this browser.',
  confirmWith: 'Confirm with {provider}',

  identities: 'Sign-in methods',
  identitiesAbout:
    'You can sign in with any of these. ' +
    'If you remove one, the apps that you connected with it will be disconnected.',
  onlyIdentity: 'This is your only sign-in method, so you can’t remove it. You can add others.',
  identitySince: 'Added {since}',
  unlinkCurrent: 'You’re signed in with this one. If you remove it, you’ll be signed out.',
  unlink: 'Remove',
  addIdentity: 'Add a sign-in method',
  linkWith: 'Add {provider}',
  newlyLinked:
    '{identity} was added as a sign-in method on {since}. If you didn’t add it, ' +
    'remove it, then choose “Sign out and disconnect everything”.',
  newlyLinkedSeen: 'Got it',
  newlyLinkedKept: 'To dismiss this message, sign in again with a method other than {identity}.',

  devices: 'Signed-in devices',
  devicesAbout: 'These devices are signed in to this page. Connected apps don’t appear here.',
  unknownDevice: 'Unknown device',
  thisDevice: 'This device',
  deviceSince: 'Signed in {since}',
  signOutDevice: 'Sign out',
  signOutEverywhereAbout:
    'Lost a device, or see something you don’t recognize? ' +
    'You can sign out all devices, including this one, and disconnect all apps.',
  disconnectEverything: 'Sign out and disconnect everything',

  exportHeading: 'Your data',
  exportAbout: 'Download a file with everything that {product} stores about you.',
  exportData: 'Download your data',

  deleteHeading: 'Delete your account',
  deleteAbout: 'See what’s deleted, and delete your account',
  deleteApps: 'All apps are disconnected.',
  deleteIdentities: 'All sign-in methods are removed. Your accounts at the providers aren’t affected.',
  deleteData: 'Everything that {product} stores about you is deleted.',
  deleteFinal: 'You can’t undo this.',
  deleteConfirm: 'Yes, permanently delete my account',
  deleteAccount: 'Delete my account',

  linkTitle: 'Add this sign-in method?',
  linkCurrent: 'You’re signed in with',
  linkNew: 'You’re about to add',
  linkAbout:
    'You can then also sign in to this {product} account with {identity}. Add it only if both accounts are yours.',
  linkConflictTitle: 'Already in use by another account',
  linkConflictAbout:
    '{identity} belongs to another {product} account, so we couldn’t add it. Nothing has changed.',
  linkConflictUse: 'To use the other account, sign out here and sign in with {identity}.',
  linkConflictMove: 'To move {identity} to this account:',
  linkConflictSignIn: 'Sign out here and sign in with {identity}.',
  linkConflictRemove:
    'Remove it from that account. If it’s the only sign-in method there, delete that account and its data.',
  linkConflictAdd: 'Sign in to this account again and add it.',
  backToAccount: 'Back to your account',

  appDisconnected: 'The app is disconnected.',
  deviceSignedOut: 'The device is signed out.',
  linked: 'Sign-in method added. You can now sign in with it.',
  alreadyLinked: 'You already have this sign-in method. Nothing has changed.',
  linkCanceled: 'Nothing was added.',
  notLinked: 'This sign-in method belongs to another account, so we couldn’t add it. Nothing has changed.',
  unlinked: 'Sign-in method removed. The apps that you connected with it are disconnected.',
  lastIdentity: 'You can’t remove your only sign-in method.',
  confirmed:
    'Thanks. For the next few minutes, you can change your sign-in methods, download your data, or delete your account.',
  notConfirmed: 'We couldn’t confirm it’s you. Nothing has changed.',
  confirmationRequired: 'Confirm it’s you, then try again. Nothing has changed yet.',
  deleteNotConfirmed: 'Nothing was deleted because the box wasn’t checked.',
  signedOut: 'You’re signed out.',
  signedOutEverywhere: 'All apps are disconnected, and you’re signed out everywhere.',
  deleted: 'Your account has been deleted. If you sign in again, you’ll start with a new one.',

  accessUntilDisconnected: 'keep access for up to {duration}, or until you disconnect it in {account}',
  accountLink: 'your account',
  continueAs: 'Continue as {user} ({provider})',
  continueSession: 'Continue with your {provider} account',
  otherWay: 'or sign in another way',
  sessionEnded: 'Your session has ended. Please sign in again.',
  providerNotConfirmed: 'We couldn’t confirm your earlier sign-in with the provider. Please sign in again.',
  signInTooOld: 'This app requires a more recent sign-in. Please sign in again.',
  accountSignInComplete:
    'This sign-in is complete. If your account page still asks you to sign in, start again there.',
  linkPageUsed: 'This page was already used',
  linkPageUsedNext:
    'Opening it again adds nothing. Your account shows your sign-in methods. To add one, start again there.',
  goToAccount: 'Go to your account',
};
