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

const gptCredentials = { client_id: 'gpt', client_secret: gptSecret } as const;

/** ChatGPT's authorization request. */
export const gptQuery = {
  response_type: 'code',
  client_id: 'gpt',
  redirect_uri: redirectUri,
  scope: 'words score',
} as const;

/** Opens the sign-in page. */
export const openSignInPage = (call: Call, scope = 'words score'): Promise<FlowStep> =>
  openPage(call, { ...gptQuery, scope });

const openPage = async (call: Call, query: Readonly<Record<string, string>>): Promise<FlowStep> => {
  const page = await call(`/authorize?${new URLSearchParams(query)}`);
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

/** The parameters that identify a public client. */
export interface Requester {
  readonly client_id: string;
  readonly redirect_uri: string;
}

/** Registers a public client, as an MCP client on the user's machine does. */
export const registerClient = async (call: Call): Promise<Requester> => {
  const redirect_uri = 'http://127.0.0.1:33418/callback';
  const response = await call('/register', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      client_name: 'An MCP client',
      redirect_uris: [redirect_uri],
      grant_types: ['authorization_code', 'refresh_token'],
      token_endpoint_auth_method: 'none',
    }),
  });
  if (response.status !== 201) throw new Error(`not registered: ${response.status} ${await response.text()}`);
  const { client_id } = await response.json<{ readonly client_id: string }>();
  return { client_id, redirect_uri };
};

/**
 * Signs a user in through an MCP client, and returns an access token for the MCP endpoint.
 * @param resource the API that the token is for
 * @param requester a public client. Default: one that registers itself
 */
export const signInToMcp = async (
  call: Call,
  subject: string,
  scope = 'words score',
  resource = `${origin}/mcp`,
  requester?: Requester,
): Promise<string> => {
  const client = { ...(requester ?? (await registerClient(call))), resource, scope };
  return (await signInWithPkce(call, subject, client)).access_token;
};

/** Signs a user in through a public client. */
export const signInWithPkce = async (
  call: Call,
  subject: string,
  { scope, ...client }: Requester & { readonly resource: string; readonly scope: string },
): Promise<Tokens> => {
  const page = await openPage(call, {
    ...client,
    response_type: 'code',
    scope,
    // The example of RFC 7636, appendix B.
    code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
    code_challenge_method: 'S256',
  });
  const callbackStep = await submitConsent(call, page, { choice: 'google' });
  const code = await returnFromProvider(call, callbackStep, subject);
  return requestTokens(call, {
    ...client,
    grant_type: 'authorization_code',
    code,
    code_verifier: 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk',
  });
};

/** Redeems a code as ChatGPT does. */
export const redeem = (call: Call, code: string): Promise<Tokens> =>
  requestTokens(call, {
    ...gptCredentials,
    grant_type: 'authorization_code',
    redirect_uri: redirectUri,
    code,
  });

/** Refreshes as ChatGPT does. */
export const refresh = (call: Call, { refresh_token }: Tokens): Promise<Tokens> =>
  requestTokens(call, { ...gptCredentials, grant_type: 'refresh_token', refresh_token });

const requestTokens = async (call: Call, form: Readonly<Record<string, string>>): Promise<Tokens> => {
  const body = new URLSearchParams(form);
  const response = await call('/token', { method: 'POST', body });
  if (response.status !== 200) throw new Error(`no tokens: ${response.status} ${await response.text()}`);
  return response.json();
};

/** Posts a token to the revocation or the introspection endpoint. */
export const postToken = (call: Call, path: '/revoke' | '/introspect', token: string): Promise<Response> => {
  const body = new URLSearchParams({ ...gptCredentials, token });
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
