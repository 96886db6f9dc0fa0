/** `resolveUser` refuses a user with a message: a page shows it, and the client learns the result only if the user returns. */
import { describe, expect, it } from 'vitest';
import { type BrokerOptions, type RefusedUser, staticClient } from '../../src/index.ts';
import { createAccountBrowser } from '../account-browser.ts';
import { appRequest, createTestBrowser, gptRequest, readRedirect, serverRequest } from '../browser.ts';
import { clients, type Deployment, deploy, gptRedirect, issuer } from '../deployment.ts';
import {
  accountDestination,
  expectErrorPage,
  expectErrorRedirect,
  expectTransactionEnded,
  gptDestination,
} from '../expect-error.ts';
import { createProvider } from '../fake-provider.ts';
import { buildCookieHeader, continueToProvider, listCompletionCookies } from '../flows.ts';
import { deployWithSingleUseProvider } from '../repeated-callback.ts';
import { readAttributes, readLines } from '../ui/read-markup.ts';

const link = { text: 'Email the administrator', href: 'mailto:admin@words.example' };
const refused: RefusedUser = {
  kind: 'refused',
  reason: 'not on the list',
  message: 'Only members can play. Ask your administrator.',
  link,
};
const { link: _link, ...withoutLink } = refused;
const title = 'You can’t sign in with this account';
const description = 'This account is not allowed to sign in here.';
const errorQuery = `error=access_denied&error_description=${encodeURIComponent(description)}`;
const issQuery = `iss=${encodeURIComponent(issuer)}`;
const identity = { provider: 'Google', label: 'ada@example.com' };

/** Refuses everyone, and counts the calls. */
const createRefusal = (resolution: RefusedUser = refused) => {
  const calls: string[] = [];
  const resolveUser: BrokerOptions['resolveUser'] = async ({ subject }) => {
    calls.push(subject);
    return resolution;
  };
  return { calls, resolveUser };
};

/** Expects the page of a refusal, without cookies. */
const expectRefusalPage = (
  response: Response,
  deployment: Deployment,
  destination: Parameters<typeof expectErrorPage>[5],
  shown: Partial<Parameters<typeof expectErrorPage>[6]> = { identity, link },
  message = refused.message ?? '',
): Promise<void> => expectErrorPage(response, deployment, message, 403, title, destination, shown);

const returnUrl = `${gptRedirect}?${errorQuery}&state=${gptRequest.state}&${issQuery}`;
const toGpt = { kind: 'client', name: 'Words GPT', url: returnUrl } as const;

describe('a client’s sign-in that resolveUser refuses with a message', () => {
  it('shows the message, the account and a link to the client, and does not redirect', async () => {
    const { resolveUser, calls } = createRefusal();
    const { deployment, receivedCodes, storage } = deployWithSingleUseProvider({ resolveUser });
    const { returnFromProvider } = await continueToProvider(deployment);
    const response = await returnFromProvider({ code: 'ada', refresh: 'their-token' });
    const page = await response.clone().text();
    expectTransactionEnded(response);
    await expectRefusalPage(response, deployment, toGpt);
    expect(await readLines(page)).toEqual([
      title,
      'words.example',
      title,
      'Only members can play. Ask your administrator.',
      'Email the administrator',
      'Account used: Google (ada@example.com)',
      'Return to Words GPT',
      `Reference: ${deployment.log.at(-1)?.requestId}`,
    ]);
    expect(await readAttributes(page, 'a')).toEqual([
      { href: link.href, rel: 'noreferrer' },
      { class: 'action', href: returnUrl, rel: 'noreferrer' },
    ]);
    expect(page).not.toMatch(/<script|<form|not on the list/);
    expect(deployment.log.filter(({ event }) => event !== 'unrestricted-gpt')).toEqual([
      expect.objectContaining({
        event: 'refused',
        endpoint: 'callback',
        clientId: 'gpt',
        reason: 'resolve-user.refused',
        cause: 'not on the list',
      }),
    ]);
    expect([calls, receivedCodes.length]).toEqual([['ada'], 1]);
    expect(await storage.findUser({ provider: 'google', subject: 'ada' })).toBeUndefined();
  });

  it('B30.3 link to the client: is the URL that a refusal without a message redirects to', async () => {
    const { resolveUser } = createRefusal({ kind: 'refused', reason: 'not on the list' });
    const { returnFromProvider } = await continueToProvider(deploy({ resolveUser }));
    const response = await returnFromProvider({ code: 'ada' });
    expectTransactionEnded(response);
    expectErrorRedirect(response, {
      to: gptRedirect,
      state: gptRequest.state,
      error: 'access_denied',
      description,
    });
    expect(response.headers.get('location')).toBe(returnUrl);
  });

  it('B30.3 link to the client: its URL contains nothing of the refusal', async () => {
    const { resolveUser } = createRefusal();
    const { returnFromProvider } = await continueToProvider(deploy({ resolveUser }));
    const page = await (await returnFromProvider({ code: 'ada' })).text();
    const [, { href = '' } = {}] = await readAttributes(page, 'a');
    expect([...new URL(href).searchParams]).toEqual([
      ['error', 'access_denied'],
      ['error_description', description],
      ['state', gptRequest.state],
      ['iss', issuer],
    ]);
  });

  it.each([
    ['a query', 'https://app.example/cb?tenant=1', 'https://app.example/cb?tenant=1&'],
    ['loopback', 'http://127.0.0.1:4711/callback', 'http://127.0.0.1:4711/callback?'],
    ['a private-use scheme', 'com.example.app:/callback', 'com.example.app:/callback?'],
  ])('B30.3 link to the client: to a redirect URI with %s', async (_, uri, start) => {
    const { resolveUser } = createRefusal();
    const client = staticClient({ id: 'app', name: 'An <app>', redirectUris: [uri], scopes: ['words'] });
    const deployment = deploy({ resolveUser, clients: [client] });
    const { state: _state, ...request } = { ...appRequest, redirect_uri: uri, scope: 'words' };
    const { returnFromProvider } = await continueToProvider(deployment, request);
    const destination = {
      kind: 'client',
      name: 'An <app>',
      url: `${start}${errorQuery}&${issQuery}`,
    } as const;
    const response = await returnFromProvider({ code: 'ada' });
    expectTransactionEnded(response);
    await expectRefusalPage(response, deployment, destination);
    await expectRefusalPage(await returnFromProvider({ code: 'ada' }), deployment, destination);
  });

  it.each([
    ['markup', '<img src=x onerror=alert(1)>"\'&'],
    ['a template', '{product} {client}'],
    ['the longest message', '\u3042'.repeat(333)],
  ])('B30.1 shows the message as it is: %s', async (_, message) => {
    const { resolveUser } = createRefusal({
      ...refused,
      message,
      link: { text: '<b>"{client}"</b>', href: link.href },
    });
    const deployment = deploy({ resolveUser });
    const { returnFromProvider } = await continueToProvider(deployment);
    for (const response of [await returnFromProvider({ code: 'ada' }), await returnFromProvider({})]) {
      const page = await response.text();
      expect((await readLines(page)).slice(3, 5)).toEqual([message, '<b>"{client}"</b>']);
      expect(page).not.toMatch(/<img|<b>/);
    }
  });

  it('B30.1 refuses without a page if the message is not valid, and says so in the log', async () => {
    const { resolveUser } = createRefusal({ ...refused, message: 'x'.repeat(1001) });
    const deployment = deploy({ resolveUser });
    const { returnFromProvider } = await continueToProvider(deployment);
    const response = await returnFromProvider({ code: 'ada' });
    expect(response.headers.get('location')).toBe(returnUrl);
    expect(deployment.log.filter(({ event }) => event !== 'unrestricted-gpt')).toEqual([
      expect.objectContaining({
        event: 'refused',
        clientId: 'gpt',
        reason: 'resolve-user.invalid-refusal',
        cause: 'message must be plain text on one line, of at most 1000 bytes',
      }),
    ]);
    await expectErrorPage(
      await returnFromProvider({ code: 'ada' }),
      deployment,
      description,
      403,
      undefined,
      gptDestination,
    );
  });

  it('B30.2 refuses without a page if the link could run a script', async () => {
    const { resolveUser } = createRefusal({
      ...refused,
      link: { text: 'Join', href: 'javascript:alert(1)' },
    });
    const deployment = deploy({ resolveUser });
    const { returnFromProvider } = await continueToProvider(deployment);
    expect((await returnFromProvider({ code: 'ada' })).headers.get('location')).toBe(returnUrl);
    expect(deployment.log.at(-1)).toMatchObject({ reason: 'resolve-user.invalid-refusal' });
    expect(await (await returnFromProvider({ code: 'ada' })).text()).not.toContain('javascript:');
  });

  it('shows no link and no address if there is none', async () => {
    const google = createProvider('google', 'Google');
    const { resolveUser } = createRefusal(withoutLink);
    const provider: typeof google = {
      ...google,
      async handleCallback(...args) {
        const { label: _, ...withoutLabel } = await google.handleCallback(...args);
        return withoutLabel;
      },
    };
    const deployment = deploy({ resolveUser, providers: [provider] });
    const { returnFromProvider } = await continueToProvider(deployment);
    await returnFromProvider({ code: 'ada' });
    await expectRefusalPage(await returnFromProvider({}), deployment, toGpt, {
      identity: { provider: 'Google' },
    });
  });

  it('B30.4 reload: shows the same page, and asks neither the provider nor resolveUser again', async () => {
    const { resolveUser, calls } = createRefusal();
    const { deployment, receivedCodes } = deployWithSingleUseProvider({ resolveUser });
    const { browser, returnFromProvider } = await continueToProvider(deployment);
    await returnFromProvider({ code: 'ada' });
    const cookies = new Map(browser.cookies);
    for (const again of [{ code: 'ada' }, { code: 'eve' }, {}]) {
      await expectRefusalPage(await returnFromProvider(again), deployment, toGpt);
      expect(deployment.log.at(-1)).toMatchObject({
        endpoint: 'callback',
        reason: 'transaction.replayed',
        cause: expect.stringContaining('resolve-user.refused'),
      });
    }
    expect([calls, receivedCodes.length]).toEqual([['ada'], 1]);
    expect(browser.cookies).toEqual(cookies);
  });

  it('B30.4 reload: in another process, with the name that the client has now', async () => {
    const { resolveUser } = createRefusal();
    const { deployment, provider } = deployWithSingleUseProvider({ resolveUser });
    const { browser, callbackUrl, returnFromProvider } = await continueToProvider(deployment, serverRequest);
    await returnFromProvider({ code: 'ada' });
    const changes = { providers: [provider], storage: deployment.storage };
    const other = deploy({ ...changes, clients: [{ ...clients[2], name: 'Renamed' }] });
    const cookie = buildCookieHeader(browser.cookies);
    await expectRefusalPage(await createTestBrowser(other, { cookie }).visit(callbackUrl({})), other, {
      kind: 'client',
      name: 'Renamed',
      url: `${serverRequest.redirect_uri}?${errorQuery}&state=${serverRequest.state}&${issQuery}`,
    });
  });

  it.each([
    ['the client', [clients[0]]],
    [
      'its redirect URI',
      [
        staticClient({
          id: 'server',
          name: 'S',
          redirectUris: ['https://other.example/'],
          scopes: ['words'],
        }),
      ],
    ],
  ])('B30.4 reload: has no link to the client if %s was removed', async (_, remaining) => {
    const { resolveUser } = createRefusal();
    const { deployment, provider } = deployWithSingleUseProvider({ resolveUser });
    const { browser, callbackUrl, returnFromProvider } = await continueToProvider(deployment, serverRequest);
    await returnFromProvider({ code: 'ada' });
    const other = deploy({ providers: [provider], storage: deployment.storage, clients: remaining });
    const cookie = buildCookieHeader(browser.cookies);
    await expectRefusalPage(
      await createTestBrowser(other, { cookie }).visit(callbackUrl({})),
      other,
      undefined,
    );
  });

  it('B30.4 another browser: shows nothing of the refusal', async () => {
    const { resolveUser } = createRefusal();
    const { deployment, callbackUrl, returnFromProvider } = await continueToProvider(deploy({ resolveUser }));
    await returnFromProvider({ code: 'ada' });
    const other = await continueToProvider(deployment);
    for (const browser of [createTestBrowser(deployment), other.browser]) {
      const page = await (await browser.visit(callbackUrl({ code: 'ada' }))).text();
      expect(page).not.toMatch(/Only members|ada@example|Words GPT/);
    }
  });

  it('B30.4 two tabs: each shows its own page, with the state of its own sign-in', async () => {
    const { resolveUser } = createRefusal();
    const { deployment, browser, returnFromProvider } = await continueToProvider(deploy({ resolveUser }));
    const { consent } = await browser.openSignInPage({ ...gptRequest, state: 'second' });
    const url = readRedirect(await browser.submitConsent(consent, { choice: 'google' }));
    const query = new URLSearchParams({ state: url.searchParams.get('state') ?? '', code: 'bob' });
    const second = `${issuer}/callback/google?${query}`;
    await returnFromProvider({ code: 'ada' });
    await browser.visit(second);
    await expectRefusalPage(await returnFromProvider({}), deployment, toGpt);
    await expectRefusalPage(
      await browser.visit(second),
      deployment,
      { ...toGpt, url: returnUrl.replace(gptRequest.state, 'second') },
      { identity: { ...identity, label: 'bob@example.com' }, link },
    );
  });

  it('B30.4 delivered twice at the same moment: both get the page', async () => {
    const { resolveUser, calls } = createRefusal();
    const { deployment } = deployWithSingleUseProvider({ resolveUser });
    const { returnFromProvider } = await continueToProvider(deployment);
    const responses = await Promise.all([
      returnFromProvider({ code: 'ada' }),
      returnFromProvider({ code: 'ada' }),
    ]);
    for (const response of responses)
      expect([response.status, await response.text()]).toEqual([403, expect.stringContaining(title)]);
    expect(calls).toEqual(['ada']);
  });

  it('B30.4 a long state: the page returns it, and a reload shows at least the reason', async () => {
    const state = 's'.repeat(2048);
    const { resolveUser } = createRefusal({ ...refused, message: 'x'.repeat(1000) });
    const deployment = deploy({ resolveUser });
    const { browser, callbackUrl, returnFromProvider } = await continueToProvider(deployment, {
      ...gptRequest,
      state,
    });
    const response = await returnFromProvider({ code: 'ada' });
    expectTransactionEnded(response);
    const destination = { ...toGpt, url: returnUrl.replace(gptRequest.state, state) };
    await expectRefusalPage(response, deployment, destination, undefined, 'x'.repeat(1000));
    const other = deploy({ storage: deployment.storage });
    const cookie = buildCookieHeader(browser.cookies);
    const reloaded = await createTestBrowser(other, { cookie }).visit(callbackUrl({}));
    await expectErrorPage(reloaded, other, description, 403, undefined, gptDestination);
  });

  it('B30.4 the cookie of the longest refusal: fits beside a session, and is not dropped', async () => {
    const { resolveUser } = createRefusal({
      ...refused,
      message: '\u3042'.repeat(333),
      link: { text: '\u3042'.repeat(66), href: `https://words.example/${'x'.repeat(490)}` },
    });
    const deployment = deploy({ resolveUser });
    const { browser, returnFromProvider } = await continueToProvider(deployment);
    await returnFromProvider({ code: 'ada' });
    const [name = ''] = listCompletionCookies(browser.cookies);
    const cookie = browser.cookies.get(name) ?? '';
    expect(cookie.length).toBeGreaterThan(2_000);
    expect(cookie.length).toBeLessThanOrEqual(3_300);
    await expect(returnFromProvider({}).then((response) => response.text())).resolves.toContain(title);
  });

  it('B30.4 a response by form post', async () => {
    const { resolveUser, calls } = createRefusal();
    const apple = { ...createProvider('apple', 'Apple'), responseMode: 'form_post' } as const;
    const { deployment, browser, state } = await continueToProvider(
      deploy({ providers: [apple], resolveUser }),
      gptRequest,
      'apple',
    );
    const body = new URLSearchParams({ state, code: 'ada' });
    const url = readRedirect(
      await deployment.fetch(new Request(`${issuer}/callback/apple`, { method: 'POST', body })),
    ).href;
    expectTransactionEnded((await browser.visit(url)).clone());
    const shown = { identity: { ...identity, provider: 'Apple' }, link };
    await expectRefusalPage(await browser.visit(url), deployment, toGpt, shown);
    expect(calls).toEqual(['ada']);
  });

  it('continuing in a session: shows the same page, and starts no grant', async () => {
    const deployment = deploy({
      resolveUser: async (_, { id }) => (id === 'account' ? { kind: 'accepted' } : refused),
    });
    const accountBrowser = createAccountBrowser(deployment);
    await accountBrowser.signInToAccount('ada', 'google', { refresh: 'their-token' });
    const { consent } = await accountBrowser.openSignInPage(gptRequest);
    const response = await accountBrowser.submitConsent(consent, { choice: 'continue' });
    await expectRefusalPage(response, deployment, toGpt);
    expect(deployment.log.at(-1)).toMatchObject({
      endpoint: 'consent',
      clientId: 'gpt',
      reason: 'resolve-user.refused',
    });
    expect((await accountBrowser.openAccountPage()).html).not.toContain('Words GPT');
  });
});

describe('the account page, if resolveUser refuses with a message', () => {
  const start = async (
    accountBrowser: ReturnType<typeof createAccountBrowser>,
    path: '/sign-in' | '/link',
    choice: string,
  ): Promise<string> => {
    const url = readRedirect(await accountBrowser.post(path, { choice }));
    const query = new URLSearchParams({ state: url.searchParams.get('state') ?? '', code: 'cat' });
    return `${issuer}/callback/${choice}?${query}`;
  };

  it('B30.5 signing in: shows the page with a link to the account page, also after a reload', async () => {
    const { resolveUser, calls } = createRefusal();
    const { deployment, provider } = deployWithSingleUseProvider({ resolveUser });
    const accountBrowser = createAccountBrowser(deployment);
    const url = await start(accountBrowser, '/sign-in', 'google');
    const shown = { identity: { provider: 'Google', label: 'cat@example.com' }, link };
    const response = await accountBrowser.visit(url);
    expectTransactionEnded(response);
    await expectRefusalPage(response, deployment, accountDestination, shown);
    await expectRefusalPage(await accountBrowser.visit(url), deployment, accountDestination, shown);
    const other = deploy({ providers: [provider], storage: deployment.storage });
    const cookie = buildCookieHeader(accountBrowser.cookies);
    const reloaded = await createTestBrowser(other, { cookie }).visit(url);
    await expectRefusalPage(reloaded, other, accountDestination, shown);
    expect(calls).toEqual(['cat']);
    expect((await accountBrowser.openAccountPage()).kind).toBe('sign-in');
  });

  it('B30.5 linking: shows the page with the identity that was refused, and links nothing', async () => {
    const deployment = deploy({
      resolveUser: async ({ subject }) => (subject === 'cat' ? refused : { kind: 'accepted' }),
    });
    const accountBrowser = createAccountBrowser(deployment);
    await accountBrowser.signInToAccount('ada');
    const url = await start(accountBrowser, '/link', 'other');
    const shown = { identity: { provider: 'Other', label: 'cat@example.com' }, link };
    const response = await accountBrowser.visit(url);
    expectTransactionEnded(response);
    await expectRefusalPage(response, deployment, accountDestination, shown);
    await expectRefusalPage(await accountBrowser.visit(url), deployment, accountDestination, shown);
    const page = await accountBrowser.openAccountPage();
    expect(page.kind).toBe('account');
    expect(page.html).not.toContain('cat@example.com');
    expect(await deployment.storage.findUser({ provider: 'other', subject: 'cat' })).toBeUndefined();
  });

  it('B30.5 linking: names the identity of the session if that one is refused', async () => {
    let isAllowed = true;
    const deployment = deploy({
      resolveUser: async ({ subject }) => (isAllowed || subject === 'cat' ? { kind: 'accepted' } : refused),
    });
    const accountBrowser = createAccountBrowser(deployment);
    await accountBrowser.signInToAccount('ada');
    const url = await start(accountBrowser, '/link', 'other');
    isAllowed = false;
    await accountBrowser.visit(url);
    await expectRefusalPage(await accountBrowser.visit(url), deployment, accountDestination);
  });
});
