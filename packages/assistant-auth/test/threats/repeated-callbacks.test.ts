/** The same callback more than once: reloaded, delivered twice, or twice at the same moment. */
import { describe, expect, it } from 'vitest';
import {
  type BrokerStorage,
  type IdentityProvider,
  ProviderError,
  StorageUnavailable,
  staticClient,
} from '../../src/index.ts';
import { memoryStorage } from '../../src/storage/memory.ts';
import { type AccountBrowser, createAccountBrowser, readHiddenField } from '../account-browser.ts';
import { appRequest, gptRequest, readRedirect } from '../browser.ts';
import { gpt, redeem, refresh } from '../clients.ts';
import { clients, deploy, issuer, keys } from '../deployment.ts';
import {
  accountDestination,
  expectCompletedPage,
  expectErrorPage,
  expectErrorRedirect,
  expectTransactionEnded,
  gptDestination,
} from '../expect-error.ts';
import { createProvider } from '../fake-provider.ts';
import {
  buildCookieHeader,
  continueToProvider,
  listCompletionCookies,
  listTransactionCookies,
} from '../flows.ts';
import { deployWithSingleUseProvider, readCode, repeatRequest } from '../repeated-callback.ts';
import { createSpyStorage } from '../spy-storage.ts';

type Query = Readonly<Record<string, string>>;

describe('the callback of a client’s sign-in', () => {
  it('B22.1 reload: shows that the user is signed in, without a request to the provider', async () => {
    const { receivedCodes, storage, deployment } = deployWithSingleUseProvider();
    const { browser, returnFromProvider } = await continueToProvider(deployment);
    const code = readCode(await returnFromProvider({ code: 'ada' }));
    const before = new Map(browser.cookies);
    for (let attempt = 0; attempt < 3; attempt++) {
      await expectCompletedPage(await returnFromProvider({ code: 'ada' }), 'signed-in', gptDestination);
      expect(deployment.log.at(-1)).toMatchObject({ endpoint: 'callback', reason: 'transaction.replayed' });
    }
    expect(receivedCodes).toHaveLength(1);
    expect(storage.calls.filter((name) => name === 'recordSignIn')).toHaveLength(1);
    expect(browser.cookies).toEqual(before);
    expect((await redeem(deployment, gpt, code)).status).toBe(200);
    await expectCompletedPage(await returnFromProvider({ code: 'ada' }), 'signed-in', gptDestination);
  });

  it.each<[string, Query]>([
    ['the same response', { code: 'ada' }],
    ['the response for another user', { code: 'eve' }],
    ['access_denied', { error: 'access_denied' }],
    ['temporarily_unavailable', { error: 'temporarily_unavailable' }],
    ['no code and no error', {}],
  ])('B22.1 reload: %s with the same state does not redirect to the client', async (_, providerResponse) => {
    const { receivedCodes, deployment } = deployWithSingleUseProvider();
    const { returnFromProvider } = await continueToProvider(deployment);
    await returnFromProvider({ code: 'ada' });
    await expectCompletedPage(await returnFromProvider(providerResponse), 'signed-in', gptDestination);
    expect(receivedCodes).toHaveLength(1);
  });

  it('B22.1 reload: is recognized until the login transaction would have expired', async () => {
    const { deployment } = deployWithSingleUseProvider();
    const { returnFromProvider } = await continueToProvider(deployment);
    await returnFromProvider({ code: 'ada' });
    deployment.advance(599);
    await expectCompletedPage(await returnFromProvider({ code: 'ada' }), 'signed-in', gptDestination);
    deployment.advance(1);
    expect((await returnFromProvider({ code: 'ada' })).status).toBe(400);
    expect(deployment.log.at(-1)).toMatchObject({ reason: 'transaction.expired' });
  });

  it('B22.1 reload: the newest three of several sign-ins are recognized', async () => {
    const { deployment } = deployWithSingleUseProvider();
    const { browser, callbackUrl } = await continueToProvider(deployment);
    const urls = [callbackUrl({ code: 'ada' })];
    await browser.visit(urls[0] ?? '');
    for (let attempt = 1; attempt < 5; attempt++) {
      const { consent } = await browser.openSignInPage(gptRequest);
      const authorizationUrl = readRedirect(await browser.submitConsent(consent, { choice: 'google' }));
      const state = authorizationUrl.searchParams.get('state') ?? '';
      urls.push(`${issuer}/callback/google?${new URLSearchParams({ state, code: 'ada' })}`);
      await browser.visit(urls.at(-1) ?? '');
    }
    expect(listTransactionCookies(browser.cookies)).toEqual([]);
    expect(listCompletionCookies(browser.cookies)).toHaveLength(3);
    for (const url of urls.slice(-3))
      await expectCompletedPage(await browser.visit(url), 'signed-in', gptDestination);
  });

  it('B22.2 delivered twice: before the first response reached the browser', async () => {
    const { receivedCodes, storage, deployment } = deployWithSingleUseProvider();
    const { browser, callbackUrl } = await continueToProvider(deployment);
    const repeatCallback = repeatRequest(
      deployment,
      callbackUrl({ code: 'ada' }),
      buildCookieHeader(browser.cookies),
    );
    expect(readCode(await repeatCallback())).not.toBe('');
    await expectCompletedPage(await repeatCallback(), 'signed-in', gptDestination);
    expect(receivedCodes).toHaveLength(1);
    expect(storage.calls).toEqual(['readGrantStatus', 'recordSignIn', 'readGrantStatus', 'readGrantStatus']);
  });

  it('B22.2 delivered twice: to another process', async () => {
    const { provider, receivedCodes, storage, deployment } = deployWithSingleUseProvider();
    const otherDeployment = deploy({ providers: [provider], storage });
    const { browser, callbackUrl } = await continueToProvider(deployment);
    const cookie = buildCookieHeader(browser.cookies);
    expect(readCode(await repeatRequest(deployment, callbackUrl({ code: 'ada' }), cookie)())).not.toBe('');
    await expectCompletedPage(
      await repeatRequest(otherDeployment, callbackUrl({ code: 'ada' }), cookie)(),
      'signed-in',
      gptDestination,
    );
    expect(receivedCodes).toHaveLength(1);
  });

  it('B22.3 at the same moment: one of ten callbacks gets a code, and no other reaches the client', async () => {
    const { receivedCodes, deployment } = deployWithSingleUseProvider();
    const { browser, callbackUrl } = await continueToProvider(deployment);
    const repeatCallback = repeatRequest(
      deployment,
      callbackUrl({ code: 'ada' }),
      buildCookieHeader(browser.cookies),
    );
    const responses = await Promise.all(Array.from({ length: 10 }, repeatCallback));
    const [redirect, ...others] = responses.toSorted((first, second) => first.status - second.status);
    if (redirect === undefined) throw new Error('no response');
    expect((await redeem(deployment, gpt, readCode(redirect))).status).toBe(200);
    for (const response of others) await expectCompletedPage(response, 'signed-in', gptDestination);
    expect(receivedCodes).toHaveLength(1);
  });

  it('B22.3 at the same moment: in two processes, if the second finds the provider’s code used', async () => {
    const storage = createSpyStorage();
    const { promise: recorded, resolve } = Promise.withResolvers<void>();
    const baseProvider = createProvider('google', 'Google');
    const lateProvider: IdentityProvider = {
      ...baseProvider,
      async handleCallback() {
        await recorded;
        throw new ProviderError('invalid', 'invalid_grant');
      },
    };
    const firstDeployment = deploy({ providers: [baseProvider], storage });
    const secondDeployment = deploy({ providers: [lateProvider], storage });
    const { browser, callbackUrl } = await continueToProvider(firstDeployment);
    const cookie = buildCookieHeader(browser.cookies);
    const second = repeatRequest(secondDeployment, callbackUrl({ code: 'ada' }), cookie)();
    expect(readCode(await repeatRequest(firstDeployment, callbackUrl({ code: 'ada' }), cookie)())).not.toBe(
      '',
    );
    resolve();
    await expectCompletedPage(await second, 'signed-in', gptDestination);
    expect(storage.calls.filter((name) => name === 'recordSignIn')).toHaveLength(1);
  });

  it('B22.3 at the same moment: in two processes, if the provider accepts its code twice', async () => {
    const storage = createSpyStorage();
    const provider = createProvider('google', 'Google');
    const [firstDeployment, secondDeployment] = [
      deploy({ providers: [provider], storage }),
      deploy({ providers: [provider], storage }),
    ];
    const { browser, callbackUrl } = await continueToProvider(firstDeployment);
    const cookie = buildCookieHeader(browser.cookies);
    const responses = await Promise.all(
      [firstDeployment, secondDeployment].map((deployment) =>
        repeatRequest(deployment, callbackUrl({ code: 'ada' }), cookie)(),
      ),
    );
    const statuses = responses.map(({ status }) => status);
    expect(statuses.toSorted()).toEqual([303, 400]);
    for (const response of responses.filter(({ status }) => status === 400))
      await expectCompletedPage(response, 'signed-in', gptDestination);
  });

  it('B22.3 at the same moment: if the first one failed, the second does not reach the client', async () => {
    let calls = 0;
    const memory = memoryStorage();
    const readGrantStatus: typeof memory.readGrantStatus = async (id) => {
      calls += 1;
      if (calls === 1) throw new Error('out of memory');
      return memory.readGrantStatus(id);
    };
    const { deployment } = deployWithSingleUseProvider({ storage: { ...memory, readGrantStatus } });
    const { browser, callbackUrl } = await continueToProvider(deployment);
    const repeatCallback = repeatRequest(
      deployment,
      callbackUrl({ code: 'ada' }),
      buildCookieHeader(browser.cookies),
    );
    const [first, second] = await Promise.all([repeatCallback(), repeatCallback()]);
    expect(readRedirect(first).searchParams.get('error')).toBe('server_error');
    await expectErrorPage(
      second,
      deployment,
      'Something went wrong on our side.',
      500,
      undefined,
      gptDestination,
    );
  });

  it('B22.4 a real failure: the client gets the error once, even if the callback arrives twice', async () => {
    const { receivedCodes, storage, deployment } = deployWithSingleUseProvider();
    const { browser, callbackUrl } = await continueToProvider(deployment);
    const repeatCallback = repeatRequest(
      deployment,
      callbackUrl({ error: 'x' }),
      buildCookieHeader(browser.cookies),
    );
    const description = "We couldn't verify the response from the sign-in provider.";
    const [response, repeated] = [await repeatCallback(), await repeatCallback()];
    expectTransactionEnded(response);
    expectErrorRedirect(response, {
      to: gptRequest.redirect_uri,
      state: gptRequest.state,
      error: 'server_error',
      description,
    });
    await expectErrorPage(repeated, deployment, description, 500, undefined, gptDestination);
    expect(receivedCodes).toHaveLength(1);
    expect(storage.calls).not.toContain('recordSignIn');
  });

  it.each(['revoked', 'deleted'] as const)(
    'B22.5 after the grant was %s: shows that it ended, without a request to the provider',
    async (change) => {
      const { receivedCodes, storage, deployment } = deployWithSingleUseProvider();
      const { returnFromProvider } = await continueToProvider(deployment);
      const code = readCode(await returnFromProvider({ code: 'ada' }));
      await redeem(deployment, gpt, code);
      const userId = (await storage.findUser({ provider: 'google', subject: 'ada' })) ?? '';
      if (change === 'revoked')
        await storage.revoke({ kind: 'user', id: userId }, 'signed out', deployment.now(), 'user');
      else await storage.deleteUser({ userId, actor: 'user', now: deployment.now() });
      await expectCompletedPage(await returnFromProvider({ code: 'ada' }), 'ended', gptDestination);
      expect(receivedCodes).toHaveLength(1);
      const remainingUser = await storage.findUser({ provider: 'google', subject: 'ada' });
      expect(remainingUser).toBe(change === 'revoked' ? userId : undefined);
    },
  );

  it('B22.5 after the grant was revoked: shows that it ended, even with the earlier cookies', async () => {
    const { receivedCodes, storage, deployment } = deployWithSingleUseProvider();
    const { browser, callbackUrl } = await continueToProvider(deployment);
    const repeatCallback = repeatRequest(
      deployment,
      callbackUrl({ code: 'ada' }),
      buildCookieHeader(browser.cookies),
    );
    await repeatCallback();
    const userId = (await storage.findUser({ provider: 'google', subject: 'ada' })) ?? '';
    await storage.revoke({ kind: 'user', id: userId }, 'signed out', deployment.now(), 'user');
    await expectCompletedPage(await repeatCallback(), 'ended', gptDestination);
    expect(receivedCodes).toHaveLength(1);
  });

  it.each([
    ['https', 'https://app.example:8443/a/callback?x=1', 'https://app.example:8443/'],
    ['loopback', 'http://127.0.0.1:4711/callback', undefined],
    ['a private-use scheme', 'com.example.app:/callback', undefined],
  ])('B22.1 reload: links to the website of a client at %s, never to its callback', async (_, uri, url) => {
    const client = staticClient({ id: 'app', name: 'An app', redirectUris: [uri], scopes: ['words'] });
    const { deployment } = deployWithSingleUseProvider({ clients: [client] });
    const { returnFromProvider } = await continueToProvider(deployment, {
      ...appRequest,
      redirect_uri: uri,
    });
    await returnFromProvider({ code: 'ada' });
    const destination = { kind: 'client', name: 'An app', ...(url !== undefined && { url }) } as const;
    await expectCompletedPage(await returnFromProvider({ code: 'ada' }), 'signed-in', destination);
  });

  it('B22.1 reload: names no client that is no longer registered', async () => {
    const { deployment } = deployWithSingleUseProvider();
    const { browser, callbackUrl, returnFromProvider } = await continueToProvider(deployment);
    await returnFromProvider({ code: 'ada' });
    const changedDeployment = deploy({ clients: clients.slice(1) });
    const response = await repeatRequest(
      changedDeployment,
      callbackUrl({ code: 'ada' }),
      buildCookieHeader(browser.cookies),
    )();
    expect(response.status).toBe(400);
    expect(changedDeployment.log.at(-1)).toMatchObject({ reason: 'client.unknown' });
  });

  it('B22.1 reload: shows a page and does not redirect while storage is unavailable', async () => {
    const { deployment } = deployWithSingleUseProvider();
    const { browser, callbackUrl, returnFromProvider } = await continueToProvider(deployment);
    await returnFromProvider({ code: 'ada' });
    const unavailableDeployment = deploy({
      sealingKeys: keys,
      storage: { ...memoryStorage(), readGrantStatus: () => Promise.reject(new Error('no route')) },
    });
    const response = await repeatRequest(
      unavailableDeployment,
      callbackUrl({ code: 'ada' }),
      buildCookieHeader(browser.cookies),
    )();
    expect([response.status, response.headers.get('location')]).toEqual([500, null]);
  });

  it('B22.2 delivered twice: shows a page and sends the client no error while storage is unavailable', async () => {
    const memory = memoryStorage();
    let isUnavailable = false;
    const readGrantStatus: BrokerStorage['readGrantStatus'] = async (id) => {
      if (isUnavailable) throw new StorageUnavailable('no route');
      return memory.readGrantStatus(id);
    };
    const { deployment } = deployWithSingleUseProvider({ storage: { ...memory, readGrantStatus } });
    const { browser, callbackUrl } = await continueToProvider(deployment);
    const repeatCallback = repeatRequest(
      deployment,
      callbackUrl({ code: 'ada' }),
      buildCookieHeader(browser.cookies),
    );
    expect(readCode(await repeatCallback())).not.toBe('');
    isUnavailable = true;
    const response = await repeatCallback();
    expect([response.status, response.headers.get('location'), response.headers.getSetCookie()]).toEqual([
      503,
      null,
      [],
    ]);
    isUnavailable = false;
    await expectCompletedPage(await repeatCallback(), 'signed-in', gptDestination);
  });

  it('B22.3 at the same moment: the sign-in continues if the browser disconnects', async () => {
    const backgroundWork: Promise<void>[] = [];
    const { deployment } = deployWithSingleUseProvider({
      waitUntil: (work) => void backgroundWork.push(work),
    });
    const { returnFromProvider } = await continueToProvider(deployment);
    const before = backgroundWork.length;
    await returnFromProvider({ code: 'ada' });
    expect(backgroundWork).toHaveLength(before + 1);
  });

  it('B22.1 reload: a client that redeemed its code keeps its tokens', async () => {
    const { deployment } = deployWithSingleUseProvider();
    const { returnFromProvider } = await continueToProvider(deployment);
    const tokens = await (
      await redeem(deployment, gpt, readCode(await returnFromProvider({ code: 'ada' })))
    ).json<{
      readonly refresh_token: string;
    }>();
    deployment.advance(60);
    await returnFromProvider({ code: 'ada' });
    expect((await refresh(deployment, gpt, tokens.refresh_token)).status).toBe(200);
  });
});

describe('other callbacks', () => {
  describe('a callback by form post', () => {
    it('B22.6 posted: redirected twice, and again after it expired', async () => {
      const { receivedCodes, deployment } = deployWithSingleUseProvider({}, { responseMode: 'form_post' });
      const { browser, state } = await continueToProvider(deployment);
      const post = () =>
        deployment.fetch(
          new Request(`${issuer}/callback/google`, {
            method: 'POST',
            headers: { origin: 'https://google.example', 'sec-fetch-site': 'cross-site' },
            body: new URLSearchParams({ state, code: 'ada' }),
          }),
        );
      const formPostUrls = [readRedirect(await post()).href, readRedirect(await post()).href];
      const [first = '', second = ''] = formPostUrls;
      expect(readCode(await browser.visit(first))).not.toBe('');
      await expectCompletedPage(await browser.visit(first), 'signed-in', gptDestination);
      await expectCompletedPage(await browser.visit(second), 'signed-in', gptDestination);
      deployment.advance(61);
      await expectCompletedPage(await browser.visit(first), 'signed-in', gptDestination);
      expect(receivedCodes).toHaveLength(1);
    });
  });

  describe('the second authorization request, for a refresh token', () => {
    const createForgetfulProvider = () => {
      const baseProvider = createProvider('google', 'Google');
      return deployWithSingleUseProvider(
        {},
        { reconsentUrl: (_, upstreamRequest, io) => baseProvider.authorizationUrl(upstreamRequest, io) },
      );
    };

    it('B22.7 second way: repeating the first callback does not redirect', async () => {
      const { receivedCodes, deployment } = createForgetfulProvider();
      const { browser, callbackUrl, returnFromProvider } = await continueToProvider(deployment);
      const repeatFirstCallback = repeatRequest(
        deployment,
        callbackUrl({ code: 'ada' }),
        buildCookieHeader(browser.cookies),
      );
      const reconsentUrl = readRedirect(await returnFromProvider({ code: 'ada' }));
      expect(reconsentUrl.origin).toBe('https://google.example');
      await expectCompletedPage(await returnFromProvider({ code: 'ada' }), 'signed-in', gptDestination);
      await expectCompletedPage(await repeatFirstCallback(), 'signed-in', gptDestination);
      expect(receivedCodes).toHaveLength(1);
      const state = reconsentUrl.searchParams.get('state') ?? '';
      const callbackQuery = new URLSearchParams({ state, code: 'ada', refresh: 'r-1' });
      expect(readCode(await browser.visit(`${issuer}/callback/google?${callbackQuery}`))).not.toBe('');
    });

    it.each<[string, Query]>([
      ['returned a token', { code: 'ada', refresh: 'r-1' }],
      ['were denied', { error: 'access_denied' }],
    ])('B22.7 second way: one of many callbacks that %s creates a code', async (_, query) => {
      const { deployment } = createForgetfulProvider();
      const { browser, returnFromProvider } = await continueToProvider(deployment);
      const state = readRedirect(await returnFromProvider({ code: 'ada' })).searchParams.get('state') ?? '';
      const url = `${issuer}/callback/google?${new URLSearchParams({ state, ...query })}`;
      const repeatCallback = repeatRequest(deployment, url, buildCookieHeader(browser.cookies));
      const responses = await Promise.all([repeatCallback(), repeatCallback(), repeatCallback()]);
      const [redirect, ...others] = responses.toSorted((first, second) => first.status - second.status);
      if (redirect === undefined) throw new Error('no response');
      for (const response of [...others, await repeatCallback(), await browser.visit(url)])
        await expectCompletedPage(response, 'signed-in', gptDestination);
      expect((await redeem(deployment, gpt, readCode(redirect))).status).toBe(200);
      await expectCompletedPage(await repeatCallback(), 'signed-in', gptDestination);
    });

    it('B22.7 second way: one of two callbacks in two processes creates a code', async () => {
      const { provider, storage, deployment } = createForgetfulProvider();
      const otherDeployment = deploy({ providers: [provider], storage });
      const { browser, returnFromProvider } = await continueToProvider(deployment);
      const state = readRedirect(await returnFromProvider({ code: 'ada' })).searchParams.get('state') ?? '';
      const url = `${issuer}/callback/google?${new URLSearchParams({ state, error: 'access_denied' })}`;
      const cookie = buildCookieHeader(browser.cookies);
      const responses = await Promise.all(
        [deployment, otherDeployment].map((anyDeployment) => repeatRequest(anyDeployment, url, cookie)()),
      );
      expect(responses.map(({ status }) => status).toSorted()).toEqual([303, 400]);
    });

    it('B22.7 second way: creates no code for a grant that ended meanwhile', async () => {
      const { storage, deployment } = createForgetfulProvider();
      const { browser, returnFromProvider } = await continueToProvider(deployment);
      const state = readRedirect(await returnFromProvider({ code: 'ada' })).searchParams.get('state') ?? '';
      const userId = (await storage.findUser({ provider: 'google', subject: 'ada' })) ?? '';
      await storage.deleteUser({ userId, actor: 'user', now: deployment.now() });
      const callbackQuery = new URLSearchParams({ state, code: 'ada', refresh: 'r-1' });
      const response = await browser.visit(`${issuer}/callback/google?${callbackQuery}`);
      await expectCompletedPage(response, 'ended', gptDestination);
    });
  });

  /** Submits a form of the account page that redirects to a provider, and returns the callback URL. */
  const startAtAccountPage = async (
    accountBrowser: AccountBrowser,
    action: string,
    fields: Query,
    code: string,
  ): Promise<string> => {
    const authorizationUrl = readRedirect(await accountBrowser.post(action, fields));
    const state = authorizationUrl.searchParams.get('state') ?? '';
    return `${authorizationUrl.searchParams.get('redirect_uri')}?${new URLSearchParams({ state, code })}`;
  };

  describe('the account page', () => {
    it('B22.8 account sign-in: a repeated callback does not change the session', async () => {
      const { receivedCodes, deployment } = deployWithSingleUseProvider();
      const accountBrowser = createAccountBrowser(deployment);
      const url = await startAtAccountPage(accountBrowser, '/sign-in', { choice: 'google' }, 'ada');
      const repeatFirstCallback = repeatRequest(deployment, url, buildCookieHeader(accountBrowser.cookies));
      expect(readRedirect(await accountBrowser.visit(url)).pathname).toBe('/account');
      const session = accountBrowser.cookies.get('__Host-session');
      for (const repeatCallback of [
        () => accountBrowser.visit(url),
        repeatFirstCallback,
        repeatFirstCallback,
      ])
        await expectCompletedPage(await repeatCallback(), 'signed-in', accountDestination);
      expect(accountBrowser.cookies.get('__Host-session')).toBe(session);
      expect((await accountBrowser.openAccountPage()).kind).toBe('account');
      expect(receivedCodes).toHaveLength(1);
    });

    it('B22.8 account sign-in: one of five concurrent callbacks starts a session', async () => {
      const { receivedCodes, deployment } = deployWithSingleUseProvider();
      const accountBrowser = createAccountBrowser(deployment);
      const url = await startAtAccountPage(accountBrowser, '/sign-in', { choice: 'google' }, 'ada');
      const repeatCallback = repeatRequest(deployment, url, buildCookieHeader(accountBrowser.cookies));
      const responses = await Promise.all(Array.from({ length: 5 }, repeatCallback));
      expect(responses.map(({ status }) => status).toSorted()).toEqual([303, 400, 400, 400, 400]);
      expect(receivedCodes).toHaveLength(1);
    });

    it('B22.8 account sign-in: a repeated callback of a reauthentication does not renew it', async () => {
      const { deployment } = deployWithSingleUseProvider();
      const accountBrowser = createAccountBrowser(deployment);
      await accountBrowser.signInToAccount();
      const url = await startAtAccountPage(
        accountBrowser,
        '/sign-in',
        { choice: 'google', purpose: 'confirm' },
        'ada',
      );
      await accountBrowser.visit(url);
      const session = accountBrowser.cookies.get('__Host-session');
      deployment.advance(301);
      await expectCompletedPage(await accountBrowser.visit(url), 'signed-in', accountDestination);
      expect(accountBrowser.cookies.get('__Host-session')).toBe(session);
    });

    it('B22.8 account sign-in: a callback repeated after sign-out starts no session', async () => {
      const { deployment } = deployWithSingleUseProvider();
      const accountBrowser = createAccountBrowser(deployment);
      const url = await startAtAccountPage(accountBrowser, '/sign-in', { choice: 'google' }, 'ada');
      await accountBrowser.visit(url);
      await accountBrowser.post('/sign-out');
      await expectCompletedPage(await accountBrowser.visit(url), 'ended', accountDestination);
      expect((await accountBrowser.openAccountPage()).kind).toBe('sign-in');
    });

    it('B22.8 account sign-in: a refusal at the provider shows a notice and ends the login transaction', async () => {
      const { deployment } = deployWithSingleUseProvider();
      const accountBrowser = createAccountBrowser(deployment);
      const url = await startAtAccountPage(accountBrowser, '/sign-in', { choice: 'google' }, 'ada');
      const deniedUrl = new URL(url);
      deniedUrl.searchParams.delete('code');
      deniedUrl.searchParams.set('error', 'access_denied');
      await accountBrowser.visit(deniedUrl.href);
      expect(accountBrowser.cookies.get('__Host-notice')).toBe('not-confirmed');
      expect(listTransactionCookies(accountBrowser.cookies)).toEqual([]);
    });

    it('B22.9 linking: reloading the confirmation page leads to the account, and its form still works', async () => {
      const { receivedCodes, storage, deployment } = deployWithSingleUseProvider();
      const accountBrowser = createAccountBrowser(deployment);
      await accountBrowser.signInToAccount('ada', 'other');
      const url = await startAtAccountPage(accountBrowser, '/link', { choice: 'google' }, 'cat');
      const repeatFirstCallback = repeatRequest(deployment, url, buildCookieHeader(accountBrowser.cookies));
      const page = await (await accountBrowser.visit(url)).text();
      for (const repeatCallback of [
        () => accountBrowser.visit(url),
        repeatFirstCallback,
        repeatFirstCallback,
      ])
        await expectCompletedPage(await repeatCallback(), 'linked', accountDestination);
      expect(receivedCodes).toHaveLength(1);
      expect(await storage.findUser({ provider: 'google', subject: 'cat' })).toBeUndefined();
      const fields = { link: readHiddenField(page, 'link'), confirm: '1' };
      await accountBrowser.post('/link/confirm', fields, readHiddenField(page, 'form'));
      expect(await storage.findUser({ provider: 'google', subject: 'cat' })).toBeDefined();
      await expectCompletedPage(await accountBrowser.visit(url), 'linked', accountDestination);
    });

    it('B22.9 linking: one of five concurrent callbacks shows the confirmation page', async () => {
      const { receivedCodes, deployment } = deployWithSingleUseProvider();
      const accountBrowser = createAccountBrowser(deployment);
      await accountBrowser.signInToAccount('ada', 'other');
      const url = await startAtAccountPage(accountBrowser, '/link', { choice: 'google' }, 'cat');
      const repeatCallback = repeatRequest(deployment, url, buildCookieHeader(accountBrowser.cookies));
      const responses = await Promise.all(Array.from({ length: 5 }, repeatCallback));
      expect(responses.map(({ status }) => status).toSorted()).toEqual([200, 400, 400, 400, 400]);
      expect(receivedCodes).toHaveLength(1);
    });
  });
});
