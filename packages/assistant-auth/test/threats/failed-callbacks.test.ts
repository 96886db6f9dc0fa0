/** The callback of a sign-in that failed, opened again: the page shows the real reason, and the client gets nothing. */
import { describe, expect, it } from 'vitest';
import {
  type BrokerOptions,
  type BrokerStorage,
  type CompleteStorage,
  type IdentityProvider,
  ProviderError,
  StorageUnavailable,
  staticClient,
} from '../../src/index.ts';
import { memoryStorage } from '../../src/storage/memory.ts';
import { createAccountBrowser } from '../account-browser.ts';
import { appRequest, createTestBrowser, gptRequest, readRedirect } from '../browser.ts';
import { clients, deploy, issuer } from '../deployment.ts';
import {
  accountDestination,
  expectCompletedPage,
  expectErrorPage,
  expectFailurePage,
  expectTransactionEnded,
  gptDestination,
} from '../expect-error.ts';
import { createProvider } from '../fake-provider.ts';
import { buildCookieHeader, continueToProvider, listCompletionCookies } from '../flows.ts';
import { deployWithSingleUseProvider, readCode, repeatRequest } from '../repeated-callback.ts';
import { createSpyProvider } from '../spy-provider.ts';

type Query = Readonly<Record<string, string>>;

const unavailable = 'The service is temporarily unavailable. Try again in a moment.';

/** Storage in which a method fails as long as `isFailing` is set. */
const createFailingStorage = (method: 'recordSignIn' | 'readGrantStatus') => {
  const memory = memoryStorage();
  const state = { isFailing: true };
  const fail = (name: string): void => {
    if (state.isFailing && name === method) throw new StorageUnavailable('down');
  };
  const storage: BrokerStorage = {
    ...memory,
    async recordSignIn(signIn) {
      fail('recordSignIn');
      return memory.recordSignIn(signIn);
    },
    async readGrantStatus(id) {
      fail('readGrantStatus');
      return memory.readGrantStatus(id);
    },
  };
  return { storage, state };
};

interface Failure {
  readonly name: string;
  readonly query?: Query;
  readonly options?: () => Partial<BrokerOptions>;
  readonly error: string;
  readonly status: number;
  readonly message: string;
}

const failures: readonly Failure[] = [
  {
    name: 'the provider is unreachable',
    query: { error: 'temporarily_unavailable' },
    error: 'temporarily_unavailable',
    status: 503,
    message: 'The sign-in provider is temporarily unavailable. Try again later.',
  },
  {
    name: 'the user canceled',
    query: { error: 'access_denied' },
    error: 'access_denied',
    status: 403,
    message: 'The sign-in was denied or canceled at the provider.',
  },
  {
    name: 'the response is not valid',
    query: { error: 'x' },
    error: 'server_error',
    status: 500,
    message: "We couldn't verify the response from the sign-in provider.",
  },
  {
    name: 'resolveUser refuses the user',
    options: () => ({ resolveUser: async () => ({ kind: 'refused', reason: 'banned' }) }),
    error: 'access_denied',
    status: 403,
    message: 'This account is not allowed to sign in here.',
  },
  {
    name: 'resolveUser throws an error',
    options: () => ({
      resolveUser: async () => {
        throw new Error('a bug');
      },
    }),
    error: 'server_error',
    status: 500,
    message: 'Something went wrong on our side.',
  },
  {
    name: 'resolveUser returns an invalid ID',
    options: () => ({ resolveUser: async () => ({ kind: 'accepted', userId: '' }) }),
    error: 'server_error',
    status: 500,
    message: 'Something went wrong on our side.',
  },
  {
    name: 'storage is unavailable',
    options: () => ({ storage: createFailingStorage('recordSignIn').storage }),
    error: 'temporarily_unavailable',
    status: 503,
    message: unavailable,
  },
];

describe('a client’s sign-in that failed', () => {
  it.each(failures)('B29.1 reload: $name', async ({ query, options, error, status, message }) => {
    const { deployment, receivedCodes } = deployWithSingleUseProvider(options?.());
    const { browser, returnFromProvider } = await continueToProvider(deployment);
    const response = await returnFromProvider({ code: 'ada', ...query });
    expectTransactionEnded(response.clone());
    expect(readRedirect(response).searchParams.get('error')).toBe(error);
    const cookies = new Map(browser.cookies);
    for (const again of [{ code: 'ada', ...query }, { code: 'eve' }, {}]) {
      await expectErrorPage(
        await returnFromProvider(again),
        deployment,
        message,
        status,
        undefined,
        gptDestination,
      );
      expect(deployment.log.at(-1)).toMatchObject({ endpoint: 'callback', reason: 'transaction.replayed' });
      expect(deployment.log.at(-1)?.cause).toContain('ProtocolError');
    }
    expect(receivedCodes).toHaveLength(1);
    expect(browser.cookies).toEqual(cookies);
  });

  it.each(failures)('B29.2 in another process: $name', async ({ query, options, message, status }) => {
    const { provider, deployment } = deployWithSingleUseProvider(options?.());
    const { browser, callbackUrl, returnFromProvider } = await continueToProvider(deployment);
    await returnFromProvider({ code: 'ada', ...query });
    const other = deploy({ providers: [provider], storage: deployment.storage });
    const response = await createTestBrowser(other, { cookie: buildCookieHeader(browser.cookies) }).visit(
      callbackUrl({ code: 'ada' }),
    );
    await expectErrorPage(response, other, message, status, undefined, gptDestination);
  });

  it('B29.1 reload: a sign-in after the failure works, and the failed one is still recognized', async () => {
    const { deployment } = deployWithSingleUseProvider();
    const { browser, callbackUrl } = await continueToProvider(deployment);
    const failed = callbackUrl({ error: 'temporarily_unavailable' });
    await browser.visit(failed);
    const { consent } = await browser.openSignInPage(gptRequest);
    const url = readRedirect(await browser.submitConsent(consent, { choice: 'google' }));
    const query = new URLSearchParams({ state: url.searchParams.get('state') ?? '', code: 'ada' });
    expect(readCode(await browser.visit(`${issuer}/callback/google?${query}`))).not.toBe('');
    expect((await browser.visit(failed)).status).toBe(503);
  });

  it.each([
    ['https', 'https://app.example:8443/a/callback?x=1', 'https://app.example:8443/'],
    ['loopback', 'http://127.0.0.1:4711/callback', undefined],
    ['a private-use scheme', 'com.example.app:/callback', undefined],
  ])('B29.3 the link to start again: at %s, it is not the callback', async (_, uri, url) => {
    const client = staticClient({ id: 'app', name: 'An app', redirectUris: [uri], scopes: ['words'] });
    const { deployment } = deployWithSingleUseProvider({ clients: [client] });
    const request = { ...appRequest, redirect_uri: uri, scope: 'words' };
    const { returnFromProvider } = await continueToProvider(deployment, request);
    await returnFromProvider({ error: 'access_denied' });
    await expectErrorPage(
      await returnFromProvider({ code: 'ada' }),
      deployment,
      'The sign-in was denied or canceled at the provider.',
      403,
      undefined,
      { kind: 'client', name: 'An app', ...(url !== undefined && { url }) },
    );
  });

  it('B29.3 the link to start again: is not shown if the client was removed', async () => {
    const { provider, deployment } = deployWithSingleUseProvider();
    const { browser, callbackUrl, returnFromProvider } = await continueToProvider(deployment);
    await returnFromProvider({ error: 'access_denied' });
    const changed = deploy({ providers: [provider], clients: clients.filter(({ id }) => id !== 'gpt') });
    const response = await createTestBrowser(changed, { cookie: buildCookieHeader(browser.cookies) }).visit(
      callbackUrl({ code: 'ada' }),
    );
    await expectErrorPage(response, changed, 'The sign-in was denied or canceled at the provider.', 403);
  });

  it('B29.4 a success is never replaced: the cookie of a failed delivery arrives after the grant', async () => {
    const storage = memoryStorage();
    const working = createProvider('google', 'Google');
    const { promise: isRejected, resolve: reject } = Promise.withResolvers<void>();
    const failing: IdentityProvider = {
      ...working,
      async handleCallback() {
        reject();
        throw new ProviderError('unavailable', 'timeout');
      },
    };
    const [first, second] = [
      deploy({ providers: [working], storage }),
      deploy({ providers: [failing], storage }),
    ];
    const { browser, callbackUrl } = await continueToProvider(first);
    const url = callbackUrl({ code: 'ada' });
    const cookie = buildCookieHeader(browser.cookies);
    const failed = await repeatRequest(second, url, cookie)();
    await isRejected;
    expect(readCode(await browser.visit(url))).not.toBe('');
    for (const line of failed.headers.getSetCookie()) {
      const [name = '', value = ''] = line.split(/[=;]/);
      if (name.startsWith('__Host-done-')) browser.cookies.set(name, value);
    }
    await expectCompletedPage(await browser.visit(url), 'signed-in', gptDestination);
  });

  it('B29.4 a success is never replaced: the write succeeded, but its response was lost', async () => {
    const memory = memoryStorage();
    const storage: BrokerStorage = {
      ...memory,
      async recordSignIn(signIn) {
        await memory.recordSignIn(signIn);
        throw new StorageUnavailable('the response was lost');
      },
    };
    const { deployment } = deployWithSingleUseProvider({ storage });
    const { returnFromProvider } = await continueToProvider(deployment);
    expect(readRedirect(await returnFromProvider({ code: 'ada' })).searchParams.get('error')).toBe(
      'temporarily_unavailable',
    );
    await expectCompletedPage(await returnFromProvider({ code: 'ada' }), 'signed-in', gptDestination);
  });

  it('B29.1 reload: shows the reason even while storage is unavailable', async () => {
    const { storage, state } = createFailingStorage('readGrantStatus');
    state.isFailing = false;
    const { deployment } = deployWithSingleUseProvider({ storage });
    const { returnFromProvider } = await continueToProvider(deployment);
    await returnFromProvider({ error: 'access_denied' });
    state.isFailing = true;
    await expectErrorPage(
      await returnFromProvider({ code: 'ada' }),
      deployment,
      'The sign-in was denied or canceled at the provider.',
      403,
      undefined,
      gptDestination,
    );
  });

  it('B29.1 reload: finishes the sign-in if nothing was consumed yet', async () => {
    const { storage, state } = createFailingStorage('readGrantStatus');
    const { deployment } = deployWithSingleUseProvider({ storage });
    const { returnFromProvider } = await continueToProvider(deployment);
    const message = "We couldn't finish your sign-in. Wait a moment, then reload this page.";
    await expectErrorPage(await returnFromProvider({ code: 'ada' }), deployment, message, 503);
    state.isFailing = false;
    expect(readCode(await returnFromProvider({ code: 'ada' }))).not.toBe('');
  });

  it('B29.1 reload: after a response by form post, even after it has expired', async () => {
    const apple = { ...createProvider('apple', 'Apple'), responseMode: 'form_post' } as const;
    const { deployment, browser, state } = await continueToProvider(
      deploy({ providers: [apple] }),
      gptRequest,
      'apple',
    );
    const posted = await deployment.fetch(
      new Request(`${issuer}/callback/apple`, {
        method: 'POST',
        body: new URLSearchParams({ state, error: 'temporarily_unavailable' }),
      }),
    );
    const url = readRedirect(posted).href;
    expect(readRedirect(await browser.visit(url)).searchParams.get('error')).toBe('temporarily_unavailable');
    for (const seconds of [0, 61]) {
      deployment.advance(seconds);
      expect((await browser.visit(url)).status).toBe(503);
    }
  });

  it.each([
    ['forged', 'AAAA'],
    ['empty', ''],
  ])('B29.5 a %s completion shows nothing about a client', async (_, value) => {
    const { deployment } = deployWithSingleUseProvider();
    const { browser, returnFromProvider } = await continueToProvider(deployment);
    await returnFromProvider({ error: 'access_denied' });
    const [name = ''] = listCompletionCookies(browser.cookies);
    browser.cookies.set(name, value);
    const html = await (await returnFromProvider({ code: 'ada' })).text();
    expect(html).toContain('couldn’t find this sign-in');
    expect(html).not.toContain('Words GPT');
  });
});

describe('a sign-in beyond the limit of a user', () => {
  it('B29.1 reload: shows that the user signed in too often, in any process', async () => {
    const limits = { signInsPerUser: { limit: 1, period: 600 } };
    const storage = memoryStorage();
    const [deployment, other] = [deploy({ storage, limits }), deploy({ storage, limits })];
    const first = await continueToProvider(deployment);
    await first.returnFromProvider({ code: 'ada' });
    const { browser, callbackUrl, returnFromProvider } = await continueToProvider(deployment);
    const response = await returnFromProvider({ code: 'ada' });
    expect(response.status).toBe(429);
    expectTransactionEnded(response);
    const reloaded = await createTestBrowser(other, { cookie: buildCookieHeader(browser.cookies) }).visit(
      callbackUrl({ code: 'ada' }),
    );
    expect(reloaded.status).toBe(429);
    const html = await reloaded.text();
    expect(html).toContain('<h1>Too many sign-ins</h1>');
    expect(html).toContain('href="https://chat.openai.com/"');
  });
});

describe('a callback of the account page that failed', () => {
  /** Presses a button of the account page, and returns the URL of the callback. */
  const start = async (
    accountBrowser: ReturnType<typeof createAccountBrowser>,
    path: '/sign-in' | '/link',
    response: Query,
  ): Promise<string> => {
    const url = readRedirect(await accountBrowser.post(path, { choice: 'google' }));
    const query = new URLSearchParams({ state: url.searchParams.get('state') ?? '', ...response });
    return `${issuer}/callback/google?${query}`;
  };

  it.each(failures.filter(({ error }) => error !== 'access_denied'))(
    'B29.6 signing in: $name',
    async ({ query, options, status, message }) => {
      const { deployment, receivedCodes } = deployWithSingleUseProvider(options?.());
      const accountBrowser = createAccountBrowser(deployment);
      const url = await start(accountBrowser, '/sign-in', { code: 'ada', ...query });
      await expectFailurePage(
        await accountBrowser.visit(url),
        deployment,
        message,
        status,
        accountDestination,
      );
      for (let attempt = 0; attempt < 2; attempt++)
        await expectErrorPage(
          await accountBrowser.visit(url),
          deployment,
          message,
          status,
          undefined,
          accountDestination,
        );
      expect(receivedCodes).toHaveLength(1);
    },
  );

  it.each(failures.filter(({ error, query }) => error !== 'access_denied' && query !== undefined))(
    'B29.6 linking: $name',
    async ({ query, status, message }) => {
      const { deployment, receivedCodes } = deployWithSingleUseProvider();
      const accountBrowser = createAccountBrowser(deployment);
      await accountBrowser.signInToAccount('ada', 'other');
      const url = await start(accountBrowser, '/link', { code: 'cat', ...query });
      await expectFailurePage(
        await accountBrowser.visit(url),
        deployment,
        message,
        status,
        accountDestination,
      );
      await expectErrorPage(
        await accountBrowser.visit(url),
        deployment,
        message,
        status,
        undefined,
        accountDestination,
      );
      expect(receivedCodes).toHaveLength(1);
    },
  );

  it.each(['/sign-in', '/link'] as const)('B29.6 %s: the user canceled', async (path) => {
    const { deployment } = deployWithSingleUseProvider();
    const accountBrowser = createAccountBrowser(deployment);
    if (path === '/link') await accountBrowser.signInToAccount('ada', 'other');
    const url = await start(accountBrowser, path, { error: 'access_denied' });
    expect(readRedirect(await accountBrowser.visit(url)).pathname).toBe('/account');
    await expectErrorPage(
      await accountBrowser.visit(url),
      deployment,
      'The sign-in was denied or canceled at the provider.',
      403,
      undefined,
      accountDestination,
    );
  });

  it('B29.6 linking: a reload can continue if storage was unavailable before the provider was asked', async () => {
    const memory = memoryStorage();
    const state = { isFailing: false };
    const storage: CompleteStorage = {
      ...memory,
      useSession: async (use) => {
        if (state.isFailing) throw new StorageUnavailable('down');
        return memory.useSession(use);
      },
    };
    const provider = createSpyProvider('google');
    const deployment = deploy({ storage, providers: [provider, createProvider('other', 'Other')] });
    const accountBrowser = createAccountBrowser(deployment);
    await accountBrowser.signInToAccount('ada', 'other');
    const url = await start(accountBrowser, '/link', { code: 'cat' });
    state.isFailing = true;
    expect((await accountBrowser.visit(url)).status).toBe(503);
    expect(provider.tokenRequests).toEqual([]);
    state.isFailing = false;
    expect((await accountBrowser.visit(url)).status).toBe(200);
  });
});
