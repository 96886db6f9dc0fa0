/** Gets real tokens: ChatGPT's side of a sign-in at the Worker under test. */
import {
  buildGptCallbackUrl,
  createBrowser,
  readCallback,
  redeemCode,
  startSignIn,
} from '@words-with-chat/lab';

export const clientId = 'gpt';

export interface SignedIn {
  readonly clientSecret: string;
  readonly accessToken: string;
  readonly refreshToken: string;
}

/**
 * Signs a user in, and returns the tokens.
 * @param resource the API that the access token is for (RFC 8707). Default: the broker's default.
 */
export const signIn = async (origin: URL, clientSecret: string, resource?: string): Promise<SignedIn> => {
  const action = {
    authorizationUrl: new URL('/authorize', origin).href,
    tokenUrl: new URL('/token', origin).href,
    clientId,
    clientSecret,
    scope: 'words score',
    redirectUri: buildGptCallbackUrl('g-1234567890abcdef'),
    tokenExchange: 'post',
  } as const;
  const browser = createBrowser({ fetch });
  const startedSignIn = startSignIn(action, 'bench');
  if (resource !== undefined) startedSignIn.url.searchParams.set('resource', resource);
  const page = await browser.open(startedSignIn.url);
  if (page.kind !== 'page') throw new Error(`expected the sign-in page, got a redirect to ${page.location}`);
  const destination = await browser.clickButton(page, 'Instantly');
  if (destination.kind !== 'stopped-redirect')
    throw new Error(`expected a redirect to the client, got ${destination.url} (${destination.status})`);
  const callback = readCallback(startedSignIn, destination.location);
  if (callback.kind !== 'code') throw new Error(`expected a code, got ${destination.location}`);
  const result = await redeemCode(action, callback.code, fetch);
  if (result.kind !== 'tokens') throw new Error(`expected tokens, got status ${result.status}`);
  const { accessToken, refreshToken } = result;
  if (refreshToken === undefined) throw new Error('no refresh token');
  return { clientSecret, accessToken, refreshToken };
};

/** Returns access tokens that differ from each other, from refreshes of one grant. */
export const issueDistinctTokens = async (
  origin: URL,
  { clientSecret, refreshToken }: SignedIn,
  count: number,
): Promise<readonly string[]> => {
  const tokens: string[] = [];
  while (tokens.length < count) {
    const body = new URLSearchParams({
      grant_type: 'refresh_token',
      client_id: clientId,
      client_secret: clientSecret,
      refresh_token: refreshToken,
    });
    const response = await fetch(new URL('/token', origin), { method: 'POST', body });
    const { access_token: token } = Object(await response.json());
    if (typeof token !== 'string')
      throw new Error(`the token endpoint responded with status ${response.status}`);
    tokens.push(token);
  }
  return tokens;
};
