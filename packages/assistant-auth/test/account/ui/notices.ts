/** Every notice of the account pages, with its text. */

export const accountNotices = [
  ['app-disconnected', 'The app is disconnected.'],
  ['linked', 'Added. You can sign in that way, too, from now on.'],
  ['already-linked', 'You can sign in that way already. Nothing has changed.'],
  ['link-canceled', 'Nothing was added.'],
  ['not-linked', 'That one belongs to another account, so it was not added. Nothing has changed.'],
  ['unlinked', 'Removed. The apps that were connected through it are disconnected.'],
  ['last-identity', 'Your only way to sign in cannot be removed.'],
  [
    'confirmed',
    'Thank you. For a short while you can change how you sign in, download your data or delete your account.',
  ],
  ['not-confirmed', 'It could not be confirmed that it is you. Nothing has changed.'],
  ['confirmation-required', 'Please confirm that it is you, then try again. Nothing has changed yet.'],
  ['delete-not-confirmed', 'Nothing was deleted: the box was not ticked.'],
] as const;

export const accountSignInNotices = [
  ['signed-out', 'You are signed out.'],
  ['signed-out-everywhere', 'Every app is disconnected, and you are signed out everywhere.'],
  ['deleted', 'Your account is deleted.'],
  ['session-ended', 'Your session has ended. Please sign in again.'],
] as const;
