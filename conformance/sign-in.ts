/** A person who signs in by hand: without script, from the authorization request to the client's callback. */
import { createBrowser, type FakeUser } from '@words-with-chat/lab';

/** Buttons that a person without script presses at a fake provider after their own: Apple's answer is posted by a form. */
const extraButtons: Readonly<Record<string, readonly string[]>> = { Apple: ['Continue'] };

/**
 * Opens the authorization request, agrees with a provider's button, and chooses the person there.
 * @param provider as on the button
 * @returns the client's callback with everything that it was given; it is not opened
 * @throws Error when the journey ends elsewhere
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
