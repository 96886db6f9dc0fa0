/** A person who signs in by hand: without script, from the authorization request to the client's callback. */
import { createBrowser, type Person } from '@words-with-chat/lab';

/**
 * Opens the authorization request, agrees with Google, and chooses the person there.
 * @returns the client's callback with everything that it was given; it is not opened
 * @throws Error when the journey ends elsewhere
 */
export const signIn = async (authorizationUrl: URL, person: Person): Promise<URL> => {
  const redirectUri = authorizationUrl.searchParams.get('redirect_uri') ?? '';
  const browser = createBrowser({
    fetch,
    stopsAt: ({ origin, pathname }) => origin + pathname === redirectUri,
  });
  let arrival = await browser.open(authorizationUrl);
  for (const label of ['Google', person.email]) {
    if (arrival.kind === 'departure') throw new Error(`sent to ${arrival.location.origin} before "${label}"`);
    arrival = await browser.press(arrival, label);
  }
  if (arrival.kind === 'page')
    throw new Error(`ended on ${arrival.url.pathname} with status ${arrival.status}`);
  return arrival.location;
};
