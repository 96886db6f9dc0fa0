/** What the broker asks of a provider besides its word, at servers that others wrote: a new proof, and that a token be revoked. */
import { google, type OidcSettings, oidc, type ProviderIo, type UpstreamRequest } from 'assistant-auth';
import { afterEach, expect, it } from 'vitest';
import {
  type FakeProvider,
  type FakeProviderOptions,
  fakeUsers,
  startGoogle,
  startOidcIssuer,
} from '../../src/index.ts';
import {
  clickAndReadCallback,
  client,
  createTestBrowser,
  redirectUri,
  startFakeProvider,
} from '../fake-providers/visit.ts';

const [ada] = fakeUsers;

let running: FakeProvider | undefined;
afterEach(() => running?.close());

const now = () => Math.floor(Date.now() / 1000);
const io: ProviderIo = { fetch, now, allowLoopbackHttp: true, timeoutMs: 10_000 };
const upstreamRequest: UpstreamRequest = {
  redirectUri,
  state: 'a state',
  nonce: 'a nonce',
  codeVerifier: 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk',
};

const atIssuer = async (options: Partial<FakeProviderOptions> = {}, more: Partial<OidcSettings> = {}) => {
  running = await startFakeProvider((usual) => startOidcIssuer({ ...usual, ...options }));
  const settings = { id: 'acme', displayName: 'Acme', issuer: running.issuer, ...client, ...more };
  return { provider: oidc(settings), browser: createTestBrowser() };
};

/** Goes to the provider, signs Ada in where a page asks for it, and takes the answer to be identified. */
const signIn = async (
  { provider, browser }: Awaited<ReturnType<typeof atIssuer>>,
  login: UpstreamRequest,
) => {
  const destination = await browser.open(await provider.authorizationUrl(login, io));
  const asked = destination.kind === 'page' ? 'asked' : 'not asked';
  const answer =
    destination.kind === 'page'
      ? await clickAndReadCallback(browser, destination, ada.email)
      : destination.location.searchParams;
  const identity = await provider.handleCallback(new URL(`${redirectUri}?${answer}`), login, io);
  return { asked, identity };
};

it('a person who is signed in at the issuer must authenticate again, and the issuer says when they did', async () => {
  const visit = await atIssuer();
  expect((await signIn(visit, upstreamRequest)).asked).toBe('asked');
  expect((await signIn(visit, upstreamRequest)).asked).toBe('not asked');
  const since = now();
  const { asked, identity } = await signIn(visit, { ...upstreamRequest, reauthenticate: { since } });
  expect(asked).toBe('asked');
  const { auth_time: authTime } = identity.claims;
  expect(authTime).toBeGreaterThanOrEqual(since);
});

it('B17.4 a person whose browser takes the question out of the request is refused', async () => {
  const visit = await atIssuer();
  const fresh: UpstreamRequest = { ...upstreamRequest, reauthenticate: { since: now() + 60 } };
  const { provider, browser } = visit;
  await signIn(visit, upstreamRequest);
  const url = await provider.authorizationUrl(fresh, io);
  url.searchParams.delete('prompt');
  url.searchParams.set('max_age', '3600');
  const destination = await browser.open(url);
  if (destination.kind === 'page') throw new Error('asked all the same');
  await expect(
    provider.handleCallback(new URL(`${redirectUri}?${destination.location.searchParams}`), fresh, io),
  ).rejects.toMatchObject({ kind: 'invalid', message: 'the person did not authenticate again' });
});

it('claims that the issuer returns only from UserInfo complete those of its ID token', async () => {
  const inIdToken = await atIssuer();
  const { identity: first } = await signIn(inIdToken, upstreamRequest);
  await running?.close();
  const { identity } = await signIn(await atIssuer({ claimsIn: 'userinfo' }), upstreamRequest);
  expect(identity).toMatchObject({ subject: first.subject, email: ada.email, emailVerified: true });
  expect(identity.claims).toMatchObject({ name: ada.name, email: ada.email, email_verified: true });
  await running?.close();
  const without = await signIn(
    await atIssuer({ claimsIn: 'userinfo' }, { userInfo: 'never' }),
    upstreamRequest,
  );
  expect(without.identity.subject).toBe(first.subject);
  expect(without.identity).not.toHaveProperty('email');
});

it('a sign-in returns a refresh token for rechecks if the issuer grants offline access, for which this one needs consent', async () => {
  const { identity: usual } = await signIn(await atIssuer(), upstreamRequest);
  expect(usual).not.toHaveProperty('refreshToken');
  await running?.close();
  const authorizationParameters = { prompt: 'consent' };
  const { identity } = await signIn(await atIssuer({}, { authorizationParameters }), upstreamRequest);
  expect(identity.refreshToken).toMatch(/\S/);
  await running?.close();
  const never = { authorizationParameters, offlineAccess: 'never' } as const;
  const { identity: unasked } = await signIn(await atIssuer({}, never), upstreamRequest);
  expect(unasked).not.toHaveProperty('refreshToken');
});

it('a token that Google was asked to revoke is dead there', async () => {
  running = await startFakeProvider(startGoogle);
  const provider = google({ ...client, baseUrl: running.issuer });
  const { identity } = await signIn({ provider, browser: createTestBrowser() }, upstreamRequest);
  const token = identity.refreshToken ?? '';
  expect(await provider.validateRefreshToken(token, io)).toEqual({ kind: 'active' });
  await provider.revoke?.(token, io);
  expect(await provider.validateRefreshToken(token, io)).toEqual({ kind: 'revoked' });
  await provider.revoke?.(token, io);
});
