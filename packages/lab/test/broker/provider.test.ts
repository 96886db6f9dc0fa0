/** Tests what the broker requires of a provider, with servers that are not part of this project. */
import { google, type OidcOptions, oidc, type ProviderIo, type UpstreamRequest } from 'assistant-auth';
import { afterEach, describe, expect, it } from 'vitest';
import {
  type FakeProvider,
  type FakeProviderOptions,
  startGoogle,
  startOidcIssuer,
} from '../../src/index.ts';
import {
  clickAndReadCallback,
  client,
  createTestBrowser,
  redirectUri,
  startFakeProvider,
} from '../fake-providers/sign-in.ts';
import { ada, bruno, deployWithFakeProvider, expectTokens } from './deployment.ts';

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

const startIssuer = async (
  options: Partial<FakeProviderOptions> = {},
  settingsOverrides: Partial<OidcOptions> = {},
) => {
  running = await startFakeProvider((defaultOptions) => startOidcIssuer({ ...defaultOptions, ...options }));
  const settings = {
    id: 'acme',
    displayName: 'Acme',
    issuer: running.issuer,
    ...client,
    ...settingsOverrides,
  };
  return { provider: oidc(settings), browser: createTestBrowser() };
};

/** Opens the authorization URL, signs Ada in if a page is shown, and handles the callback. */
const signIn = async (
  { provider, browser }: Awaited<ReturnType<typeof startIssuer>>,
  request: UpstreamRequest,
) => {
  const destination = await browser.open(await provider.authorizationUrl(request, io));
  const isPageShown = destination.kind === 'page';
  const callback =
    destination.kind === 'page'
      ? await clickAndReadCallback(browser, destination, ada.email)
      : destination.location.searchParams;
  const identity = await provider.handleCallback(new URL(`${redirectUri}?${callback}`), request, io);
  return { isPageShown, identity };
};

describe('a sign-in at a provider', () => {
  it('requires a user with a session at the issuer to authenticate again, and returns when they did', async () => {
    const issuer = await startIssuer();
    expect((await signIn(issuer, upstreamRequest)).isPageShown).toBe(true);
    expect((await signIn(issuer, upstreamRequest)).isPageShown).toBe(false);
    const since = now();
    const { isPageShown, identity } = await signIn(issuer, { ...upstreamRequest, reauthenticate: { since } });
    expect(isPageShown).toBe(true);
    const { auth_time: authTime } = identity.claims;
    expect(authTime).toBeGreaterThanOrEqual(since);
  });

  it('requires authentication only if the last one is older than the maximum age', async () => {
    const issuer = await startIssuer();
    await signIn(issuer, upstreamRequest);
    const since = now() - 3600;
    const request = { ...upstreamRequest, reauthenticate: { since, maxAge: 3600 } };
    const { isPageShown, identity } = await signIn(issuer, request);
    expect(isPageShown).toBe(false);
    const { auth_time: authTime } = identity.claims;
    expect(authTime).toBeGreaterThanOrEqual(since);
  });

  it('works without account selection at an issuer that refuses it', async () => {
    const selection = { ...upstreamRequest, selectAccount: true };
    const { identity } = await signIn(await startIssuer(), selection);
    expect(identity).toMatchObject({ provider: 'acme', email: ada.email });
    await running?.close();
    const always = { accountSelection: { prompt: 'select_account' } };
    await expect(signIn(await startIssuer({}, always), selection)).rejects.toMatchObject({
      kind: 'invalid',
      message: 'the provider responded with invalid_request',
    });
  });

  it('B17.4 is refused if the browser removes the request to authenticate again', async () => {
    const issuer = await startIssuer();
    const reauthenticationRequest: UpstreamRequest = {
      ...upstreamRequest,
      reauthenticate: { since: now() + 60 },
    };
    const { provider, browser } = issuer;
    await signIn(issuer, upstreamRequest);
    const url = await provider.authorizationUrl(reauthenticationRequest, io);
    url.searchParams.delete('prompt');
    url.searchParams.set('max_age', '3600');
    const destination = await browser.open(url);
    if (destination.kind === 'page') throw new Error('a page was shown');
    await expect(
      provider.handleCallback(
        new URL(`${redirectUri}?${destination.location.searchParams}`),
        reauthenticationRequest,
        io,
      ),
    ).rejects.toMatchObject({ kind: 'invalid', message: 'the user did not authenticate again' });
  });

  it('adds the claims that the issuer returns only from UserInfo', async () => {
    const issuerWithIdTokenClaims = await startIssuer();
    const { identity: first } = await signIn(issuerWithIdTokenClaims, upstreamRequest);
    await running?.close();
    const { identity } = await signIn(await startIssuer({ claimsIn: 'userinfo' }), upstreamRequest);
    expect(identity).toMatchObject({ subject: first.subject, email: ada.email, emailVerified: true });
    expect(identity.claims).toMatchObject({ name: ada.name, email: ada.email, email_verified: true });
    await running?.close();
    const signInWithoutUserInfo = await signIn(
      await startIssuer({ claimsIn: 'userinfo' }, { userInfo: 'never' }),
      upstreamRequest,
    );
    expect(signInWithoutUserInfo.identity.subject).toBe(first.subject);
    expect(signInWithoutUserInfo.identity).not.toHaveProperty('email');
  });

  it('returns a refresh token if the issuer grants offline access, which needs consent here', async () => {
    const { identity: identityWithoutConsent } = await signIn(await startIssuer(), upstreamRequest);
    expect(identityWithoutConsent).not.toHaveProperty('refreshToken');
    await running?.close();
    const authorizationParameters = { prompt: 'consent' };
    const { identity } = await signIn(await startIssuer({}, { authorizationParameters }), upstreamRequest);
    expect(identity.refreshToken).toMatch(/\S/);
    await running?.close();
    const neverOffline = { authorizationParameters, offlineAccess: 'never' } as const;
    const { identity: withoutOfflineAccess } = await signIn(
      await startIssuer({}, neverOffline),
      upstreamRequest,
    );
    expect(withoutOfflineAccess).not.toHaveProperty('refreshToken');
  });

  it('revokes a token at Google', async () => {
    running = await startFakeProvider(startGoogle);
    const provider = google({ ...client, baseUrl: running.issuer });
    const { identity } = await signIn({ provider, browser: createTestBrowser() }, upstreamRequest);
    const token = identity.refreshToken ?? '';
    expect(await provider.validateRefreshToken(token, io)).toEqual({ kind: 'active' });
    await provider.revoke?.(token, io);
    expect(await provider.validateRefreshToken(token, io)).toEqual({ kind: 'revoked' });
    await provider.revoke?.(token, io);
  });
});

const deployWithGoogle = async () => {
  const deployment = await deployWithFakeProvider(startGoogle, (baseUrl, id) => google({ ...id, baseUrl }));
  running = deployment.fakeProvider;
  return deployment;
};

const deployWithIssuer = async () => {
  const deployment = await deployWithFakeProvider(startOidcIssuer, (issuer, id) =>
    oidc({
      ...{ id: 'acme', displayName: 'Acme', issuer, ...id },
      // The scope `offline_access` is added because the issuer lists it. Without this parameter, the issuer
      // would ignore the scope.
      authorizationParameters: { prompt: 'consent' },
    }),
  );
  running = deployment.fakeProvider;
  return deployment;
};

/** After this response, ChatGPT starts a new sign-in. */
const invalidGrant = {
  kind: 'error',
  status: 401,
  body: { error: 'invalid_grant', error_description: 'The refresh token is not valid.' },
};

describe('a recheck at Google', () => {
  it('B13.4 ends the grants of a user who revoked access at the provider, and of no other user', async () => {
    const { fakeProvider, tokens, signIn, refresh, call, advance } = await deployWithGoogle();
    const [adasToken, brunosToken] = [await signIn(ada), await signIn(bruno)];
    const accessToken = expectTokens(await refresh(adasToken)).accessToken;
    expect(await call(accessToken)).toBe(true);
    await revoke(fakeProvider.issuer, tokens.sent[0] ?? '');
    advance(600);
    expect(await refresh(adasToken)).toEqual(invalidGrant);
    expect(await refresh(adasToken)).toEqual(invalidGrant);
    advance(10);
    expect(await call(accessToken)).toBe(false);
    expect(await call(expectTokens(await refresh(brunosToken)).accessToken)).toBe(true);
    expect(tokens.sent).toHaveLength(3);
  });

  it('checks the new upstream token of a user who signs in again', async () => {
    const { fakeProvider, tokens, signIn, refresh, advance } = await deployWithGoogle();
    const firstToken = await signIn(ada);
    await revoke(fakeProvider.issuer, tokens.received[0] ?? '');
    expect(await refresh(firstToken)).toEqual(invalidGrant);
    const secondToken = await signIn(ada);
    advance(600);
    expectTokens(await refresh(secondToken));
    expect(tokens.sent).toEqual(tokens.received);
  });

  it('B13.3 ends no grant if the provider can’t be reached', async () => {
    const { fakeProvider, log, signIn, refresh, call, advance } = await deployWithGoogle();
    const adasToken = await signIn(ada);
    expectTokens(await refresh(adasToken));
    await fakeProvider.close();
    advance(600);
    expect(await call(expectTokens(await refresh(adasToken)).accessToken)).toBe(true);
    expect(log.filter(({ event }) => event === 'recheck-failed')).toMatchObject([
      {
        provider: 'google',
        cause: expect.stringMatching(/^127\.0\.0\.1:\d+ could not be reached: ECONNREFUSED$/),
      },
    ]);
  });
});

describe('a recheck at an issuer that rotates refresh tokens and detects their reuse', () => {
  it('is done once for simultaneous refreshes, with the newest token each time', async () => {
    const { tokens, signIn, refresh, advance } = await deployWithIssuer();
    const adasToken = await signIn(ada);
    for (let round = 1; round <= 5; round++) {
      const results = await Promise.all(Array.from({ length: 20 }, () => refresh(adasToken)));
      expect(results.map(({ kind }) => kind)).toEqual(Array(20).fill('tokens'));
      expect(tokens.sent).toHaveLength(round);
      advance(600);
    }
    expect(tokens.sent).toEqual(tokens.received.slice(0, 5));
    expect(new Set(tokens.received).size).toBe(6);
  });

  it('B13.4 ends the grant if the issuer detected the reuse of a token', async () => {
    const { fakeProvider, tokens, signIn, refresh, advance } = await deployWithIssuer();
    const adasToken = await signIn(ada);
    expectTokens(await refresh(adasToken));
    const reuseResponse = await refreshWithoutBroker(fakeProvider.issuer, tokens.sent[0] ?? '');
    expect(reuseResponse).toMatchObject({ error: 'invalid_grant' });
    advance(600);
    expect(await refresh(adasToken)).toEqual(invalidGrant);
  });
});

const credentials = { client_id: client.clientId, client_secret: client.clientSecret };

const revoke = async (issuer: string, token: string): Promise<void> => {
  const metadataResponse = await fetch(`${issuer}/.well-known/openid-configuration`);
  const { revocation_endpoint: endpoint } = Object(await metadataResponse.json());
  const body = new URLSearchParams({ token, ...credentials });
  const response = await fetch(String(endpoint), { method: 'POST', body });
  expect(response.status).toBe(200);
};

/** Redeems a refresh token at the issuer without the broker. */
const refreshWithoutBroker = async (issuer: string, token: string): Promise<unknown> => {
  const { token_endpoint: endpoint } = Object(
    await (await fetch(`${issuer}/.well-known/openid-configuration`)).json(),
  );
  const headers = { authorization: `Basic ${btoa(`${client.clientId}:${client.clientSecret}`)}` };
  const body = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: token });
  return (await fetch(String(endpoint), { method: 'POST', headers, body })).json();
};
