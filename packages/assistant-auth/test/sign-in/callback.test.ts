/** The callback from a provider, by query and by form post. */
import { describe, expect, it, vi } from 'vitest';
import type { BrokerOptions, IdentityProvider, ResolveUser, SignIn } from '../../src/index.ts';
import { parseKeyRing } from '../../src/seal/key-ring.ts';
import { memoryStorage } from '../../src/storage/memory.ts';
import { createSealers } from '../../src/tokens/sealers.ts';
import {
  appRequest,
  callApi,
  challenge,
  createTestBrowser,
  expectTokens,
  gptRequest,
  readRedirect,
} from '../browser.ts';
import { gpt, obtainTokens, redeem, refresh } from '../clients.ts';
import { clients, deploy, gptRedirect, issuer, keys } from '../deployment.ts';
import {
  expectCompletedPage,
  expectCookiesPage,
  expectErrorPage,
  gptDestination,
  missingTransactionMessage,
} from '../expect-error.ts';
import { createProvider } from '../fake-provider.ts';
import {
  buildCookieHeader,
  continueToProvider,
  listCompletionCookies,
  listTransactionCookies,
} from '../flows.ts';
import { createSpyProvider } from '../spy-provider.ts';
import { createSpyStorage } from '../spy-storage.ts';

describe('a callback by query', () => {
  const sealers = createSealers(parseKeyRing(keys), issuer, [], (length) => new Uint8Array(length));

  /** Storage that also collects the sign-ins that it records. */
  const createRecordingStorage = () => {
    const signIns: SignIn[] = [];
    const storage = memoryStorage();
    return {
      signIns,
      storage: {
        ...storage,
        recordSignIn: (signIn: SignIn) => {
          signIns.push(signIn);
          return storage.recordSignIn(signIn);
        },
      },
    };
  };

  describe('coming back from the provider', () => {
    it('records the sign-in, ends the login transaction and sends the client its code', async () => {
      const storage = createSpyStorage();
      const { deployment, browser, returnFromProvider } = await continueToProvider(deploy({ storage }));
      const response = await returnFromProvider({ code: 'ada' });
      const location = readRedirect(response);
      expect(response.status).toBe(303);
      expect(location.origin + location.pathname).toBe(gptRedirect);
      expect([...location.searchParams]).toEqual([
        ['code', expect.stringMatching(/^[\w-]+$/)],
        ['state', gptRequest.state],
        ['iss', issuer],
      ]);
      expect(response.headers.getSetCookie()).toEqual([
        expect.stringMatching(/^__Host-tx-[\w-]{8}=; Path=\/; Secure; HttpOnly; SameSite=Lax; Max-Age=0$/),
        expect.stringMatching(
          /^__Host-done-[\w-]{8}=[\w-]+; Path=\/; Secure; HttpOnly; SameSite=Lax; Max-Age=600$/,
        ),
        '__Host-provider=google; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=31536000',
      ]);
      expect(listTransactionCookies(browser.cookies)).toEqual([]);
      const [completionCookie = ''] = listCompletionCookies(browser.cookies);
      expect(await sealers.completion.open(browser.cookies.get(completionCookie) ?? '')).toMatchObject({
        kind: 'opened',
        value: {
          provider: 'google',
          purpose: { kind: 'authorize', clientId: 'gpt', redirectUri: gptRedirect },
        },
      });
      expect(storage.calls).toEqual(['readGrantStatus', 'recordSignIn']);
      expect(deployment.log.at(-1)).toEqual({
        event: 'signed-in',
        endpoint: 'callback',
        requestId: expect.stringMatching(/^[\w-]{22}$/),
        clientId: 'gpt',
        provider: 'google',
        redirectUri: gptRedirect,
      });
    });

    it('seals into the code what the token endpoint must compare, for a minute', async () => {
      const { deployment, returnFromProvider } = await continueToProvider(deploy(), {
        ...appRequest,
        resource: `${issuer}/other`,
      });
      const code = readRedirect(await returnFromProvider({ code: 'ada' })).searchParams.get('code') ?? '';
      expect(await sealers.code.open(code)).toEqual({
        kind: 'opened',
        value: {
          grantId: expect.stringMatching(/^[\w-]{22}$/),
          clientId: 'app',
          redirectUri: 'https://app.example/callback',
          resource: `${issuer}/other`,
          codeChallenge: challenge,
          expiresAt: deployment.now() + 60,
        },
      });
    });

    it('redeems the provider’s code with the values of the login transaction', async () => {
      const provider = createSpyProvider();
      const { returnFromProvider } = await continueToProvider(deploy({ providers: [provider] }));
      await returnFromProvider({ code: 'ada' });
      expect(provider.tokenRequests).toEqual(provider.authorizationRequests);
    });

    describe('of a provider that a publisher wrote', () => {
      const signInWith = async (identity: object, changes: Partial<BrokerOptions> = {}) => {
        const storage = memoryStorage();
        const provider = createProvider('google', 'Google');
        const handleCallback: IdentityProvider['handleCallback'] = async (...args) => ({
          ...(await provider.handleCallback(...args)),
          ...identity,
        });
        const deployment = deploy({ storage, providers: [{ ...provider, handleCallback }], ...changes });
        const { returnFromProvider } = await continueToProvider(deployment, gptRequest, 'google');
        return { storage, deployment, redirect: readRedirect(await returnFromProvider({ code: 'ada' })) };
      };

      it.each([undefined, null, '', 7, ['ada'], 'a'.repeat(256), '\ud800'])(
        'is refused with the subject %j',
        async (subject) => {
          const { deployment, redirect } = await signInWith({ subject });
          expect(redirect.searchParams.get('error')).toBe('server_error');
          expect(deployment.log.at(-1)).toMatchObject({ event: 'refused', reason: 'provider.invalid' });
        },
      );

      it.each([' ', '\u00A0', '\u200B', '', 7, null, 'x'.repeat(321)])(
        'has neither a label nor an email address if they are %j',
        async (text) => {
          const resolveUser = vi.fn<ResolveUser>(async () => ({ kind: 'accepted' }));
          const identity = { label: text, email: text, emailVerified: true };
          const { storage, redirect } = await signInWith(identity, { resolveUser });
          expect(redirect.searchParams.has('code')).toBe(true);
          expect(resolveUser.mock.lastCall?.[0]).toEqual({
            provider: 'google',
            subject: 'ada',
            emailVerified: false,
            claims: { sub: 'ada' },
          });
          const userId = (await storage.findUser({ provider: 'google', subject: 'ada' })) ?? '';
          const [stored] = (await storage.readAccount(userId))?.identities ?? [];
          expect(stored).toMatchObject({ subject: 'ada' });
          expect(stored?.label).toBeUndefined();
        },
      );

      it('belongs to that provider, whatever the provider returns', async () => {
        const { storage, redirect } = await signInWith({ provider: 'other' });
        expect(redirect.searchParams.has('code')).toBe(true);
        expect(await storage.findUser({ provider: 'other', subject: 'ada' })).toBeUndefined();
        expect(await storage.findUser({ provider: 'google', subject: 'ada' })).toBeDefined();
      });
    });

    it('finds the same user for the same subject, and another user for another provider', async () => {
      const deployment = deploy();
      const userOf = async (provider: string, subject: string) => {
        const { returnFromProvider } = await continueToProvider(deployment, gptRequest, provider);
        const code = readRedirect(await returnFromProvider({ code: subject })).searchParams.get('code') ?? '';
        const tokens = await expectTokens(await redeem(deployment, gpt, code));
        const protection = await callApi(deployment, tokens.access_token);
        return protection.ok ? protection.user.id : undefined;
      };
      const ada = await userOf('google', 'ada');
      expect(ada).toMatch(/^[\w-]{22}$/);
      expect(await userOf('google', 'ada')).toBe(ada);
      expect(new Set([ada, await userOf('google', 'bob'), await userOf('other', 'ada')]).size).toBe(3);
    });
  });

  describe('resolveUser', () => {
    it('can refuse a user: nothing is stored, and the client gets access_denied', async () => {
      const storage = createSpyStorage();
      const resolveUser = async () => ({ kind: 'refused', reason: 'hd is not example.org' }) as const;
      const { deployment, returnFromProvider } = await continueToProvider(deploy({ storage, resolveUser }));
      const location = readRedirect(await returnFromProvider({ code: 'ada' }));
      expect(Object.fromEntries(location.searchParams)).toEqual({
        error: 'access_denied',
        error_description: 'This account is not allowed to sign in here.',
        state: gptRequest.state,
        iss: issuer,
      });
      expect(storage.calls).toEqual(['readGrantStatus']);
      expect(deployment.log.at(-1)).toMatchObject({
        reason: 'resolve-user.refused',
        cause: 'hd is not example.org',
      });
    });

    it('can return a user ID and claims, which the guard returns, even after a refresh', async () => {
      const claims = { plan: 'pro', seats: 3, beta: false };
      const deployment = deploy({
        resolveUser: async () => ({ kind: 'accepted', userId: 'their-42', claims }),
      });
      const first = await obtainTokens(deployment, gpt);
      const refreshed = await expectTokens(await refresh(deployment, gpt, first.refresh_token));
      for (const token of [first.access_token, refreshed.access_token])
        expect(await callApi(deployment, token)).toMatchObject({
          ok: true,
          user: { id: 'their-42' },
          claims,
        });
    });

    it('that returns too many claims is a server_error, and nothing is stored', async () => {
      const storage = createSpyStorage();
      const resolveUser = async () => ({ kind: 'accepted', claims: { much: 'x'.repeat(600) } }) as const;
      const { returnFromProvider } = await continueToProvider(deploy({ storage, resolveUser }));
      expect(readRedirect(await returnFromProvider({ code: 'ada' })).searchParams.get('error')).toBe(
        'server_error',
      );
      expect(storage.calls).toEqual(['readGrantStatus']);
    });

    it('gets the client of the request', async () => {
      const resolveUserCalls: string[] = [];
      const { returnFromProvider } = await continueToProvider(
        deploy({
          resolveUser: async (identity, client) => {
            resolveUserCalls.push(`${identity.provider} ${identity.subject} ${client.id}`);
            return { kind: 'accepted' };
          },
        }),
      );
      await returnFromProvider({ code: 'ada' });
      expect(resolveUserCalls).toEqual(['google ada gpt']);
    });
  });

  it('stores the provider’s refresh token sealed, bound to its row', async () => {
    const { signIns, storage } = createRecordingStorage();
    const { returnFromProvider } = await continueToProvider(deploy({ storage }));
    await returnFromProvider({ code: 'ada', refresh: 'provider-secret-1' });
    const [{ identity } = { identity: undefined }] = signIns;
    expect(JSON.stringify(signIns)).not.toContain('provider-secret-1');
    const sealed = identity?.sealedRefreshToken ?? '';
    const toBytes = (text: string) => Uint8Array.from(new TextEncoder().encode(text));
    expect(await sealers.upstreamToken.open(sealed, toBytes('google\0ada'))).toEqual({
      kind: 'opened',
      value: toBytes('provider-secret-1'),
    });
    expect((await sealers.upstreamToken.open(sealed, toBytes('google\0bob'))).kind).toBe('failed');
  });

  describe('an invalid callback URL', () => {
    it.each([
      '/callback/nobody',
      '/callback/',
      '/callback/google/',
      '/callback/google/more',
      '/callback/Google',
      '/callback/goo%67le',
      '/callback//google',
      '/callback/__proto__',
    ])('shows an error page: %s', async (path) => {
      const { deployment, browser, returnFromProvider } = await continueToProvider();
      const response = await returnFromProvider({ code: 'ada' }, path);
      await expectErrorPage(response, deployment, 'This sign-in method does not exist.', 404);
      expect(browser.cookies.size).toBe(2);
    });

    it('shows an error page if the state is repeated', async () => {
      const { deployment, browser, state } = await continueToProvider();
      const response = await browser.visit(
        `${issuer}/callback/google?code=ada&state=${state}&state=${state}`,
      );
      await expectErrorPage(response, deployment, 'A parameter was sent more than once.');
    });
  });

  describe('a login transaction after a change of the configuration', () => {
    const [gptClient, ...others] = clients;

    it.each([
      ['the client was removed', others, 'The app that sent you here is not registered with us.'],
      [
        'the redirect URI was removed',
        [{ ...gptClient, redirects: [{ kind: 'gpt', gptIds: ['g-another'] } as const] }],
        'The redirect URI is not registered for this app.',
      ],
    ])('ends on a page without a request to the provider: %s', async (_, remainingClients, message) => {
      const { browser, callbackUrl } = await continueToProvider();
      const cookie = buildCookieHeader(browser.cookies);
      const provider = createSpyProvider();
      const changedDeployment = deploy({ clients: remainingClients, providers: [provider] });
      const response = await createTestBrowser(changedDeployment, { cookie }).visit(
        callbackUrl({ code: 'ada' }),
      );
      await expectErrorPage(response, changedDeployment, message);
      expect(provider.tokenRequests).toEqual([]);
    });

    it('ends on a page if the provider was removed', async () => {
      const { browser, callbackUrl } = await continueToProvider();
      const cookie = buildCookieHeader(browser.cookies);
      const changedDeployment = deploy({ providers: [createProvider('other', 'Other')] });
      const response = await createTestBrowser(changedDeployment, { cookie }).visit(
        callbackUrl({ code: 'ada' }),
      );
      await expectErrorPage(response, changedDeployment, 'This sign-in method does not exist.', 404);
    });
  });

  it('completes a login transaction after a new key is added, until its key is removed', async () => {
    const { browser, callbackUrl } = await continueToProvider();
    const cookie = buildCookieHeader(browser.cookies);
    const newKey = 'test-2.kOGm3x_6VEKfHIHYUW1uecf9by3yQV86t5SzTcgOQHQ';
    const url = callbackUrl({ code: 'ada' });
    const rotatedDeployment = deploy({ sealingKeys: `${newKey} ${keys}` });
    expect(
      readRedirect(await createTestBrowser(rotatedDeployment, { cookie }).visit(url)).searchParams.has(
        'code',
      ),
    ).toBe(true);
    const deploymentWithoutOldKey = deploy({ sealingKeys: newKey });
    await expectErrorPage(
      await createTestBrowser(deploymentWithoutOldKey, { cookie }).visit(url),
      deploymentWithoutOldKey,
      missingTransactionMessage,
    );
    expect(deploymentWithoutOldKey.log.at(-1)).toMatchObject({
      reason: 'transaction.unreadable',
      cause: 'unknown-key',
    });
  });

  it('returns a server_error without details if a provider fails unexpectedly', async () => {
    const failingProvider: IdentityProvider = {
      ...createProvider('google', 'Google'),
      handleCallback: () => Promise.reject(new Error('client_secret=hunter2')),
    };
    const { returnFromProvider } = await continueToProvider(deploy({ providers: [failingProvider] }));
    const response = await returnFromProvider({ code: 'ada' });
    expect(readRedirect(response).searchParams.get('error')).toBe('server_error');
    expect(JSON.stringify([...response.headers])).not.toContain('hunter2');
  });
});

describe('a callback by form post', () => {
  const callback = `${issuer}/callback/apple`;

  /** Two providers with form_post and one with query, and the callback URLs that they received. */
  const deployWithFormPost = () => {
    const callbackUrls: string[] = [];
    const createFormPostProvider = (id: string) => {
      const provider = createProvider(id, id);
      return {
        ...provider,
        responseMode: 'form_post' as const,
        handleCallback: (
          ...[callbackUrl, upstreamRequest, io]: Parameters<typeof provider.handleCallback>
        ) => {
          callbackUrls.push(callbackUrl.href);
          return provider.handleCallback(callbackUrl, upstreamRequest, io);
        },
      };
    };
    const storage = createSpyStorage();
    const providers = [
      createFormPostProvider('apple'),
      createFormPostProvider('pear'),
      createProvider('google', 'Google'),
    ];
    return { callbackUrls, storage, deployment: deploy({ providers, storage }) };
  };

  /** A cross-site form post from the provider's page, which carries no cookies. */
  const post = (deployment: ReturnType<typeof deploy>, body: BodyInit, url = callback, headers = {}) =>
    deployment.fetch(
      new Request(url, {
        method: 'POST',
        headers: { origin: 'https://apple.example', 'sec-fetch-site': 'cross-site', ...headers },
        body,
      }),
    );

  const continueToApple = async () => {
    const { callbackUrls, storage, deployment } = deployWithFormPost();
    const { browser, state } = await continueToProvider(deployment, gptRequest, 'apple');
    const buildProviderResponse = (parameters: Readonly<Record<string, string>> = { code: 'ada' }) =>
      new URLSearchParams({ state, ...parameters });
    return { callbackUrls, storage, deployment, browser, state, buildProviderResponse };
  };

  /** Checks that the response is an error page, and that no sign-in took place. */
  const expectNoIdentity = async (
    { callbackUrls, storage, deployment }: ReturnType<typeof deployWithFormPost>,
    response: Response,
    reason: string,
  ) => {
    if (reason === 'transaction.no-cookies') await expectCookiesPage(response, deployment, 'callback');
    else
      await expectErrorPage(
        response,
        deployment,
        reason === 'transaction.missing' ? missingTransactionMessage : missingTransactionMessage,
      );
    expect(deployment.log.at(-1)).toMatchObject({ event: 'refused', reason });
    expect(callbackUrls).toEqual([]);
    expect(storage.calls).toEqual([]);
  };

  describe('the posted response', () => {
    it('is redirected to the same path, sealed, and sets no cookie', async () => {
      const { deployment, buildProviderResponse, callbackUrls, storage } = await continueToApple();
      const response = await post(deployment, buildProviderResponse({ code: 'ada', user: '{"name":{}}' }));
      const location = readRedirect(response);
      expect(response.status).toBe(303);
      expect(location.origin + location.pathname).toBe(callback);
      expect([...location.searchParams]).toEqual([['form_post', expect.stringMatching(/^[\w-]{100,}$/)]]);
      expect(Object.fromEntries(response.headers)).toEqual({
        'cache-control': 'no-store',
        location: location.href,
        'referrer-policy': 'no-referrer',
        'x-content-type-options': 'nosniff',
      });
      expect(callbackUrls).toEqual([]);
      expect(storage.calls).toEqual([]);
    });

    it('signs in after the redirect, as a response in the query does', async () => {
      const { deployment, browser, buildProviderResponse, callbackUrls, storage } = await continueToApple();
      const formPostUrl = readRedirect(
        await post(deployment, buildProviderResponse({ code: 'ada', user: '{"n":"ä b"}' })),
      );
      const redirect = readRedirect(await browser.visit(formPostUrl.href));
      expect(redirect.origin + redirect.pathname).toBe(gptRedirect);
      expect([...redirect.searchParams.keys()]).toEqual(['code', 'state', 'iss']);
      expect(callbackUrls).toEqual([
        `${callback}?${buildProviderResponse({ code: 'ada', user: '{"n":"ä b"}' })}`,
      ]);
      expect(storage.calls).toEqual(['readGrantStatus', 'recordSignIn']);
      expect(listTransactionCookies(browser.cookies)).toEqual([]);
    });

    it('can be an error', async () => {
      const { deployment, browser, buildProviderResponse } = await continueToApple();
      const formPostUrl = readRedirect(
        await post(deployment, buildProviderResponse({ error: 'access_denied' })),
      );
      const { searchParams } = readRedirect(await browser.visit(formPostUrl.href));
      expect(Object.fromEntries(searchParams)).toEqual({
        error: 'access_denied',
        error_description: 'The sign-in was denied or canceled at the provider.',
        state: gptRequest.state,
        iss: issuer,
      });
    });

    it.each([
      ['as JSON', '{}', { 'content-type': 'application/json' }, 'request.content-type', 400],
      [
        'of more than 16 KiB',
        new URLSearchParams({ state: 's', x: 'x'.repeat(16_400) }),
        {},
        'request.too-large',
        413,
      ],
      [
        'too long for a URL',
        new URLSearchParams({ state: 's', x: 'x'.repeat(3_100) }),
        {},
        'request.too-large',
        413,
      ],
      ['without a state', new URLSearchParams({ code: 'ada' }), {}, 'transaction.missing', 400],
      ['with two states', new URLSearchParams('state=a&state=b'), {}, 'parameter.repeated', 400],
    ])('is refused on a page: %s', async (_, body, headers, reason, status) => {
      const { deployment, callbackUrls } = deployWithFormPost();
      const response = await post(deployment, body, callback, headers);
      expect(response.status).toBe(status);
      expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
      expect(response.headers.getSetCookie()).toEqual([]);
      expect(deployment.log.at(-1)).toMatchObject({ event: 'refused', reason });
      expect(callbackUrls).toEqual([]);
    });

    it('fits into the redirect with everything that a real provider sends', async () => {
      const { deployment, buildProviderResponse } = await continueToApple();
      const user = JSON.stringify({ name: { firstName: 'Ä'.repeat(60), lastName: 'ß'.repeat(60) } });
      expect((await post(deployment, buildProviderResponse({ code: 'c'.repeat(512), user }))).status).toBe(
        303,
      );
    });
  });

  describe('the redirected response', () => {
    it('B6.2 posted answer: is refused in a browser that did not start the login transaction', async () => {
      const system = await continueToApple();
      const formPostUrl = readRedirect(await post(system.deployment, system.buildProviderResponse()));
      const victim = createTestBrowser(system.deployment);
      await expectNoIdentity(system, await victim.visit(formPostUrl.href), 'transaction.no-cookies');
      expect(listTransactionCookies(system.browser.cookies)).toHaveLength(1);
    });

    it('B6.2 posted answer: cannot be used twice', async () => {
      const { deployment, browser, buildProviderResponse, storage } = await continueToApple();
      const cookie = buildCookieHeader(browser.cookies);
      const formPostUrl = readRedirect(await post(deployment, buildProviderResponse()));
      await browser.visit(formPostUrl.href);
      await expectCompletedPage(await browser.visit(formPostUrl.href), 'signed-in', gptDestination);
      const response = await createTestBrowser(deployment, { cookie }).visit(formPostUrl.href);
      expect(response.status).toBe(400);
      expect(deployment.log.at(-1)).toMatchObject({ reason: 'transaction.replayed' });
      expect(storage.calls).toEqual([
        'readGrantStatus',
        'recordSignIn',
        'readGrantStatus',
        'readGrantStatus',
        'readGrantStatus',
      ]);
    });

    it('B6.3 moved from body to query: is refused, and the login transaction stays valid', async () => {
      const system = await continueToApple();
      await expectNoIdentity(
        system,
        await system.browser.visit(`${callback}?${system.buildProviderResponse()}`),
        'form-post.missing',
      );
      expect(listTransactionCookies(system.browser.cookies)).toHaveLength(1);
    });

    it('B6.3 moved from body to query: plain parameters in addition to the sealed ones are ignored', async () => {
      const { deployment, browser, buildProviderResponse, callbackUrls } = await continueToApple();
      const formPostUrl = readRedirect(await post(deployment, buildProviderResponse()));
      await browser.visit(`${formPostUrl.href}&code=mallory&state=x&user=y`);
      expect(callbackUrls).toEqual([`${callback}?${buildProviderResponse()}`]);
    });

    it('B6.3 moved from query to body: is refused for a provider that responds in the query', async () => {
      const { deployment } = deployWithFormPost();
      const { state, browser } = await continueToProvider(deployment, gptRequest, 'google');
      const body = new URLSearchParams({ state, code: 'ada' });
      const response = await post(deployment, body, `${issuer}/callback/google`);
      expect(response.headers.get('allow')).toBe('GET');
      response.headers.delete('allow');
      await expectErrorPage(response, deployment, 'Method not allowed.', 405);
      expect(listTransactionCookies(browser.cookies)).toHaveLength(1);
    });

    it('B5.2 posted answer: is refused at another provider’s callback', async () => {
      const system = await continueToApple();
      const formPostUrl = readRedirect(await post(system.deployment, system.buildProviderResponse()));
      const otherUrl = formPostUrl.href.replace('/callback/apple', '/callback/pear');
      await expectNoIdentity(system, await system.browser.visit(otherUrl), 'form-post.provider');
    });

    it('B5.2 posted answer: is ignored at a provider that responds in the query', async () => {
      const system = await continueToApple();
      const formPostUrl = readRedirect(await post(system.deployment, system.buildProviderResponse()));
      const otherUrl = formPostUrl.href.replace('/callback/apple', '/callback/google');
      await expectNoIdentity(system, await system.browser.visit(otherUrl), 'transaction.missing');
    });

    it('is valid for less than a minute', async () => {
      const system = await continueToApple();
      const formPostUrl = readRedirect(await post(system.deployment, system.buildProviderResponse()));
      system.deployment.advance(60);
      await expectNoIdentity(system, await system.browser.visit(formPostUrl.href), 'form-post.expired');
    });

    it.each([
      ['changed', (sealed: string) => `${sealed.slice(0, -2)}${sealed.endsWith('AA') ? 'BA' : 'AA'}`],
      ['cut', (sealed: string) => sealed.slice(0, 40)],
      ['not sealed', () => 'AAAA'],
    ])('is refused if it is %s', async (_, change) => {
      const system = await continueToApple();
      const formPostUrl = readRedirect(await post(system.deployment, system.buildProviderResponse()));
      formPostUrl.searchParams.set('form_post', change(formPostUrl.searchParams.get('form_post') ?? ''));
      await expectNoIdentity(system, await system.browser.visit(formPostUrl.href), 'form-post.unreadable');
    });

    it('is refused if it is sealed text of another type', async () => {
      const system = await continueToApple();
      const [transaction = ''] = listTransactionCookies(system.browser.cookies).map((name) =>
        system.browser.cookies.get(name),
      );
      const response = await system.browser.visit(`${callback}?form_post=${transaction}`);
      await expectNoIdentity(system, response, 'form-post.unreadable');
    });

    it('is refused if it is repeated', async () => {
      const { deployment, browser, buildProviderResponse, callbackUrls } = await continueToApple();
      const formPostUrl = readRedirect(await post(deployment, buildProviderResponse()));
      const repeatedUrl = `${formPostUrl.href}&${formPostUrl.searchParams}`;
      await expectErrorPage(
        await browser.visit(repeatedUrl),
        deployment,
        'A parameter was sent more than once.',
      );
      expect(callbackUrls).toEqual([]);
    });
  });
});
