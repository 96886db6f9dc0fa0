/** Signs a user in with the requests of ChatGPT and of the user's browser. */

/** Sends a request to a path of the app. `token` is sent in the `Authorization` header. */
export type Call = (path: string, init?: RequestInit & { readonly token?: string }) => Promise<Response>;

export interface Tokens {
  readonly access_token: string;
  readonly refresh_token: string;
}

/** The result of a step that the next one needs: the sealed form, or the `state` for the callback. */
export interface FlowStep {
  readonly value: string;
  readonly cookie: string;
}

export const origin = 'https://words.example';
export const gptSecret = 'gpt-secret-0123456789-0123456789-0123456789';
const redirectUri = 'https://chatgpt.com/aip/g-68f0c2a1b4d8/oauth/callback';

/** ChatGPT's authorization request. */
export const gptQuery = {
  response_type: 'code',
  client_id: 'gpt',
  redirect_uri: redirectUri,
  scope: 'words score',
} as const;

/** Opens the sign-in page. */
export const openSignInPage = async (call: Call, scope = 'words score'): Promise<FlowStep> => {
  const query = new URLSearchParams({ ...gptQuery, scope });
  const page = await call(`/authorize?${query}`);
  const value = /name="consent" value="([^"]*)"/.exec(await page.clone().text())?.[1] ?? '';
  return { value, cookie: readCookies(page) };
};

/** Submits the form of the sign-in page with one of its buttons. */
export const submitConsent = async (
  call: Call,
  page: FlowStep,
  button: { readonly choice: string } | { readonly cancel: string },
): Promise<FlowStep> => {
  const response = await call('/authorize/consent', {
    method: 'POST',
    headers: { cookie: page.cookie, origin, 'sec-fetch-site': 'same-origin' },
    body: new URLSearchParams({ consent: page.value, ...button }),
  });
  return { value: readRedirect(response).searchParams.get('state') ?? '', cookie: readCookies(response) };
};

/** Sends the provider's callback for the user `subject`, and returns the authorization code. */
export const returnFromProvider = async (
  call: Call,
  callbackStep: FlowStep,
  subject: string,
): Promise<string> => {
  const query = new URLSearchParams({ state: callbackStep.value, code: subject });
  const response = await call(`/callback/google?${query}`, { headers: { cookie: callbackStep.cookie } });
  return readRedirect(response).searchParams.get('code') ?? '';
};

/** Runs all steps and returns the tokens. */
export const signInForTokens = async (call: Call, subject: string, scope?: string): Promise<Tokens> => {
  const callbackStep = await submitConsent(call, await openSignInPage(call, scope), { choice: 'google' });
  return redeem(call, await returnFromProvider(call, callbackStep, subject));
};

/** Redeems a code as ChatGPT does. */
export const redeem = (call: Call, code: string): Promise<Tokens> =>
  requestTokens(call, { grant_type: 'authorization_code', redirect_uri: redirectUri, code });

/** Refreshes as ChatGPT does. */
export const refresh = (call: Call, { refresh_token }: Tokens): Promise<Tokens> =>
  requestTokens(call, { grant_type: 'refresh_token', refresh_token });

const requestTokens = async (call: Call, form: Readonly<Record<string, string>>): Promise<Tokens> => {
  const body = new URLSearchParams({ client_id: 'gpt', client_secret: gptSecret, ...form });
  const response = await call('/token', { method: 'POST', body });
  if (response.status !== 200) throw new Error(`no tokens: ${response.status} ${await response.text()}`);
  return response.json();
};

/** Posts a token to the revocation or the introspection endpoint. */
export const postToken = (call: Call, path: '/revoke' | '/introspect', token: string): Promise<Response> => {
  const body = new URLSearchParams({ client_id: 'gpt', client_secret: gptSecret, token });
  return call(path, { method: 'POST', body });
};

const readRedirect = (response: Response): URL => {
  const location = response.headers.get('location');
  if (location === null) throw new Error(`expected a redirect, got status ${response.status}`);
  return new URL(location);
};

const readCookies = (response: Response): string =>
  response.headers
    .getSetCookie()
    .map((line) => line.split(';')[0])
    .join('; ');
