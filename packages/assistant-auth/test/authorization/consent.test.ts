import { describe, expect, test } from 'vitest';
import { type IdentityProvider, ProviderError } from '../../src/index.ts';
import { parseKeyRing } from '../../src/seal/key-ring.ts';
import { createSealers } from '../../src/tokens/sealers.ts';
import { createTestBrowser, gptRequest, readRedirect } from '../browser.ts';
import { clients, deploy, gptRedirect, issuer, keys } from '../deployment.ts';
import { expectErrorPage, expectErrorRedirect } from '../expect-error.ts';
import { createProvider } from '../fake-provider.ts';
import { buildCookieHeader, listTransactionCookies, startAuthorization } from '../flows.ts';
import { createSpyProvider } from '../spy-provider.ts';
import { createSpyStorage } from '../spy-storage.ts';

const stale = 'This page has expired or belongs to another browser. Go back to the app and start again.';
const sealers = createSealers(parseKeyRing(keys), issuer, [], (length) => new Uint8Array(length));

describe('choosing a provider', () => {
  test('sends the browser there, and keeps the login transaction in one cookie of its own', async () => {
    const storage = createSpyStorage();
    const provider = createSpyProvider();
    const { deployment, browser, consent } = await startAuthorization(
      deploy({ storage, providers: [provider] }),
    );
    const response = await browser.submitConsent(consent, { choice: 'google' });
    const [upstreamRequest] = provider.authorizationRequests;
    expect(response.status).toBe(303);
    expect(readRedirect(response).href).toBe(
      (await createProvider('google', 'Google').authorizationUrl(...buildUpstreamRequest(upstreamRequest)))
        .href,
    );
    expect([...response.headers].filter(([name]) => name !== 'set-cookie')).toEqual([
      ['cache-control', 'no-store'],
      ['location', readRedirect(response).href],
      ['referrer-policy', 'no-referrer'],
      ['x-content-type-options', 'nosniff'],
    ]);
    expect(response.headers.getSetCookie()).toEqual([
      expect.stringMatching(
        /^__Host-tx-[\w-]{8}=[\w-]+; Path=\/; Secure; HttpOnly; SameSite=Lax; Max-Age=600$/,
      ),
    ]);
    const sealed = browser.cookies.get(listTransactionCookies(browser.cookies)[0] ?? '') ?? '';
    expect(await sealers.transaction.open(sealed)).toMatchObject({
      kind: 'opened',
      value: {
        purpose: {
          kind: 'authorize',
          request: { clientId: 'gpt', redirectUri: gptRedirect, scopes: ['words', 'score'] },
        },
        grantId: expect.stringMatching(/^[\w-]{22}$/),
        provider: 'google',
        expiresAt: deployment.now() + 600,
        state: upstreamRequest?.state,
        nonce: upstreamRequest?.nonce,
        codeVerifier: upstreamRequest?.codeVerifier,
      },
    });
    expect(storage.calls).toEqual([]);
  });

  test('gives the provider the values of this login transaction and nothing else', async () => {
    const provider = createSpyProvider();
    const { browser, consent } = await startAuthorization(deploy({ providers: [provider] }));
    await browser.submitConsent(consent, { choice: 'google' });
    expect(provider.authorizationRequests).toEqual([
      {
        redirectUri: `${issuer}/callback/google`,
        state: expect.stringMatching(/^[\w-]{43}$/),
        nonce: expect.stringMatching(/^[\w-]{43}$/),
        codeVerifier: expect.stringMatching(/^[\w-]{43}$/),
      },
    ]);
  });

  test('creates new random values each time, even from the same form', async () => {
    const provider = createSpyProvider();
    const { browser, consent } = await startAuthorization(deploy({ providers: [provider] }));
    for (let time = 0; time < 3; time++) await browser.submitConsent(consent, { choice: 'google' });
    const drawn = provider.authorizationRequests.flatMap(({ state, nonce, codeVerifier }) => [
      state,
      nonce,
      codeVerifier,
    ]);
    expect(new Set(drawn).size).toBe(9);
    const grants = await Promise.all(
      listTransactionCookies(browser.cookies).map((name) =>
        sealers.transaction.open(browser.cookies.get(name) ?? ''),
      ),
    );
    expect(new Set(grants.map((one) => one.kind === 'opened' && one.value.grantId)).size).toBe(3);
    expect(drawn).not.toContain(gptRequest.state);
  });

  test.each([
    [{ choice: 'nobody' }],
    [{ choice: '' }],
    [{ choice: '__proto__' }],
    [{ choice: 'Google' }],
    [{}],
    [{ cancel: '' }],
  ])('that does not exist goes to a page: %j', async (choice) => {
    const { deployment, browser, consent } = await startAuthorization();
    const response = await browser.submitConsent(consent, choice);
    await expectErrorPage(response, deployment, 'Choose one of the ways to sign in.');
    expect(listTransactionCookies(browser.cookies)).toEqual([]);
  });

  test.each([
    ['temporarily_unavailable', new ProviderError('unavailable', 'discovery timed out')],
    ['server_error', new ProviderError('invalid', 'issuer differs')],
    ['server_error', new Error('nobody foresaw this')],
  ])('that cannot be reached is %s to the client, and starts no login transaction', async (error, thrown) => {
    const away: IdentityProvider = {
      ...createProvider('google', 'Google'),
      authorizationUrl: () => Promise.reject(thrown),
    };
    const { browser, consent } = await startAuthorization(deploy({ providers: [away] }));
    const response = await browser.submitConsent(consent, { choice: 'google' });
    expectErrorRedirect(response, {
      to: gptRedirect,
      state: gptRequest.state,
      error,
      description:
        error === 'temporarily_unavailable'
          ? 'The sign-in provider did not answer. Try again later.'
          : expect.any(String),
    });
    expect(listTransactionCookies(browser.cookies)).toEqual([]);
  });
});

test.each([
  ['alone', { cancel: '1' }],
  ['whatever was chosen beside it', { cancel: '1', choice: 'google' }],
  ['whatever its button says', { cancel: 'Abbrechen' }],
])('cancelling goes back to the client without a login transaction: %s', async (_, choice) => {
  const storage = createSpyStorage();
  const { deployment, browser, consent } = await startAuthorization(deploy({ storage }));
  expectErrorRedirect(await browser.submitConsent(consent, choice), {
    to: gptRedirect,
    state: gptRequest.state,
    error: 'access_denied',
    description: 'The sign-in was cancelled.',
  });
  expect(listTransactionCookies(browser.cookies)).toEqual([]);
  expect(storage.calls).toEqual([]);
  expect(deployment.log.at(-1)).toMatchObject({
    reason: 'user.cancelled',
    clientId: 'gpt',
    endpoint: 'consent',
  });
});

describe('the form', () => {
  test('is good for half an hour', async () => {
    const { deployment, browser, consent } = await startAuthorization();
    deployment.advance(1799);
    expect((await browser.submitConsent(consent, { choice: 'google' })).status).toBe(303);
    deployment.advance(1);
    await expectErrorPage(await browser.submitConsent(consent, { choice: 'google' }), deployment, stale);
    expect(deployment.log.at(-1)).toMatchObject({ reason: 'consent.expired' });
  });

  test('is as long open as the publisher says', async () => {
    const { deployment, browser, consent } = await startAuthorization(deploy({ lifetimes: { consent: 60 } }));
    deployment.advance(60);
    await expectErrorPage(await browser.submitConsent(consent, { choice: 'google' }), deployment, stale);
  });

  test('is no longer good once its client is gone, or the address of it', async () => {
    const { consent, browser } = await startAuthorization();
    const cookie = buildCookieHeader(browser.cookies);
    const answerOf = (deployment: ReturnType<typeof deploy>) =>
      createTestBrowser(deployment, { cookie }).submitConsent(consent, { choice: 'google' });
    const [gpt, ...others] = clients;
    const removed = deploy({ clients: others });
    await expectErrorPage(
      await answerOf(removed),
      removed,
      'The app that sent you here is not registered with us.',
    );
    const moved = deploy({ clients: [{ ...gpt, redirects: [{ kind: 'gpt', gptIds: ['g-another'] }] }] });
    await expectErrorPage(
      await answerOf(moved),
      moved,
      'The address to return to is not registered for this app.',
    );
  });

  test('may come with a state of the longest kind, and the login transaction still fits its cookie', async () => {
    const browser = createTestBrowser(deploy());
    const state = '~ '.repeat(1024);
    const { consent } = await browser.openSignInPage({ ...gptRequest, state });
    const [line = ''] = (await browser.submitConsent(consent, { choice: 'google' })).headers.getSetCookie();
    expect(line.length).toBeGreaterThan(3_000);
    expect(line.length).toBeLessThan(4_096);
    expect(listTransactionCookies(browser.cookies)).toHaveLength(1);
  });

  test('that would not fit a cookie is refused to the client in so many words', async () => {
    const redirect_uri = gptRedirect.replace('g-1234567890abcdef1234567890abcdef', `g-${'a'.repeat(128)}`);
    const resource = `${issuer}/${'r'.repeat(600)}`;
    const deployment = deploy({ resources: [resource] });
    const browser = createTestBrowser(deployment);
    const state = 'x'.repeat(2048);
    const { consent } = await browser.openSignInPage({ ...gptRequest, redirect_uri, state });
    expectErrorRedirect(await browser.submitConsent(consent, { choice: 'google' }), {
      to: redirect_uri,
      state,
      error: 'invalid_request',
      description: 'The authorization request is too large.',
    });
    expect(listTransactionCookies(browser.cookies)).toEqual([]);
  });

  test('is shown again after a reload', async () => {
    const deployment = deploy();
    const response = await createTestBrowser(deployment).visit(`${issuer}/authorize/consent`);
    expect(response.headers.get('allow')).toBe('POST');
    response.headers.delete('allow');
    await expectErrorPage(response, deployment, 'This address does not answer that method.', 405);
  });
});

const io = { fetch, now: () => 0, allowLoopbackHttp: false, timeoutMs: 10_000 };
const buildUpstreamRequest = (
  upstreamRequest: Parameters<IdentityProvider['authorizationUrl']>[0] | undefined,
) => {
  if (upstreamRequest === undefined) throw new Error('no login transaction was started');
  return [upstreamRequest, io] as const;
};
