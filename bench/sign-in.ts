/** Gets real tokens: ChatGPT's side of a sign-in at the Worker under test. */
import { buildGptCallbackUrl, createBrowser, readCallback, startSignIn } from '@words-with-chat/lab';

export const clientId = 'gpt';

export interface SignedIn {
  readonly clientSecret: string;
  readonly accessToken: string;
  readonly refreshToken: string;
}

/** RFC 7636 appendix B. GPTs send no challenge, but the broker requires one for every resource but the first. */
const verifier = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk';
const challenge = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM';

/**
 * Signs a user in, and returns the tokens.
 * @param resource the API that the access token is for (RFC 8707). Default: the broker's default.
 */
export const signIn = async (origin: URL, clientSecret: string, resource?: string): Promise<SignedIn> => {
  const redirectUri = buildGptCallbackUrl('g-1234567890abcdef');
  const startedSignIn = startSignIn(
    {
      authorizationUrl: new URL('/authorize', origin).href,
      tokenUrl: new URL('/token', origin).href,
      clientId,
      clientSecret,
      scope: 'words score',
      redirectUri,
      tokenExchange: 'post',
    },
    'bench',
  );
  const query = startedSignIn.url.searchParams;
  query.set('code_challenge', challenge);
  query.set('code_challenge_method', 'S256');
  if (resource !== undefined) query.set('resource', resource);
  const browser = createBrowser({ fetch });
  const page = await browser.open(startedSignIn.url);
  if (page.kind !== 'page') throw new Error(`expected the sign-in page, got a redirect to ${page.location}`);
  const destination = await browser.clickButton(page, 'Instantly');
  if (destination.kind !== 'stopped-redirect')
    throw new Error(`expected a redirect to the client, got ${destination.url} (${destination.status})`);
  const callback = readCallback(startedSignIn, destination.location);
  if (callback.kind !== 'code') throw new Error(`expected a code, got ${destination.location}`);
  const tokens = await requestTokens(origin, clientSecret, {
    grant_type: 'authorization_code',
    code: callback.code,
    redirect_uri: redirectUri,
    code_verifier: verifier,
  });
  if (tokens.refreshToken === undefined) throw new Error('no refresh token');
  return { clientSecret, accessToken: tokens.accessToken, refreshToken: tokens.refreshToken };
};

/** Returns access tokens that differ from each other, from refreshes of one grant. */
export const issueDistinctTokens = async (
  origin: URL,
  { clientSecret, refreshToken }: SignedIn,
  count: number,
): Promise<readonly string[]> => {
  const tokens: string[] = [];
  while (tokens.length < count) {
    const form = { grant_type: 'refresh_token', refresh_token: refreshToken };
    tokens.push((await requestTokens(origin, clientSecret, form)).accessToken);
  }
  return tokens;
};

const requestTokens = async (
  origin: URL,
  clientSecret: string,
  form: Readonly<Record<string, string>>,
): Promise<{ readonly accessToken: string; readonly refreshToken?: string }> => {
  const body = new URLSearchParams({ ...form, client_id: clientId, client_secret: clientSecret });
  const response = await fetch(new URL('/token', origin), { method: 'POST', body });
  const { access_token: accessToken, refresh_token: refreshToken } = Object(await response.json());
  if (typeof accessToken !== 'string')
    throw new Error(`the token endpoint responded with status ${response.status}`);
  return { accessToken, refreshToken };
};
