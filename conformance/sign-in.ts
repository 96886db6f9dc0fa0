/**
 * Signs a user in without JavaScript, from the authorization request to the client's callback, and redeems
 * the code.
 */
import {
  clickButtons,
  createBrowser,
  type FakeUser,
  type GptAction,
  readCallback,
  redeemCode,
  startSignIn,
} from '@words-with-chat/lab';

/**
 * Signs a user in and redeems the code.
 * @throws Error if the callback has no code, or if the token endpoint responds with an error
 */
export const obtainTokens = async (action: GptAction, user: FakeUser, provider?: string) => {
  const startedSignIn = startSignIn(action, crypto.randomUUID());
  const callback = readCallback(startedSignIn, await signIn(startedSignIn.url, user, provider));
  if (callback.kind !== 'code') throw new Error(`no code: ${callback.kind}`);
  const tokens = await redeemCode(action, callback.code, fetch);
  if (tokens.kind === 'error') throw new Error(`the exchange was refused with ${tokens.status}`);
  return tokens;
};

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
    fetch: createFetch(),
    shouldStopAt: ({ origin, pathname }) => origin + pathname === redirectUri,
  });
  return clickButtons(browser, authorizationUrl, [provider, user.email, ...(extraButtons[provider] ?? [])]);
};

/**
 * Creates a `fetch` for the browser of one user, with an address of its own: together, the tests send more requests
 * than the limit for one address allows. Cloudflare itself does not accept this header from clients.
 */
export const createFetch = (): ((request: Request) => Promise<Response>) => {
  const [first, second] = crypto.getRandomValues(new Uint16Array(2));
  const address = `2001:db8:${first?.toString(16)}:${second?.toString(16)}::1`;
  return (request) => {
    request.headers.set('cf-connecting-ip', address);
    return fetch(request);
  };
};
