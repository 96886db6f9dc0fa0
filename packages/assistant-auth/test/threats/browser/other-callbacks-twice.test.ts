/** The same callback, arriving more than once: posted answers, second ways to the provider, and those of the account page. */
import { describe, expect, it } from 'vitest';
import { type AccountBrowser, createAccountBrowser, readHiddenField } from '../../account-browser.ts';
import { readRedirect } from '../../browser.ts';
import { gpt, redeem } from '../../clients.ts';
import { deploy, issuer } from '../../deployment.ts';
import { accountDestination, expectCompletedPage, gptDestination } from '../../expect-error.ts';
import { createProvider } from '../../fake-provider.ts';
import { buildCookieHeader, continueToProvider, listTransactionCookies } from '../../flows.ts';
import { deployWithSingleUseProvider, readCode, repeatRequest } from '../../repeated-callback.ts';

type Query = Readonly<Record<string, string>>;

describe('B22 a posted answer', () => {
  it('B22.6 posted: brought round twice, and again after it expired', async () => {
    const { asked, deployment } = deployWithSingleUseProvider({}, { responseMode: 'form_post' });
    const { browser, state } = await continueToProvider(deployment);
    const post = () =>
      deployment.fetch(
        new Request(`${issuer}/callback/google`, {
          method: 'POST',
          headers: { origin: 'https://google.example', 'sec-fetch-site': 'cross-site' },
          body: new URLSearchParams({ state, code: 'ada' }),
        }),
      );
    const rounds = [readRedirect(await post()).href, readRedirect(await post()).href];
    const [first = '', second = ''] = rounds;
    expect(readCode(await browser.visit(first))).not.toBe('');
    await expectCompletedPage(await browser.visit(first), 'signed-in', gptDestination);
    await expectCompletedPage(await browser.visit(second), 'signed-in', gptDestination);
    deployment.advance(61);
    await expectCompletedPage(await browser.visit(first), 'signed-in', gptDestination);
    expect(asked).toHaveLength(1);
  });
});

describe('B22 a second way to the provider', () => {
  const createForgetfulProvider = () => {
    const plain = createProvider('google', 'Google');
    return deployWithSingleUseProvider(
      {},
      { reconsentUrl: (_, upstreamRequest, io) => plain.authorizationUrl(upstreamRequest, io) },
    );
  };

  it('B22.7 second way: the first callback again sends nobody anywhere', async () => {
    const { asked, deployment } = createForgetfulProvider();
    const { browser, callbackUrl, returnFromProvider } = await continueToProvider(deployment);
    const before = repeatRequest(
      deployment,
      callbackUrl({ code: 'ada' }),
      buildCookieHeader(browser.cookies),
    );
    const again = readRedirect(await returnFromProvider({ code: 'ada' }));
    expect(again.origin).toBe('https://google.example');
    await expectCompletedPage(await returnFromProvider({ code: 'ada' }), 'signed-in', gptDestination);
    await expectCompletedPage(await before(), 'signed-in', gptDestination);
    expect(asked).toHaveLength(1);
    const state = again.searchParams.get('state') ?? '';
    const answer = new URLSearchParams({ state, code: 'ada', refresh: 'r-1' });
    expect(readCode(await browser.visit(`${issuer}/callback/google?${answer}`))).not.toBe('');
  });

  it.each<[string, Query]>([
    ['brought a token', { code: 'ada', refresh: 'r-1' }],
    ['was refused', { error: 'access_denied' }],
  ])('B22.7 second way: of many that %s one makes a code', async (_, query) => {
    const { deployment } = createForgetfulProvider();
    const { browser, returnFromProvider } = await continueToProvider(deployment);
    const state = readRedirect(await returnFromProvider({ code: 'ada' })).searchParams.get('state') ?? '';
    const url = `${issuer}/callback/google?${new URLSearchParams({ state, ...query })}`;
    const again = repeatRequest(deployment, url, buildCookieHeader(browser.cookies));
    const responses = await Promise.all([again(), again(), again()]);
    const [first, ...others] = responses.toSorted((one, other) => one.status - other.status);
    if (first === undefined) throw new Error('no response');
    for (const response of [...others, await again(), await browser.visit(url)])
      await expectCompletedPage(response, 'signed-in', gptDestination);
    expect((await redeem(deployment, gpt, readCode(first))).status).toBe(200);
    await expectCompletedPage(await again(), 'signed-in', gptDestination);
  });

  it('B22.7 second way: in two processes at once one makes a code', async () => {
    const { provider, storage, deployment } = createForgetfulProvider();
    const other = deploy({ providers: [provider], storage });
    const { browser, returnFromProvider } = await continueToProvider(deployment);
    const state = readRedirect(await returnFromProvider({ code: 'ada' })).searchParams.get('state') ?? '';
    const url = `${issuer}/callback/google?${new URLSearchParams({ state, error: 'access_denied' })}`;
    const cookie = buildCookieHeader(browser.cookies);
    const responses = await Promise.all([deployment, other].map((one) => repeatRequest(one, url, cookie)()));
    expect(responses.map(({ status }) => status).toSorted()).toEqual([303, 400]);
  });

  it('B22.7 second way: makes no code for a grant that ended meanwhile', async () => {
    const { storage, deployment } = createForgetfulProvider();
    const { browser, returnFromProvider } = await continueToProvider(deployment);
    const state = readRedirect(await returnFromProvider({ code: 'ada' })).searchParams.get('state') ?? '';
    const userId = (await storage.findUser({ provider: 'google', subject: 'ada' })) ?? '';
    await storage.deleteUser({ userId, actor: 'user', now: deployment.now() });
    const answer = new URLSearchParams({ state, code: 'ada', refresh: 'r-1' });
    const response = await browser.visit(`${issuer}/callback/google?${answer}`);
    await expectCompletedPage(response, 'ended', gptDestination);
  });
});

/** Sent to a provider from a form of the account page; where a browser comes back to. */
const sentFrom = async (
  accountBrowser: AccountBrowser,
  action: string,
  fields: Query,
  code: string,
): Promise<string> => {
  const sent = readRedirect(await accountBrowser.post(action, fields));
  const state = sent.searchParams.get('state') ?? '';
  return `${sent.searchParams.get('redirect_uri')}?${new URLSearchParams({ state, code })}`;
};

describe('B22 the account page', () => {
  it('B22.8 account sign-in: again leaves the session alone', async () => {
    const { asked, deployment } = deployWithSingleUseProvider();
    const accountBrowser = createAccountBrowser(deployment);
    const url = await sentFrom(accountBrowser, '/sign-in', { choice: 'google' }, 'ada');
    const before = repeatRequest(deployment, url, buildCookieHeader(accountBrowser.cookies));
    expect(readRedirect(await accountBrowser.visit(url)).pathname).toBe('/account');
    const session = accountBrowser.cookies.get('__Host-session');
    for (const again of [() => accountBrowser.visit(url), before, before])
      await expectCompletedPage(await again(), 'signed-in', accountDestination);
    expect(accountBrowser.cookies.get('__Host-session')).toBe(session);
    expect((await accountBrowser.openAccountPage()).kind).toBe('account');
    expect(asked).toHaveLength(1);
  });

  it('B22.8 account sign-in: of five at once one begins a session', async () => {
    const { asked, deployment } = deployWithSingleUseProvider();
    const accountBrowser = createAccountBrowser(deployment);
    const url = await sentFrom(accountBrowser, '/sign-in', { choice: 'google' }, 'ada');
    const again = repeatRequest(deployment, url, buildCookieHeader(accountBrowser.cookies));
    const responses = await Promise.all(Array.from({ length: 5 }, again));
    expect(responses.map(({ status }) => status).toSorted()).toEqual([303, 400, 400, 400, 400]);
    expect(asked).toHaveLength(1);
  });

  it('B22.8 account sign-in: a proof that comes again proves nothing more', async () => {
    const { deployment } = deployWithSingleUseProvider();
    const accountBrowser = createAccountBrowser(deployment);
    await accountBrowser.signInToAccount();
    const url = await sentFrom(accountBrowser, '/sign-in', { choice: 'google', purpose: 'prove' }, 'ada');
    await accountBrowser.visit(url);
    const session = accountBrowser.cookies.get('__Host-session');
    deployment.advance(301);
    await expectCompletedPage(await accountBrowser.visit(url), 'signed-in', accountDestination);
    expect(accountBrowser.cookies.get('__Host-session')).toBe(session);
  });

  it('B22.8 account sign-in: after signing out signs nobody in', async () => {
    const { deployment } = deployWithSingleUseProvider();
    const accountBrowser = createAccountBrowser(deployment);
    const url = await sentFrom(accountBrowser, '/sign-in', { choice: 'google' }, 'ada');
    await accountBrowser.visit(url);
    await accountBrowser.post('/sign-out');
    await expectCompletedPage(await accountBrowser.visit(url), 'ended', accountDestination);
    expect((await accountBrowser.openAccountPage()).kind).toBe('sign-in');
  });

  it('B22.8 account sign-in: a refusal at the provider can be followed by another answer', async () => {
    const { deployment } = deployWithSingleUseProvider();
    const accountBrowser = createAccountBrowser(deployment);
    const url = await sentFrom(accountBrowser, '/sign-in', { choice: 'google' }, 'ada');
    const denied = new URL(url);
    denied.searchParams.delete('code');
    denied.searchParams.set('error', 'access_denied');
    await accountBrowser.visit(denied.href);
    expect(accountBrowser.cookies.get('__Host-notice')).toBe('not-confirmed');
    expect(listTransactionCookies(accountBrowser.cookies)).toEqual([]);
  });

  it('B22.9 linking: the page that asks, reloaded, leads to the account, and its form still works', async () => {
    const { asked, storage, deployment } = deployWithSingleUseProvider();
    const accountBrowser = createAccountBrowser(deployment);
    await accountBrowser.signInToAccount('ada', 'other');
    const url = await sentFrom(accountBrowser, '/link', { choice: 'google' }, 'cat');
    const before = repeatRequest(deployment, url, buildCookieHeader(accountBrowser.cookies));
    const page = await (await accountBrowser.visit(url)).text();
    for (const again of [() => accountBrowser.visit(url), before, before])
      await expectCompletedPage(await again(), 'linked', accountDestination);
    expect(asked).toHaveLength(1);
    expect(await storage.findUser({ provider: 'google', subject: 'cat' })).toBeUndefined();
    const fields = { link: readHiddenField(page, 'link'), confirm: '1' };
    await accountBrowser.post('/link/confirm', fields, readHiddenField(page, 'form'));
    expect(await storage.findUser({ provider: 'google', subject: 'cat' })).toBeDefined();
    await expectCompletedPage(await accountBrowser.visit(url), 'linked', accountDestination);
  });

  it('B22.9 linking: of five at once one asks', async () => {
    const { asked, deployment } = deployWithSingleUseProvider();
    const accountBrowser = createAccountBrowser(deployment);
    await accountBrowser.signInToAccount('ada', 'other');
    const url = await sentFrom(accountBrowser, '/link', { choice: 'google' }, 'cat');
    const again = repeatRequest(deployment, url, buildCookieHeader(accountBrowser.cookies));
    const responses = await Promise.all(Array.from({ length: 5 }, again));
    expect(responses.map(({ status }) => status).toSorted()).toEqual([200, 400, 400, 400, 400]);
    expect(asked).toHaveLength(1);
  });
});
