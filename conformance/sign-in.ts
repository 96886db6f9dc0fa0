/** Signs a user in without JavaScript, from the authorization request to the client's callback. */
import { createBrowser, type FakeUser } from '@words-with-chat/lab';

/**
 * The buttons that a user without JavaScript presses at a fake provider after choosing an account: Apple's
 * response is a form post.
 */
const extraButtons: Readonly<Record<string, readonly string[]>> = { Apple: ['Continue'] };

/**
 * Opens the authorization request, presses a provider's button, and chooses the user there.
 * @param provider the name on the button
 * @returns the client's callback URL with all parameters; it is not opened
 * @throws Error if the sign-in ends somewhere else
 */
export const signIn = async (authorizationUrl: URL, user: FakeUser, provider = 'Google'): Promise<URL> => {
  const redirectUri = authorizationUrl.searchParams.get('redirect_uri') ?? '';
  const browser = createBrowser({
    fetch,
    shouldStopAt: ({ origin, pathname }) => origin + pathname === redirectUri,
  });
  let destination = await browser.open(authorizationUrl);
  for (const label of [provider, user.email, ...(extraButtons[provider] ?? [])]) {
    if (destination.kind === 'stopped-redirect')
      throw new Error(`sent to ${destination.location.origin} before "${label}"`);
    destination = await browser.clickButton(destination, label);
  }
  if (destination.kind === 'page')
    throw new Error(`ended on ${destination.url.pathname} with status ${destination.status}`);
  return destination.location;
};
