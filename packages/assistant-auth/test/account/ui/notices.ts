/** Every notice of the account pages, with its text. */

export const accountNotices = [
  ['app-disconnected', 'The app is disconnected.'],
  ['device-signed-out', 'The device is signed out.'],
  ['linked', 'Sign-in method added. You can now sign in with it.'],
  ['already-linked', 'You already have this sign-in method. Nothing has changed.'],
  ['link-canceled', 'Nothing was added.'],
  [
    'not-linked',
    'This sign-in method belongs to another account, so we couldn’t add it. Nothing has changed.',
  ],
  ['unlinked', 'Sign-in method removed. The apps that you connected with it are disconnected.'],
  ['last-identity', 'You can’t remove your only sign-in method.'],
  [
    'confirmed',
    'Thanks. For the next few minutes, you can change your sign-in methods, download your data, or delete your account.',
  ],
  ['not-confirmed', 'We couldn’t confirm it’s you. Nothing has changed.'],
  ['confirmation-required', 'Confirm it’s you, then try again. Nothing has changed yet.'],
  ['delete-not-confirmed', 'Nothing was deleted because the box wasn’t checked.'],
] as const;

export const accountSignInNotices = [
  ['signed-out', 'You’re signed out.'],
  ['signed-out-everywhere', 'All apps are disconnected, and you’re signed out everywhere.'],
  ['deleted', 'Your account has been deleted. If you sign in again, you’ll start with a new one.'],
  ['session-ended', 'Your session has ended. Please sign in again.'],
] as const;
