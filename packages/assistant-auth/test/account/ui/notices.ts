/** Every notice of the account pages, with its text. */

export const accountNotices = [
  ['app-disconnected', 'The app is disconnected.'],
  ['linked', 'Added. You can now use it to sign in.'],
  ['already-linked', 'You can already use it to sign in. Nothing has changed.'],
  ['link-canceled', 'Nothing was added.'],
  ['not-linked', 'It belongs to another account, so it was not added. Nothing has changed.'],
  ['unlinked', 'Removed. The apps that were connected through it are disconnected.'],
  ['last-identity', 'Your only way to sign in cannot be removed.'],
  [
    'confirmed',
    'Thank you. For the next few minutes, you can change how you sign in, download your data or delete your account.',
  ],
  ['not-confirmed', 'We couldn’t confirm that it’s you. Nothing has changed.'],
  ['confirmation-required', 'Please confirm that it is you, then try again. Nothing has changed yet.'],
  ['delete-not-confirmed', 'Nothing was deleted because the box was not checked.'],
] as const;

export const accountSignInNotices = [
  ['signed-out', 'You are signed out.'],
  ['signed-out-everywhere', 'Every app is disconnected, and you are signed out everywhere.'],
  ['deleted', 'Your account is deleted.'],
  ['session-ended', 'Your session has ended. Please sign in again.'],
] as const;
