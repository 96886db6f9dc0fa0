/** A test browser: follows a sign-in step by step, and stores cookies, without any network access. */
import { type Deployment, gptRedirect, gptSecret } from './deployment.ts';

export interface TestBrowser {
  readonly cookies: Map<string, string>;
  /** Sends a request with this browser's cookies, and stores the cookies of the response. */
  visit(url: string, init?: RequestInit): Promise<Response>;
  /** Opens the sign-in page, and returns the response with its sealed consent. */
  openSignInPage(
    query: Readonly<Record<string, string>>,
  ): Promise<{ readonly response: Response; readonly consent: string }>;
  /** Posts the sign-in page's form as the browser would. */
  submitConsent(consent: string, choice: Readonly<Record<string, string>>): Promise<Response>;
  /** Signs in as `subject`, and returns the redirect to the client. */
  signIn(query: Readonly<Record<string, string>>, subject?: string): Promise<URL>;
}

export const gptRequest = {
  response_type: 'code',
  client_id: 'gpt',
  redirect_uri: gptRedirect,
  scope: 'words score',
  state: '5f2c9c1e-0a52-4a5e-9a52-0c2a4f1b7a90',
} as const;

/** RFC 7636 appendix B. */
export const verifier = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk';
export const challenge = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM';

export const appRequest = {
  response_type: 'code',
  client_id: 'app',
  redirect_uri: 'https://app.example/callback',
  state: 'app-state',
  code_challenge: challenge,
  code_challenge_method: 'S256',
} as const;

export const serverRequest = {
  ...appRequest,
  client_id: 'server',
  redirect_uri: 'https://server.example/cb',
} as const;

/** The part of a deployment that a browser uses. */
export type BrokerAccess = Pick<Deployment, 'issuer' | 'fetch'>;

/** @param extraHeaders headers that are added to every request, for example by a proxy */
export const createTestBrowser = (
  deployment: BrokerAccess,
  extraHeaders: Readonly<Record<string, string>> = {},
): TestBrowser => {
  const { issuer } = deployment;
  const cookies = new Map<string, string>();
  const visit = async (url: string, init: RequestInit = {}): Promise<Response> => {
    const headers = new Headers({ ...extraHeaders, ...Object.fromEntries(new Headers(init.headers)) });
    if (cookies.size > 0)
      headers.set('cookie', [...cookies].map(([name, value]) => `${name}=${value}`).join('; '));
    const response = await deployment.fetch(new Request(url, { ...init, headers, redirect: 'manual' }));
    for (const line of response.headers.getSetCookie()) storeCookie(cookies, line);
    return response;
  };
  const openSignInPage: TestBrowser['openSignInPage'] = async (query) => {
    const response = await visit(`${issuer}/authorize?${new URLSearchParams(query)}`);
    const consent = /name="consent" value="([^"]*)"/.exec(await response.clone().text())?.[1] ?? '';
    return { response, consent };
  };
  const submitConsent: TestBrowser['submitConsent'] = (consent, choice) =>
    visit(`${issuer}/authorize/consent`, {
      method: 'POST',
      headers: { origin: issuer, 'sec-fetch-site': 'same-origin' },
      body: new URLSearchParams({ consent, ...choice }),
    });
  return {
    cookies,
    visit,
    openSignInPage,
    submitConsent,
    async signIn(query, subject = 'subject-1') {
      const { consent } = await openSignInPage(query);
      const authorizationUrl = readRedirect(await submitConsent(consent, { choice: 'google' }));
      const callbackQuery = new URLSearchParams({
        state: authorizationUrl.searchParams.get('state') ?? '',
        code: subject,
      });
      return readRedirect(await visit(`${issuer}/callback/google?${callbackQuery}`));
    },
  };
};

/** Returns the URL that a response redirects to. */
export const readRedirect = (response: Response): URL => {
  const location = response.headers.get('location');
  if (location === null) throw new Error(`expected a redirect, but the status is ${response.status}`);
  return new URL(location);
};

/** Sends a client's request to the token endpoint. */
export const requestTokens = (
  deployment: BrokerAccess,
  form: Readonly<Record<string, string>>,
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> =>
  deployment.fetch(
    new Request(`${deployment.issuer}/token`, { method: 'POST', headers, body: new URLSearchParams(form) }),
  );

export interface TokenBody {
  readonly access_token: string;
  readonly refresh_token: string;
  readonly token_type: string;
  readonly expires_in: number;
  readonly scope: string;
}

/** Returns the tokens in a response. Fails the test if there are none. */
export const expectTokens = async (response: Response): Promise<TokenBody> => {
  const body: TokenBody = await response.json();
  if (response.status !== 200) throw new Error(`no tokens: ${response.status} ${JSON.stringify(body)}`);
  return body;
};

/** Builds the form that ChatGPT sends to redeem a code. */
export const buildGptCodeRequest = (code: string) => ({
  grant_type: 'authorization_code',
  client_id: 'gpt',
  client_secret: gptSecret,
  redirect_uri: gptRedirect,
  code,
});

/** Signs a user in through ChatGPT, in a new browser. */
export const gptSignIn = async (deployment: Deployment, subject?: string): Promise<TokenBody> => {
  const redirect = await createTestBrowser(deployment).signIn(gptRequest, subject);
  return expectTokens(
    await requestTokens(deployment, buildGptCodeRequest(redirect.searchParams.get('code') ?? '')),
  );
};

/** Calls the protected API. */
export const callApi = (deployment: Deployment, token: string) =>
  deployment.broker.protect(
    new Request(`${deployment.issuer}/api/scoring`, { headers: { authorization: `Bearer ${token}` } }),
  );

const storeCookie = (cookies: Map<string, string>, line: string): void => {
  const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
  if (/; Max-Age=0(;|$)/i.test(line)) cookies.delete(name);
  else cookies.set(name, value);
};
