/** Signs a user in at a fake provider as a client does, and reads the claims that it returns. */
import { createHash } from 'node:crypto';
import { readForms } from 'assistant-auth/testing';
import {
  type Browser,
  createBrowser,
  type FakeProvider,
  fakeUsers,
  findFreePort,
  type Page,
  type StartFakeProvider,
  startApple,
  startGitHub,
  startGoogle,
  startMicrosoft,
  startOidcIssuer,
} from '../../src/index.ts';

type Claims = Readonly<Record<string, unknown>>;

export interface FakeProviderCase {
  readonly start: StartFakeProvider;
  /** The path of the metadata, below the issuer. GitHub has none. */
  readonly metadata: string | undefined;
  readonly query: Readonly<Record<string, string>>;
  /** The claim that identifies a user. */
  readonly subjectClaim: string;
}

const discoveryPath = '/.well-known/openid-configuration';

export const fakeProviders = {
  google: { start: startGoogle, metadata: discoveryPath, query: {}, subjectClaim: 'sub' },
  github: { start: startGitHub, metadata: undefined, query: {}, subjectClaim: 'id' },
  microsoft: {
    start: startMicrosoft,
    metadata: `/consumers/v2.0${discoveryPath}`,
    query: {},
    subjectClaim: 'oid',
  },
  apple: {
    start: startApple,
    metadata: discoveryPath,
    query: { response_mode: 'form_post' },
    subjectClaim: 'sub',
  },
  oidc: { start: startOidcIssuer, metadata: discoveryPath, query: { prompt: 'login' }, subjectClaim: 'sub' },
} as const satisfies Readonly<Record<string, FakeProviderCase>>;

export type ProviderName = keyof typeof fakeProviders;
export const providerNames = [
  'google',
  'github',
  'microsoft',
  'apple',
  'oidc',
] as const satisfies readonly ProviderName[];

export const client = { clientId: 'words', clientSecret: 'a-secret-of-the-test' };
export const redirectUri = 'http://localhost:8787/callback';
const verifier = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk';

export const startFakeProvider = async (
  start: StartFakeProvider,
  port?: number,
  redirectUris: readonly string[] = [redirectUri],
): Promise<FakeProvider> =>
  start({ ...client, port: port ?? (await findFreePort()), redirectUris, users: fakeUsers });

/** Reads a fake provider's endpoints from its metadata. */
export const findEndpoints = async ({ metadata }: FakeProviderCase, issuer: string) => {
  if (metadata === undefined)
    return {
      authorizationEndpoint: `${issuer}/login/oauth/authorize`,
      tokenEndpoint: `${issuer}/login/oauth/access_token`,
    };
  const document = Object(await (await fetch(issuer + metadata)).json());
  return {
    authorizationEndpoint: String(document.authorization_endpoint),
    tokenEndpoint: String(document.token_endpoint),
  };
};

export const buildAuthorizationUrl = (endpoint: string, { query }: FakeProviderCase): URL =>
  new URL(
    `${endpoint}?${new URLSearchParams({
      response_type: 'code',
      client_id: client.clientId,
      redirect_uri: redirectUri,
      state: 'a state',
      nonce: 'a nonce',
      scope: 'openid email profile',
      code_challenge: createHash('sha256').update(verifier).digest('base64url'),
      code_challenge_method: 'S256',
      ...query,
    })}`,
  );

export const createTestBrowser = (): Browser =>
  createBrowser({ fetch, shouldStopAt: (url) => url.href.startsWith(redirectUri) });

/** Clicks a button, and returns the parameters that the client receives at its callback. */
export const clickAndReadCallback = async (
  browser: Browser,
  page: Page,
  label: string,
): Promise<URLSearchParams> => {
  const destination = await browser.clickButton(page, label);
  if (destination.kind === 'stopped-redirect') return destination.location.searchParams;
  // With `form_post`, JavaScript would submit this form. Nothing listens at the callback, so the test reads it.
  const [form] = readForms(destination.html);
  if (form === undefined) throw new Error(`there is no form on ${destination.url}`);
  return new URLSearchParams(form.fields.map((field) => [...field]));
};

/** Redeems a code, and returns the claims of the ID token, or GitHub's profile. */
export const redeemForClaims = async (
  fakeProvider: FakeProviderCase,
  issuer: string,
  code: string,
): Promise<Claims> => {
  const { tokenEndpoint } = await findEndpoints(fakeProvider, issuer);
  const form = { grant_type: 'authorization_code', code, redirect_uri: redirectUri, code_verifier: verifier };
  const basic = { authorization: `Basic ${btoa(`${client.clientId}:${client.clientSecret}`)}` };
  const secret = { client_id: client.clientId, client_secret: client.clientSecret };
  const isOidc = fakeProvider.start === startOidcIssuer;
  const response = await fetch(tokenEndpoint, {
    method: 'POST',
    headers: { accept: 'application/json', ...(isOidc ? basic : {}) },
    body: new URLSearchParams({ ...form, ...(isOidc ? {} : secret) }),
  });
  const tokens = Object(await response.json());
  if (fakeProvider.metadata === undefined) return fetchProfile(issuer, tokens.access_token);
  return JSON.parse(Buffer.from(String(tokens.id_token).split('.')[1] ?? '', 'base64url').toString());
};

const fetchProfile = async (issuer: string, token: string): Promise<Claims> =>
  Object(await (await fetch(`${issuer}/user`, { headers: { authorization: `Bearer ${token}` } })).json());

/** Signs a user in, and returns their claims. */
export const signIn = async (
  fakeProvider: FakeProviderCase,
  issuer: string,
  email: string,
): Promise<Claims> => {
  const browser = createTestBrowser();
  const page = await browser.open(
    buildAuthorizationUrl((await findEndpoints(fakeProvider, issuer)).authorizationEndpoint, fakeProvider),
  );
  if (page.kind === 'stopped-redirect') throw new Error('redirected without a page');
  const callback = await clickAndReadCallback(browser, page, email);
  return redeemForClaims(fakeProvider, issuer, callback.get('code') ?? '');
};

/** Signs all users in at a new fake provider, and returns the email address and ID of each. */
export const collectSubjects = async (name: ProviderName): Promise<readonly string[]> => {
  const fakeProvider: FakeProviderCase = fakeProviders[name];
  const { issuer, close } = await startFakeProvider(fakeProvider.start);
  try {
    const subjects: string[] = [];
    for (const { email } of fakeUsers) {
      const claims = await signIn(fakeProvider, issuer, email);
      subjects.push(`${Reflect.get(claims, 'email')} ${claims[fakeProvider.subjectClaim]}`);
    }
    return subjects;
  } finally {
    await close();
  }
};
