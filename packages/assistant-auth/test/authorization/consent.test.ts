/** POST /authorize/consent: choosing a provider, or continuing with a session. */
import { describe, expect, it } from 'vitest';
import {
  type BrokerOptions,
  type IdentityProvider,
  ProviderError,
  type RecheckResult,
  StorageUnavailable,
} from '../../src/index.ts';
import { parseKeyRing } from '../../src/seal/key-ring.ts';
import { memoryStorage } from '../../src/storage/memory.ts';
import { createSealers } from '../../src/tokens/sealers.ts';
import { createAccountBrowser, readButtonValues } from '../account-browser.ts';
import {
  buildGptCodeRequest,
  createTestBrowser,
  expectTokens,
  gptRequest,
  readRedirect,
  requestTokens,
} from '../browser.ts';
import { clients, type Deployment, deploy, gptRedirect, issuer, keys } from '../deployment.ts';
import { expectErrorPage, expectErrorRedirect } from '../expect-error.ts';
import { createProvider } from '../fake-provider.ts';
import { buildCookieHeader, listTransactionCookies, startAuthorization } from '../flows.ts';
import { createSpyProvider } from '../spy-provider.ts';
import { createSpyStorage } from '../spy-storage.ts';

describe('choosing a provider', () => {
  const staleMessage = 'This page has expired or was opened in another browser.';
  const sealers = createSealers(parseKeyRing(keys), issuer, [], (length) => new Uint8Array(length));

  it('redirects the browser to it, and stores the login transaction in one cookie', async () => {
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

  it('passes the provider the values of this login transaction and nothing else', async () => {
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

  it('creates new random values each time, even from the same form', async () => {
    const provider = createSpyProvider();
    const { browser, consent } = await startAuthorization(deploy({ providers: [provider] }));
    for (let attempt = 0; attempt < 3; attempt++) await browser.submitConsent(consent, { choice: 'google' });
    const randomValues = provider.authorizationRequests.flatMap(({ state, nonce, codeVerifier }) => [
      state,
      nonce,
      codeVerifier,
    ]);
    expect(new Set(randomValues).size).toBe(9);
    const transactions = await Promise.all(
      listTransactionCookies(browser.cookies).map((name) =>
        sealers.transaction.open(browser.cookies.get(name) ?? ''),
      ),
    );
    expect(
      new Set(transactions.map((transaction) => transaction.kind === 'opened' && transaction.value.grantId))
        .size,
    ).toBe(3);
    expect(randomValues).not.toContain(gptRequest.state);
  });

  it.each([
    [{ choice: 'nobody' }],
    [{ choice: '' }],
    [{ choice: '__proto__' }],
    [{ choice: 'Google' }],
    [{}],
    [{ cancel: '' }],
  ])('that does not exist shows a page: %j', async (choice) => {
    const { deployment, browser, consent } = await startAuthorization();
    const response = await browser.submitConsent(consent, choice);
    await expectErrorPage(response, deployment, 'Choose a sign-in method.');
    expect(listTransactionCookies(browser.cookies)).toEqual([]);
  });

  it.each([
    ['temporarily_unavailable', new ProviderError('unavailable', 'discovery timed out')],
    ['server_error', new ProviderError('invalid', 'issuer differs')],
    ['server_error', new Error('unexpected')],
  ])('that fails redirects to the client with %s, and starts no login transaction', async (error, thrown) => {
    const failingProvider: IdentityProvider = {
      ...createProvider('google', 'Google'),
      authorizationUrl: () => Promise.reject(thrown),
    };
    const { browser, consent } = await startAuthorization(deploy({ providers: [failingProvider] }));
    const response = await browser.submitConsent(consent, { choice: 'google' });
    expectErrorRedirect(response, {
      to: gptRedirect,
      state: gptRequest.state,
      error,
      description:
        error === 'temporarily_unavailable'
          ? 'The sign-in provider is temporarily unavailable. Try again later.'
          : expect.any(String),
    });
    expect(listTransactionCookies(browser.cookies)).toEqual([]);
  });

  it.each([
    ['alone', { cancel: '1' }],
    ['with a provider as well', { cancel: '1', choice: 'google' }],
    ['with any value of the button', { cancel: 'Abbrechen' }],
  ])('canceling redirects to the client without a login transaction: %s', async (_, choice) => {
    const storage = createSpyStorage();
    const { deployment, browser, consent } = await startAuthorization(deploy({ storage }));
    expectErrorRedirect(await browser.submitConsent(consent, choice), {
      to: gptRedirect,
      state: gptRequest.state,
      error: 'access_denied',
      description: 'The sign-in was canceled.',
    });
    expect(listTransactionCookies(browser.cookies)).toEqual([]);
    expect(storage.calls).toEqual([]);
    expect(deployment.log.at(-1)).toMatchObject({
      reason: 'user.canceled',
      clientId: 'gpt',
      endpoint: 'consent',
    });
  });

  describe('the form', () => {
    it('is valid for half an hour', async () => {
      const { deployment, browser, consent } = await startAuthorization();
      deployment.advance(1799);
      expect((await browser.submitConsent(consent, { choice: 'google' })).status).toBe(303);
      deployment.advance(1);
      await expectErrorPage(
        await browser.submitConsent(consent, { choice: 'google' }),
        deployment,
        staleMessage,
      );
      expect(deployment.log.at(-1)).toMatchObject({ reason: 'consent.expired' });
    });

    it('is valid for the configured time', async () => {
      const { deployment, browser, consent } = await startAuthorization(
        deploy({ lifetimes: { consent: 60 } }),
      );
      deployment.advance(60);
      await expectErrorPage(
        await browser.submitConsent(consent, { choice: 'google' }),
        deployment,
        staleMessage,
      );
    });

    it('is invalid once its client or redirect URI is no longer registered', async () => {
      const { consent, browser } = await startAuthorization();
      const cookie = buildCookieHeader(browser.cookies);
      const submitConsentAt = (deployment: ReturnType<typeof deploy>) =>
        createTestBrowser(deployment, { cookie }).submitConsent(consent, { choice: 'google' });
      const [gpt, ...others] = clients;
      const deploymentWithoutClient = deploy({ clients: others });
      await expectErrorPage(
        await submitConsentAt(deploymentWithoutClient),
        deploymentWithoutClient,
        'The app that sent you here is not registered with us.',
      );
      const deploymentWithOtherRedirect = deploy({
        clients: [{ ...gpt, redirects: [{ kind: 'gpt', gptIds: ['g-another'] }] }],
      });
      await expectErrorPage(
        await submitConsentAt(deploymentWithOtherRedirect),
        deploymentWithOtherRedirect,
        'The redirect URI is not registered for this app.',
      );
    });

    it('with the longest state still fits into the cookie of its login transaction', async () => {
      const browser = createTestBrowser(deploy());
      const state = '~ '.repeat(1024);
      const { consent } = await browser.openSignInPage({ ...gptRequest, state });
      const [line = ''] = (await browser.submitConsent(consent, { choice: 'google' })).headers.getSetCookie();
      expect(line.length).toBeGreaterThan(3_000);
      expect(line.length).toBeLessThan(4_096);
      expect(listTransactionCookies(browser.cookies)).toHaveLength(1);
    });

    it('that would not fit into a cookie redirects to the client with invalid_request', async () => {
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

    it('is refused with 405 if it is sent with GET', async () => {
      const deployment = deploy();
      const response = await createTestBrowser(deployment).visit(`${issuer}/authorize/consent`);
      expect(response.headers.get('allow')).toBe('POST');
      response.headers.delete('allow');
      await expectErrorPage(response, deployment, 'Method not allowed.', 405);
    });
  });

  const io = { fetch, now: () => 0, allowLoopbackHttp: false, timeoutMs: 10_000 };
  const buildUpstreamRequest = (
    upstreamRequest: Parameters<IdentityProvider['authorizationUrl']>[0] | undefined,
  ) => {
    if (upstreamRequest === undefined) throw new Error('no login transaction was started');
    return [upstreamRequest, io] as const;
  };
});

describe('continuing with a session', () => {
  /** A deployment whose Google returns the recheck result that a test sets, and counts the rechecks. */
  const deployWithRecheck = (
    result: RecheckResult = { kind: 'active' },
    changes: Partial<BrokerOptions> = {},
    features: { readonly hasAccountPage?: boolean } = {},
  ) => {
    const recheck = { result, count: 0 };
    const google: IdentityProvider = {
      ...createProvider('google', 'Google'),
      async validateRefreshToken() {
        recheck.count += 1;
        return recheck.result;
      },
    };
    const providers = [google, createProvider('other', 'Other')];
    return { deployment: deploy({ providers, ...changes }, features), recheck };
  };

  /** Signs in at the account page, which stores a token of Google's, and opens ChatGPT's sign-in page. */
  const openSignInPageWithSession = async (
    deployment: Deployment,
    providerResponse: Readonly<Record<string, string>> = { refresh: 'r-1' },
  ) => {
    const accountBrowser = createAccountBrowser(deployment);
    await accountBrowser.signInToAccount('ada', 'google', providerResponse);
    const { response, consent } = await accountBrowser.openSignInPage(gptRequest);
    const html = await response.text();
    return { accountBrowser, consent, html, choices: readButtonValues(html, 'choice') };
  };

  const codeOf = (response: Response) => readRedirect(response).searchParams.get('code');

  describe('the sign-in page with a session', () => {
    it('offers to continue, and shows the whole consent', async () => {
      const { deployment } = deployWithRecheck();
      const { html, choices } = await openSignInPageWithSession(deployment);
      expect(choices).toEqual(['continue', 'google', 'other']);
      expect(html).toContain('ada@example.com');
      expect(html).toContain('Words GPT');
      expect(html).toContain('chat.openai.com');
      expect(html).toContain('read the word lists');
    });

    it.each([
      ['no user is signed in', undefined],
      ['the identity has no upstream token for a recheck', 'bob'],
    ])('does not offer to continue if %s', async (_, subject) => {
      const accountBrowser = createAccountBrowser(deployWithRecheck().deployment);
      if (subject !== undefined) await accountBrowser.signInToAccount(subject);
      const { response } = await accountBrowser.openSignInPage(gptRequest);
      expect(readButtonValues(await response.text(), 'choice')).toEqual(['google', 'other']);
    });

    it('calls storage only if there is a session cookie', async () => {
      const storage = createSpyStorage();
      const { deployment } = deployWithRecheck(undefined, { storage });
      await createAccountBrowser(deployment).openSignInPage(gptRequest);
      expect(storage.calls).toEqual([]);
      const { accountBrowser } = await openSignInPageWithSession(deployment);
      expect(storage.calls).toEqual(['readGrantStatus', 'recordSignIn', 'redeemCode', 'useSession']);
      accountBrowser.cookies.set('__Host-session', 'garbage');
      await accountBrowser.openSignInPage(gptRequest);
      expect(storage.calls).toHaveLength(4);
    });

    it('works while storage is unavailable, but does not offer to continue', async () => {
      const memory = memoryStorage();
      let isUnavailable = false;
      const storage = {
        ...memory,
        useSession: (args: Parameters<typeof memory.useSession>[0]) =>
          isUnavailable ? Promise.reject(new StorageUnavailable('down')) : memory.useSession(args),
      };
      const { deployment } = deployWithRecheck(undefined, { storage });
      const { accountBrowser } = await openSignInPageWithSession(deployment);
      isUnavailable = true;
      const { response } = await accountBrowser.openSignInPage(gptRequest);
      expect(response.status).toBe(200);
      expect(readButtonValues(await response.text(), 'choice')).toEqual(['google', 'other']);
    });
  });

  describe('continuing', () => {
    it('rechecks at the provider first, and sends the client its code', async () => {
      const { deployment, recheck } = deployWithRecheck();
      const { accountBrowser, consent } = await openSignInPageWithSession(deployment);
      const response = await accountBrowser.submitConsent(consent, { choice: 'continue' });
      expect(recheck.count).toBe(1);
      const redirect = readRedirect(response);
      expect(redirect.href.startsWith(`${gptRedirect}?`)).toBe(true);
      expect(redirect.searchParams.get('state')).toBe(gptRequest.state);
      const tokens = await expectTokens(
        await requestTokens(deployment, buildGptCodeRequest(codeOf(response) ?? '')),
      );
      const protection = await deployment.broker.protect(
        new Request(`${deployment.issuer}/api`, {
          headers: { authorization: `Bearer ${tokens.access_token}` },
        }),
      );
      expect(protection).toMatchObject({
        user: { id: await deployment.storage.findUser({ provider: 'google', subject: 'ada' }) },
        client: { id: 'gpt' },
        scopes: ['words', 'score'],
      });
      expect(deployment.log).toContainEqual(expect.objectContaining({ event: 'signed-in', clientId: 'gpt' }));
    });

    it('is not possible after the account page, where users can sign out, was removed', async () => {
      const storage = memoryStorage();
      const original = await openSignInPageWithSession(deployWithRecheck(undefined, { storage }).deployment);
      expect(original.choices).toContain('continue');
      const { deployment, recheck } = deployWithRecheck(undefined, { storage }, { hasAccountPage: false });
      const browser = createAccountBrowser(deployment);
      for (const [name, value] of original.accountBrowser.cookies) browser.cookies.set(name, value);
      const { response } = await browser.openSignInPage(gptRequest);
      expect(readButtonValues(await response.text(), 'choice')).toEqual(['google', 'other']);
      const continuedResponse = await browser.submitConsent(original.consent, { choice: 'continue' });
      expect(continuedResponse.status).toBe(200);
      expect(readButtonValues(await continuedResponse.text(), 'choice')).toEqual(['google', 'other']);
      expect(recheck.count).toBe(0);
      expect(deployment.log.map(({ event }) => event)).not.toContain('signed-in');
    });

    it('rechecks only after the recheck interval', async () => {
      const { deployment, recheck } = deployWithRecheck();
      const { accountBrowser, consent } = await openSignInPageWithSession(deployment);
      for (let attempt = 0; attempt < 2; attempt++)
        expect(codeOf(await accountBrowser.submitConsent(consent, { choice: 'continue' }))).not.toBeNull();
      expect(recheck.count).toBe(1);
      deployment.advance(600);
      const { consent: secondConsent } = await accountBrowser.openSignInPage(gptRequest);
      await accountBrowser.submitConsent(secondConsent, { choice: 'continue' });
      expect(recheck.count).toBe(2);
    });

    it('fails and ends the session if the recheck finds that the upstream token was revoked', async () => {
      const { deployment } = deployWithRecheck({ kind: 'revoked' });
      const { accountBrowser, consent } = await openSignInPageWithSession(deployment);
      const response = await accountBrowser.submitConsent(consent, { choice: 'continue' });
      expect(response.status).toBe(200);
      const html = await response.text();
      expect(readButtonValues(html, 'choice')).toEqual(['google', 'other']);
      expect(html).toContain('role="status"');
      expect(accountBrowser.cookies.has('__Host-session')).toBe(false);
      expect((await accountBrowser.openAccountPage()).kind).toBe('sign-in');
    });

    it('requires a conclusive recheck: otherwise the user signs in again from the same page', async () => {
      const { deployment, recheck } = deployWithRecheck({ kind: 'unknown', reason: 'took too long' });
      const { accountBrowser, consent } = await openSignInPageWithSession(deployment);
      const firstHtml = await (await accountBrowser.submitConsent(consent, { choice: 'continue' })).text();
      expect(readButtonValues(firstHtml, 'choice')).toEqual(['google', 'other']);
      // The lease is still held: there is no second recheck, and the missing result is no confirmation.
      recheck.result = { kind: 'active' };
      const { consent: secondConsent } = await accountBrowser.openSignInPage(gptRequest);
      expect((await accountBrowser.submitConsent(secondConsent, { choice: 'continue' })).status).toBe(200);
      expect(recheck.count).toBe(1);
      const nextConsent = /name="consent" value="([^"]*)"/.exec(firstHtml)?.[1] ?? '';
      expect(readRedirect(await accountBrowser.submitConsent(nextConsent, { choice: 'google' })).origin).toBe(
        'https://google.example',
      );
      expect((await accountBrowser.openAccountPage()).kind).toBe('account');
    });

    it('calls resolveUser with the verified identity, and fails if it refuses', async () => {
      const resolveUserCalls: unknown[] = [];
      let isAllowed = true;
      const { deployment } = deployWithRecheck(undefined, {
        resolveUser: async (identity, client) => {
          resolveUserCalls.push([identity, client.id]);
          return isAllowed || client.id === 'account'
            ? { kind: 'accepted' }
            : { kind: 'refused', reason: 'left' };
        },
      });
      const { accountBrowser, consent } = await openSignInPageWithSession(deployment);
      await accountBrowser.submitConsent(consent, { choice: 'continue' });
      expect(resolveUserCalls.at(-1)).toEqual([
        expect.objectContaining({
          provider: 'google',
          subject: 'ada',
          label: 'ada@example.com',
          emailVerified: false,
          claims: { sub: 'ada' },
        }),
        'gpt',
      ]);
      isAllowed = false;
      expectErrorRedirect(await accountBrowser.submitConsent(consent, { choice: 'continue' }), {
        to: gptRedirect,
        state: gptRequest.state,
        error: 'access_denied',
        description: 'This account is not allowed to sign in here.',
      });
    });

    it('is not offered if the claims that resolveUser needs do not fit into the session cookie', async () => {
      const google: IdentityProvider = {
        ...createProvider('google', 'Google'),
        async handleCallback(...callbackArguments) {
          const identity = await createProvider('google', 'Google').handleCallback(...callbackArguments);
          return { ...identity, claims: { groups: 'x'.repeat(4000) } };
        },
      };
      const { choices } = await openSignInPageWithSession(deploy({ providers: [google] }));
      expect(choices).toEqual(['google']);
    });

    it('is refused if it was not offered', async () => {
      const { deployment } = deployWithRecheck();
      const accountBrowser = createAccountBrowser(deployment);
      const { consent } = await accountBrowser.openSignInPage(gptRequest);
      await accountBrowser.signInToAccount('ada', 'google', { refresh: 'r-1' });
      const response = await accountBrowser.submitConsent(consent, { choice: 'continue' });
      expect(response.status).toBe(200);
      expect(readButtonValues(await response.text(), 'choice')).toEqual(['google', 'other']);
    });

    it('is refused if the provider was removed while the page was open', async () => {
      const { deployment } = deployWithRecheck();
      const { accountBrowser, consent } = await openSignInPageWithSession(deployment);
      expect(codeOf(await accountBrowser.submitConsent(consent, { choice: 'continue' }))).not.toBeNull();
      const { storage } = deployment;
      const browserWithoutProvider = createAccountBrowser(
        deploy({ storage, providers: [createProvider('other', 'Other')] }),
      );
      for (const [name, value] of accountBrowser.cookies) browserWithoutProvider.cookies.set(name, value);
      const response = await browserWithoutProvider.submitConsent(consent, { choice: 'continue' });
      expect(response.status).toBe(200);
      expect(readButtonValues(await response.text(), 'choice')).toEqual(['other']);
      const { response: page } = await browserWithoutProvider.openSignInPage(gptRequest);
      expect(readButtonValues(await page.text(), 'choice')).toEqual(['other']);
    });

    it('does not restore a user who was deleted during the recheck', async () => {
      const storage = memoryStorage();
      const google: IdentityProvider = {
        ...createProvider('google', 'Google'),
        async validateRefreshToken() {
          const userId = (await storage.findUser({ provider: 'google', subject: 'ada' })) ?? '';
          await storage.deleteUser({ userId, actor: 'user', now: deployment.now() });
          return { kind: 'active' };
        },
      };
      const deployment = deploy({ storage, providers: [google, createProvider('other', 'Other')] });
      const { accountBrowser, consent } = await openSignInPageWithSession(deployment);
      const response = await accountBrowser.submitConsent(consent, { choice: 'continue' });
      expect(response.status).toBe(200);
      expect(readButtonValues(await response.text(), 'choice')).toEqual(['google', 'other']);
      expect(await storage.findUser({ provider: 'google', subject: 'ada' })).toBeUndefined();
    });

    it('passes the email address to resolveUser, and the provider’s session ID to storage', async () => {
      const google: IdentityProvider = {
        ...createProvider('google', 'Google'),
        async handleCallback(...callbackArguments) {
          const identity = await createProvider('google', 'Google').handleCallback(...callbackArguments);
          return { ...identity, email: 'ada@example.com', emailVerified: true, sid: 'sid-1' };
        },
      };
      const storage = memoryStorage();
      const [accepted, recorded]: [unknown[], unknown[]] = [[], []];
      const deployment = deploy({
        providers: [google],
        storage: {
          ...storage,
          recordSignIn: async (signIn) => {
            recorded.push(signIn.grant);
            return storage.recordSignIn(signIn);
          },
        },
        resolveUser: async (identity) => {
          accepted.push(identity);
          return { kind: 'accepted' };
        },
      });
      const { accountBrowser, consent } = await openSignInPageWithSession(deployment);
      expect(codeOf(await accountBrowser.submitConsent(consent, { choice: 'continue' }))).not.toBeNull();
      const expectedIdentity = { email: 'ada@example.com', emailVerified: true, sid: 'sid-1' };
      expect(accepted).toEqual([
        expect.objectContaining(expectedIdentity),
        expect.objectContaining(expectedIdentity),
      ]);
      expect(recorded.at(-1)).toMatchObject({ clientId: 'gpt', sid: 'sid-1' });
    });

    it('can be canceled like any sign-in', async () => {
      const { deployment, recheck } = deployWithRecheck();
      const { accountBrowser, consent } = await openSignInPageWithSession(deployment);
      expectErrorRedirect(await accountBrowser.submitConsent(consent, { choice: 'continue', cancel: '1' }), {
        to: gptRedirect,
        state: gptRequest.state,
        error: 'access_denied',
        description: 'The sign-in was canceled.',
      });
      expect(recheck.count).toBe(0);
    });
  });
});
