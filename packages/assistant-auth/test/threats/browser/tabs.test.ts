/** Several tabs of one browser: pages opened at the same moment, before the browser has any cookie of ours. */
import { describe, expect, it } from 'vitest';
import {
  createAccountBrowser,
  expectAccountRedirect,
  readButtonValues,
  readHiddenField,
} from '../../account-browser.ts';
import { createTestBrowser, gptRequest, readRedirect, type TestBrowser } from '../../browser.ts';
import { type Deployment, deploy, highUserLimits, issuer } from '../../deployment.ts';
import { expectErrorPage, missingTransactionMessage } from '../../expect-error.ts';
import {
  buildCookieHeader,
  listBindingCookies,
  listCompletionCookies,
  listTransactionCookies,
  startAuthorization,
} from '../../flows.ts';

const authorize = `${issuer}/authorize?${new URLSearchParams(gptRequest)}`;
const account = `${issuer}/account`;

const orders = [
  ['in their order', (responses: readonly Response[]) => responses],
  ['in reverse', (responses: readonly Response[]) => responses.toReversed()],
  [
    'the first one last',
    ([first, ...others]: readonly Response[]) => (first === undefined ? others : [...others, first]),
  ],
] as const;

/** Opens pages in one browser at the same moment: no request brings a cookie that another's response sets. */
const openAtOnce = async (
  deployment: Deployment,
  browser: TestBrowser,
  urls: readonly string[],
  arrive: (responses: readonly Response[]) => readonly Response[],
): Promise<readonly string[]> => {
  const cookie = buildCookieHeader(browser.cookies);
  const headers = cookie === '' ? {} : { cookie };
  const responses = await Promise.all(urls.map((url) => deployment.fetch(new Request(url, { headers }))));
  for (const response of arrive(responses))
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (line.endsWith('Max-Age=0')) browser.cookies.delete(name);
      else browser.cookies.set(name, value);
    }
  return Promise.all(responses.map((response) => response.text()));
};

const stateOf = (response: Response): string => readRedirect(response).searchParams.get('state') ?? '';

/** Signs in from a sign-in page; whether the client gets a code. */
const signInFrom = async (browser: TestBrowser, page: string): Promise<boolean> => {
  const sent = await browser.submitConsent(readHiddenField(page, 'consent'), { choice: 'google' });
  const answer = new URLSearchParams({ state: stateOf(sent), code: 'ada' });
  return readRedirect(await browser.visit(`${issuer}/callback/google?${answer}`)).searchParams.has('code');
};

describe('B20', () => {
  it.each(orders)(
    'B20.1 two tabs opened at once at the first visit: both sign in, cookies arriving %s',
    async (_, arrive) => {
      const deployment = deploy();
      for (const use of [
        (pages: readonly string[]) => pages,
        (pages: readonly string[]) => pages.toReversed(),
      ]) {
        const browser = createTestBrowser(deployment);
        const pages = await openAtOnce(deployment, browser, [authorize, authorize], arrive);
        expect(listBindingCookies(browser.cookies)).toHaveLength(2);
        for (const page of use(pages)) expect(await signInFrom(browser, page)).toBe(true);
      }
    },
  );

  it.each(orders)('B20.2 30 tabs at once: every one signs in, cookies arriving %s', async (_, arrive) => {
    const deployment = deploy({ limits: highUserLimits });
    const browser = createTestBrowser(deployment);
    const pages = await openAtOnce(deployment, browser, Array(30).fill(authorize), arrive);
    expect(listBindingCookies(browser.cookies)).toHaveLength(30);
    for (const page of pages) {
      expect(await signInFrom(browser, page)).toBe(true);
      expect(buildCookieHeader(browser.cookies).length).toBeLessThan(6_000);
    }
    expect(listBindingCookies(browser.cookies)).toHaveLength(30);
  });

  it('B20.2 30 tabs at once: pages that are opened later add no cookie', async () => {
    const deployment = deploy();
    const browser = createTestBrowser(deployment);
    await openAtOnce(deployment, browser, Array(30).fill(authorize), (responses) => responses);
    for (let later = 0; later < 3; later++) {
      expect(
        await signInFrom(browser, await (await browser.openSignInPage(gptRequest)).response.text()),
      ).toBe(true);
      expect(listBindingCookies(browser.cookies)).toHaveLength(30);
    }
  });

  it('B20.2 30 tabs at once: beside abandoned sign-ins and a session all cookies stay below 6 kB', async () => {
    const deployment = deploy();
    const accountBrowser = createAccountBrowser(deployment);
    const pages = await openAtOnce(
      deployment,
      accountBrowser,
      Array(30).fill(authorize),
      (responses) => responses,
    );
    await accountBrowser.signInToAccount();
    for (const page of pages.slice(0, 5)) await signInFrom(accountBrowser, page);
    for (const page of pages)
      await accountBrowser.submitConsent(readHiddenField(page, 'consent'), { choice: 'google' });
    expect(listTransactionCookies(accountBrowser.cookies)).toHaveLength(5);
    expect(listCompletionCookies(accountBrowser.cookies)).toHaveLength(3);
    expect(listBindingCookies(accountBrowser.cookies)).toHaveLength(30);
    expect(buildCookieHeader(accountBrowser.cookies).length).toBeLessThan(6_000);
  });

  it.each(orders)('B20.3 account tabs: two first visits, cookies arriving %s', async (_, arrive) => {
    const deployment = deploy();
    const accountBrowser = createAccountBrowser(deployment);
    const [one = '', two = ''] = await openAtOnce(deployment, accountBrowser, [account, account], arrive);
    for (const page of [one, two]) {
      const response = await accountBrowser.post(
        '/sign-in',
        { choice: 'google' },
        readHiddenField(page, 'form'),
      );
      expect(stateOf(response)).not.toBe('');
    }
  });

  it.each(orders)('B20.3 account tabs: beside a sign-in page, cookies arriving %s', async (_, arrive) => {
    const deployment = deploy();
    const accountBrowser = createAccountBrowser(deployment);
    const [page = '', own = ''] = await openAtOnce(deployment, accountBrowser, [authorize, account], arrive);
    const sent = await accountBrowser.post('/sign-in', { choice: 'google' }, readHiddenField(own, 'form'));
    const answer = new URLSearchParams({ state: stateOf(sent), code: 'ada' });
    await accountBrowser.visit(`${issuer}/callback/google?${answer}`);
    expect((await accountBrowser.openAccountPage()).kind).toBe('account');
    expect(await signInFrom(accountBrowser, page)).toBe(true);
    expect((await accountBrowser.openAccountPage()).kind).toBe('account');
  });

  it('B20.3 account tabs: a page that arrives late signs nobody out who signed in meanwhile', async () => {
    const deployment = deploy();
    const accountBrowser = createAccountBrowser(deployment);
    const late = await deployment.fetch(new Request(account));
    await accountBrowser.signInToAccount();
    for (const line of late.headers.getSetCookie()) expect(line).toMatch(/^__Host-csrf-/);
    expect((await accountBrowser.openAccountPage()).kind).toBe('account');
  });

  it('B20.3 account tabs: a page that arrives late keeps what another is about to say', async () => {
    const deployment = deploy();
    const accountBrowser = createAccountBrowser(deployment);
    await accountBrowser.signInToAccount();
    const session = accountBrowser.cookies.get('__Host-session');
    const late = await deployment.fetch(
      new Request(account, { headers: { cookie: `__Host-session=${session}` } }),
    );
    expect(late.headers.getSetCookie()).toHaveLength(1);
    const { form } = await accountBrowser.openAccountPage();
    await expectAccountRedirect(
      accountBrowser,
      await accountBrowser.post('/delete', {}, form),
      'delete-not-confirmed',
    );
  });

  it('B20.3 account tabs: the page that asks about a link is bound to a browser without a binding cookie, too', async () => {
    const deployment = deploy();
    const accountBrowser = createAccountBrowser(deployment);
    await accountBrowser.signInToAccount();
    const sent = await accountBrowser.post('/link', { choice: 'other' });
    for (const name of listBindingCookies(accountBrowser.cookies)) accountBrowser.cookies.delete(name);
    const answer = new URLSearchParams({ state: stateOf(sent), code: 'cat' });
    const page = await (await accountBrowser.visit(`${issuer}/callback/other?${answer}`)).text();
    const fields = { link: readHiddenField(page, 'link'), confirm: '1' };
    const { html } = await expectAccountRedirect(
      accountBrowser,
      await accountBrowser.post('/link/confirm', fields, readHiddenField(page, 'form')),
      'linked',
    );
    expect(readButtonValues(html, 'identity')).toHaveLength(2);
  });

  it('B20.4 30 consents submitted at once: the newest sign in, the others learn what to do', async () => {
    const deployment = deploy();
    const browser = createTestBrowser(deployment);
    const pages = await openAtOnce(deployment, browser, Array(30).fill(authorize), (responses) => responses);
    const sent = await Promise.all(
      pages.map((page) => browser.submitConsent(readHiddenField(page, 'consent'), { choice: 'google' })),
    );
    const states = sent.map(stateOf);
    expect(listTransactionCookies(browser.cookies)).toHaveLength(30);
    const visit = (state: string) =>
      browser.visit(`${issuer}/callback/google?${new URLSearchParams({ state, code: 'ada' })}`);
    for (const state of states.slice(-6).toReversed())
      expect(readRedirect(await visit(state)).searchParams.has('code')).toBe(true);
    expect(listTransactionCookies(browser.cookies).length).toBeLessThanOrEqual(5);
    for (const state of states.slice(0, 8))
      await expectErrorPage(await visit(state), deployment, missingTransactionMessage);
  });

  it('B20.4 30 consents submitted at once: two at the same moment both sign in', async () => {
    const deployment = deploy();
    const { browser, consent } = await startAuthorization(deployment);
    const sent = await Promise.all([1, 2].map(() => browser.submitConsent(consent, { choice: 'google' })));
    for (const state of sent.map(stateOf)) {
      const answer = new URLSearchParams({ state, code: 'ada' });
      const back = readRedirect(await browser.visit(`${issuer}/callback/google?${answer}`));
      expect(back.searchParams.has('code')).toBe(true);
    }
  });

  it('B20.5 another browser’s form: 30 cookies of one’s own make it no better', async () => {
    const deployment = deploy();
    const [victim, attacker] = [createTestBrowser(deployment), createTestBrowser(deployment)];
    const own = await openAtOnce(deployment, victim, Array(30).fill(authorize), (responses) => responses);
    const foreign = await openAtOnce(deployment, attacker, Array(30).fill(authorize), (all) => all);
    for (const page of foreign) {
      const response = await victim.submitConsent(readHiddenField(page, 'consent'), { choice: 'google' });
      await expectErrorPage(
        response,
        deployment,
        'This page has expired or belongs to another browser. Go back to the app and start again.',
      );
      expect(deployment.log.at(-1)).toMatchObject({ reason: 'consent.csrf' });
    }
    expect(await signInFrom(victim, own[0] ?? '')).toBe(true);
  });

  it('B20.5 another browser’s form: nor do the attacker’s cookies under names that only look like ours', async () => {
    const deployment = deploy();
    const attacker = createTestBrowser(deployment);
    const { consent } = await attacker.openSignInPage(gptRequest);
    const [name = ''] = listBindingCookies(attacker.cookies);
    const value = attacker.cookies.get(name);
    for (const planted of [`\u00a0${name}`, name.slice(7), name.toLowerCase(), `__Host-csrf`, `${name}x`]) {
      const victim = createTestBrowser(deployment, { cookie: `${planted}=${value}` });
      const { status } = await victim.submitConsent(consent, { choice: 'google' });
      expect([planted, status]).toEqual([planted, 400]);
    }
  });
});
