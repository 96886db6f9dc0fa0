/** Attacks on the account page: its forms, linking, login transactions and sessions. */
import { describe, expect, it } from 'vitest';
import {
  type IdentityProvider,
  ProviderError,
  type RecheckResult,
  type RevocationScope,
} from '../../src/index.ts';
import {
  type AccountBrowser,
  accountActions,
  createAccountBrowser,
  createSignedInBrowser,
  expectAccountRedirect,
  expectFormRejected,
  readButtonValues,
  readHiddenField,
  staleFormMessage,
} from '../account-browser.ts';
import { createTestBrowser, gptRequest, readRedirect } from '../browser.ts';
import { gpt, obtainTokens, refresh } from '../clients.ts';
import { type Deployment, deploy, issuer } from '../deployment.ts';
import {
  accountDestination,
  expectCompletedPage,
  expectCookiesPage,
  expectErrorPage,
  expectInvalidToken,
  missingTransactionMessage,
} from '../expect-error.ts';
import { createProvider } from '../fake-provider.ts';
import { listBindingCookies } from '../flows.ts';
import { createSpyProvider } from '../spy-provider.ts';
import { readMarkup } from '../ui/read-markup.ts';

describe('forms', () => {
  const fields = {
    choice: 'google',
    all: '1',
    confirm: 'yes',
    identity: 'x',
    link: 'x',
    device: 'x',
    linked: 'x',
  };

  /** Expects that nothing was signed out, disconnected or deleted. */
  const expectUntouched = async (
    deployment: Deployment,
    accountBrowser: AccountBrowser,
    response: Response,
  ) => {
    await expectFormRejected(response, deployment, staleFormMessage);
    expect((await accountBrowser.openAccountPage()).kind).toBe('account');
  };

  const send = (
    accountBrowser: AccountBrowser,
    action: string,
    headers: Readonly<Record<string, string>>,
    form: string,
  ) =>
    accountBrowser.visit(`${issuer}/account${action}`, {
      method: 'POST',
      headers,
      body: new URLSearchParams({ form, ...fields }),
    });

  it.each(accountActions)('B3.1 other origin: POST /account%s', async (action) => {
    const { deployment, accountBrowser } = await createSignedInBrowser();
    const { form } = await accountBrowser.openAccountPage();
    for (const headers of [
      { origin: 'https://evil.example' },
      { origin: issuer, 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
    ])
      await expectUntouched(deployment, accountBrowser, await send(accountBrowser, action, headers, form));
  });

  it.each(accountActions)('B3.2 `Origin: null`: POST /account%s', async (action) => {
    const { deployment, accountBrowser } = await createSignedInBrowser();
    const { form } = await accountBrowser.openAccountPage();
    await expectUntouched(
      deployment,
      accountBrowser,
      await send(accountBrowser, action, { origin: 'null' }, form),
    );
  });

  it.each(accountActions)('B3.3 no cookie: POST /account%s', async (action) => {
    const { deployment, accountBrowser } = await createSignedInBrowser();
    const { form } = await accountBrowser.openAccountPage();
    for (const name of listBindingCookies(accountBrowser.cookies)) accountBrowser.cookies.delete(name);
    const response = await send(accountBrowser, action, { origin: issuer }, form);
    await expectCookiesPage(response, deployment, 'account');
    expect((await accountBrowser.openAccountPage()).kind).toBe('account');
  });

  it.each(accountActions)('B3.4 the attacker’s own valid form: POST /account%s', async (action) => {
    const { deployment, accountBrowser } = await createSignedInBrowser();
    const mallory = createAccountBrowser(deployment);
    await mallory.signInToAccount('mallory');
    const { form } = await mallory.openAccountPage();
    await expectUntouched(
      deployment,
      accountBrowser,
      await send(accountBrowser, action, { origin: issuer }, form),
    );
    const otherPage = await createAccountBrowser(deployment).openAccountPage();
    await expectUntouched(
      deployment,
      accountBrowser,
      await send(accountBrowser, action, { origin: issuer }, otherPage.form),
    );
  });

  it('B4.1 framing: no page of the account can be framed', async () => {
    for (const page of await collectPages()) {
      expect(page.headers.get('x-frame-options')).toBe('DENY');
      expect(page.headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
    }
  });

  const markup = `"'><script src=//evil.example></script><img src=x onerror=alert(1)>`;

  /** Every page of the account, of a user whose providers and apps have unusual names. */
  const collectPages = async (): Promise<readonly Response[]> => {
    const createNamedProvider = (id: string) => ({
      ...createProvider(id, `Provider ${markup}`),
      handleCallback: async (callbackUrl: URL) => ({
        provider: id,
        subject: callbackUrl.searchParams.get('code') ?? '',
        label: `label ${markup}`,
        emailVerified: false,
        claims: {},
      }),
    });
    const deployment = deploy({ providers: [createNamedProvider('google'), createNamedProvider('other')] });
    await obtainTokens(deployment, gpt);
    const accountBrowser = createAccountBrowser(deployment);
    const signInPage = (await accountBrowser.openAccountPage()).response;
    await accountBrowser.signInToAccount('subject-1');
    const account = (await accountBrowser.openAccountPage()).response;
    const link = await accountBrowser.submitThroughProvider('/link', { choice: 'other' }, { code: 'cat' });
    const owner = createAccountBrowser(deployment);
    await owner.signInToAccount('dog', 'other');
    const conflictPage = await accountBrowser.submitThroughProvider(
      '/link',
      { choice: 'other' },
      { code: 'dog' },
    );
    const refusedPage = await accountBrowser.post('/unlink', { identity: markup });
    return [signInPage, account, link, conflictPage, refusedPage];
  };

  it('W1.1 markup: is escaped on every page of the account', async () => {
    for (const page of await collectPages()) {
      const tokens = await readMarkup(await page.text());
      const tags = tokens.flatMap((token) => ('tag' in token ? [token.tag] : []));
      expect(tags).not.toContain('script');
      expect(tags).not.toContain('img');
    }
  });

  it('W1.2 strict CSP: account pages load files only from their own origin', async () => {
    for (const page of await collectPages())
      expect(page.headers.get('content-security-policy')).toContain(
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'",
      );
  });

  it('W1.3 no inline script: no account page has an inline script or style', async () => {
    for (const page of await collectPages()) {
      for (const token of await readMarkup(await page.text())) {
        if (!('tag' in token)) continue;
        expect(['script', 'style', 'iframe', 'object', 'embed', 'base']).not.toContain(token.tag);
        for (const [name, value] of Object.entries(token.attributes)) {
          expect(name).not.toMatch(/^(on|style$|srcdoc$)/i);
          expect(value).not.toMatch(/^\s*(javascript|data):/i);
        }
      }
    }
  });

  it('W2.1 flags: cookies of the account page are Secure, HttpOnly and SameSite=Lax', async () => {
    const { accountBrowser } = await createSignedInBrowser();
    const responses = [
      await accountBrowser.signInToAccount(),
      (await accountBrowser.openAccountPage()).response,
      await accountBrowser.post('/sign-out'),
    ];
    const lines = responses.flatMap(({ headers }) => headers.getSetCookie());
    expect(lines).toHaveLength(7);
    for (const line of lines)
      expect(line).toMatch(/^__Host-[\w-]+=[^;]*; Path=\/; Secure; HttpOnly; SameSite=Lax(; Max-Age=\d+)?$/);
  });

  it('W3.1 no-store: no response about an account can be cached', async () => {
    const { accountBrowser } = await createSignedInBrowser();
    for (const response of [...(await collectPages()), await accountBrowser.post('/export')])
      expect(response.headers.get('cache-control')).toBe('no-store');
  });

  it('W4.1 no CORS with credentials: no page or file of an account can be read from another origin', async () => {
    const { accountBrowser } = await createSignedInBrowser();
    const headers = { origin: 'https://evil.example' };
    for (const response of [
      await accountBrowser.visit(`${issuer}/account`, { headers }),
      await accountBrowser.post('/export'),
    ])
      expect([...response.headers.keys()].join()).not.toContain('access-control');
  });

  const invalidRequests: readonly (readonly [string, RequestInit])[] = [
    ['W6.1 oversized bodies', { body: new URLSearchParams({ form: 'x'.repeat(20_000) }) }],
    ['W6.2 odd content types', { body: '{"form":"x"}', headers: { 'content-type': 'application/json' } }],
    ['W6.3 repeated parameters', { body: new URLSearchParams('form=a&form=b') }],
    ['W6.4 anything at all: nothing', {}],
    ['W6.4 anything at all: no form', { body: new URLSearchParams({ choice: 'google' }) }],
    ['W6.4 anything at all: bytes', { body: new Uint8Array([255, 254, 0]) }],
    ['W6.4 anything at all: a sealed text of another kind', { body: new URLSearchParams({ form: 'AQI' }) }],
  ];

  it.each(invalidRequests)('%s: every form responds with 4xx and changes nothing', async (_, init) => {
    const { deployment, accountBrowser } = await createSignedInBrowser();
    for (const action of accountActions) {
      const response = await accountBrowser.visit(`${issuer}/account${action}`, {
        method: 'POST',
        ...init,
        headers: { origin: issuer, ...init.headers },
      });
      expect([action, response.status >= 400 && response.status < 500]).toEqual([action, true]);
      expect(deployment.log.at(-1)?.reason).not.toBe('unexpected');
    }
    expect((await accountBrowser.openAccountPage()).kind).toBe('account');
  });

  it('W6.3 repeated parameters: also beside the form itself', async () => {
    const { deployment, accountBrowser } = await createSignedInBrowser();
    const { form } = await accountBrowser.openAccountPage();
    const body = new URLSearchParams([
      ['form', form],
      ['confirm', 'yes'],
      ['confirm', 'yes'],
    ]);
    const response = await accountBrowser.visit(`${issuer}/account/delete`, {
      method: 'POST',
      headers: { origin: issuer },
      body,
    });
    await expectFormRejected(response, deployment, 'A parameter was sent more than once.');
  });

  it('W6.4 anything at all: garbage in every cookie shows the sign-in page', async () => {
    const { accountBrowser } = await createSignedInBrowser();
    for (const value of ['', 'x', '%', 'AQI', 'A'.repeat(5000)]) {
      for (const name of ['__Host-session', '__Host-csrf-12345678', '__Host-notice'])
        accountBrowser.cookies.set(name, value);
      expect((await accountBrowser.openAccountPage()).kind).toBe('sign-in');
    }
  });

  it('W8.1 secret: no log line about an account contains a token, a key or personal data', async () => {
    const deployment = deploy();
    const accountBrowser = createAccountBrowser(deployment);
    await accountBrowser.signInToAccount('ada.lovelace');
    const providerResponse = { code: 'their-subject', refresh: 'their-refresh-token' };
    await accountBrowser.submitThroughProvider('/link', { choice: 'other' }, providerResponse);
    await accountBrowser.post('/export');
    await accountBrowser.post('/delete', { confirm: 'yes' });
    const log = JSON.stringify(deployment.log);
    const session = accountBrowser.cookies.get('__Host-session') ?? 'none';
    for (const value of ['ada.lovelace', ...Object.values(providerResponse), 'example.com', session])
      expect(log).not.toContain(value);
  });

  it.each([
    ['', 'GET', ['POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS']],
    ...accountActions.map((action) => [action, 'POST', ['GET', 'HEAD', 'PUT', 'OPTIONS']] as const),
  ] as const)('W10.1 override: /account%s accepts only %s', async (path, allowed, others) => {
    const { deployment, accountBrowser } = await createSignedInBrowser();
    for (const method of others) {
      const response = await createTestBrowser(deployment).visit(`${issuer}/account${path}?_method=POST`, {
        method,
        headers: { 'x-http-method-override': 'POST' },
      });
      expect(response.status).toBe(405);
      expect(response.headers.get('allow')).toBe(allowed);
    }
    expect((await accountBrowser.openAccountPage()).kind).toBe('account');
  });

  it('T5.2 a cookie as token: neither a session nor a form is accepted as a token, a code or a consent', async () => {
    const { deployment, accountBrowser } = await createSignedInBrowser();
    const { form } = await accountBrowser.openAccountPage();
    const session = accountBrowser.cookies.get('__Host-session') ?? '';
    for (const token of [session, form]) {
      const request = new Request(`${issuer}/api`, { headers: { authorization: `Bearer ${token}` } });
      expect((await deployment.broker.protect(request)).ok).toBe(false);
      expect((await accountBrowser.submitConsent(token, { choice: 'google' })).status).toBe(400);
    }
    const { consent } = await accountBrowser.openSignInPage(gptRequest);
    await expectFormRejected(
      await accountBrowser.post('/delete', fields, consent),
      deployment,
      staleFormMessage,
    );
    await expectFormRejected(
      await accountBrowser.post('/delete', fields, session),
      deployment,
      staleFormMessage,
    );
    accountBrowser.cookies.set('__Host-session', form);
    expect((await accountBrowser.openAccountPage()).kind).toBe('sign-in');
    expect(readButtonValues((await accountBrowser.openAccountPage()).html, 'identity')).toEqual([]);
  });
});

describe('linking identities', () => {
  const cat = { provider: 'other', subject: 'cat' } as const;

  const findLinkedUser = (deployment: Deployment) => deployment.storage.findUser(cat);

  const signInToAccount = async (deployment: Deployment, subject: string): Promise<AccountBrowser> => {
    const accountBrowser = createAccountBrowser(deployment);
    await accountBrowser.signInToAccount(subject);
    return accountBrowser;
  };

  /** Starts to link the other provider, and returns the callback URL. */
  const startLink = async (accountBrowser: AccountBrowser) => {
    const authorizationUrl = readRedirect(await accountBrowser.post('/link', { choice: 'other' }));
    const state = authorizationUrl.searchParams.get('state') ?? '';
    return `${authorizationUrl.searchParams.get('redirect_uri')}?${new URLSearchParams({ state, code: 'cat' })}`;
  };

  const openLinkPage = async (accountBrowser: AccountBrowser, url: string) => {
    const html = await (await accountBrowser.visit(url)).text();
    return { link: readHiddenField(html, 'link'), form: readHiddenField(html, 'form') };
  };

  it('B17.1 stale session: an authentication older than five minutes neither starts nor stores a link', async () => {
    const deployment = deploy();
    const ada = await signInToAccount(deployment, 'ada');
    const { link, form } = await openLinkPage(ada, await startLink(ada));
    deployment.advance(300);
    for (const [action, fields] of [
      ['/link', { choice: 'other' }],
      ['/link/confirm', { link, confirm: '1' }],
    ] as const)
      await expectAccountRedirect(ada, await ada.post(action, fields, form), 'confirmation-required');
    expect(await findLinkedUser(deployment)).toBeUndefined();
  });

  it('B17.2 foreign link: the URL of a login transaction links nothing in another browser', async () => {
    const deployment = deploy();
    const [mallory, ada] = [
      await signInToAccount(deployment, 'mallory'),
      await signInToAccount(deployment, 'ada'),
    ];
    await expectErrorPage(await ada.visit(await startLink(mallory)), deployment, missingTransactionMessage);
    expect(await findLinkedUser(deployment)).toBeUndefined();
  });

  it('B17.2 foreign link: a login transaction planted in another browser with its cookie links nothing', async () => {
    const deployment = deploy();
    const [mallory, ada] = [
      await signInToAccount(deployment, 'mallory'),
      await signInToAccount(deployment, 'ada'),
    ];
    const url = await startLink(mallory);
    for (const [name, value] of mallory.cookies)
      if (name.startsWith('__Host-tx-')) ada.cookies.set(name, value);
    await expectErrorPage(await ada.visit(url), deployment, staleFormMessage);
    expect(deployment.log.at(-1)).toMatchObject({ reason: 'session.changed' });
  });

  it('B17.2 foreign link: a confirmation that was issued to another user links nothing', async () => {
    const deployment = deploy();
    const [mallory, ada] = [
      await signInToAccount(deployment, 'mallory'),
      await signInToAccount(deployment, 'ada'),
    ];
    const linkPage = await openLinkPage(mallory, await startLink(mallory));
    await expectFormRejected(
      await ada.post('/link/confirm', { link: linkPage.link, confirm: '1' }),
      deployment,
      staleFormMessage,
    );
    await expectFormRejected(
      await ada.post('/link/confirm', { link: linkPage.link, confirm: '1' }, linkPage.form),
      deployment,
      staleFormMessage,
    );
    expect(await findLinkedUser(deployment)).toBeUndefined();
  });

  it('B17.3 session switched meanwhile: a user who signs in during the login transaction is linked to nothing', async () => {
    const deployment = deploy();
    const browser = await signInToAccount(deployment, 'ada');
    const url = await startLink(browser);
    await browser.signInToAccount('bob');
    await expectErrorPage(await browser.visit(url), deployment, staleFormMessage);
    expect(await findLinkedUser(deployment)).toBeUndefined();
  });

  it('B17.3 session switched meanwhile: the same user in another session is linked to nothing', async () => {
    const deployment = deploy();
    const browser = await signInToAccount(deployment, 'ada');
    const url = await startLink(browser);
    await browser.reauthenticate('ada');
    await expectErrorPage(await browser.visit(url), deployment, staleFormMessage);
    expect(await findLinkedUser(deployment)).toBeUndefined();
  });

  it('B17.3 session switched meanwhile: a user who signs in while a confirmation or a page is open is linked to nothing', async () => {
    const deployment = deploy();
    const browser = await signInToAccount(deployment, 'ada');
    const { link, form } = await openLinkPage(browser, await startLink(browser));
    const page = await browser.openAccountPage();
    await browser.signInToAccount('bob');
    await expectFormRejected(
      await browser.post('/link/confirm', { link, confirm: '1' }, form),
      deployment,
      staleFormMessage,
    );
    const newForm = (await browser.openAccountPage()).form;
    await expectFormRejected(
      await browser.post('/link/confirm', { link, confirm: '1' }, newForm),
      deployment,
      staleFormMessage,
    );
    for (const action of ['/delete', '/export', '/apps/disconnect', '/sign-out', '/link'])
      await expectFormRejected(
        await browser.post(action, { confirm: 'yes', all: '1', choice: 'other' }, page.form),
        deployment,
        staleFormMessage,
      );
    expect(await findLinkedUser(deployment)).toBeUndefined();
    expect((await browser.openAccountPage()).html).toContain('bob@example.com');
  });

  it('B17.3 session switched meanwhile: Continue signs in only the user whom the page names', async () => {
    const deployment = deploy();
    const browser = createAccountBrowser(deployment);
    await browser.signInToAccount('ada', 'google', { refresh: 'r-1' });
    const { consent } = await browser.openSignInPage({
      response_type: 'code',
      client_id: 'gpt',
      redirect_uri: 'https://chat.openai.com/aip/g-1234567890abcdef1234567890abcdef/oauth/callback',
    });
    await browser.signInToAccount('bob', 'google', { refresh: 'r-2' });
    const response = await browser.submitConsent(consent, { choice: 'continue' });
    expect(response.status).toBe(200);
    expect(readButtonValues(await response.text(), 'choice')).toEqual(['google', 'other']);
  });

  it('B17.4 provider session reused silently: every login transaction from the account page requests reauthentication', async () => {
    const [google, other] = [createSpyProvider(), createSpyProvider('other')];
    const deployment = deploy({ providers: [google, other] });
    const accountBrowser = await signInToAccount(deployment, 'ada');
    deployment.advance(10);
    await accountBrowser.reauthenticate('ada');
    await startLink(accountBrowser);
    const since = deployment.now();
    expect(google.authorizationRequests.map(({ reauthenticate }) => reauthenticate)).toEqual([
      { since: since - 10 },
      { since },
    ]);
    expect(google.tokenRequests.map(({ reauthenticate }) => reauthenticate)).toEqual([
      { since: since - 10 },
      { since },
    ]);
    expect(other.authorizationRequests.map(({ reauthenticate }) => reauthenticate)).toEqual([{ since }]);
  });

  it('B17.4 provider session reused silently: links nothing if the provider reuses a session', async () => {
    const google = createProvider('google', 'Google');
    const deployment = deploy({
      providers: [google, { ...createProvider('other', 'Other'), handleCallback: rejectReauthentication }],
    });
    const accountBrowser = await signInToAccount(deployment, 'ada');
    const response = await accountBrowser.visit(await startLink(accountBrowser));
    expect(response.status).toBe(500);
    expect(await findLinkedUser(deployment)).toBeUndefined();
  });

  /** Fails as the OpenID Connect providers do if `auth_time` is before the start of the login transaction. */
  const rejectReauthentication = async () => {
    throw new ProviderError('invalid', 'the user did not authenticate again');
  };
});

describe('signed-in devices and new identities', () => {
  const goneMessage = 'This item is no longer in your account.';

  const signInAs = async (deployment: Deployment, subject: string): Promise<AccountBrowser> => {
    const accountBrowser = createAccountBrowser(deployment);
    await accountBrowser.signInToAccount(subject);
    return accountBrowser;
  };

  const linkAs = async (accountBrowser: AccountBrowser, subject: string): Promise<void> => {
    const page = await accountBrowser.submitThroughProvider('/link', { choice: 'other' }, { code: subject });
    const html = await page.text();
    const [link, form] = [readHiddenField(html, 'link'), readHiddenField(html, 'form')];
    await accountBrowser.post('/link/confirm', { link, confirm: '1' }, form);
  };

  const readKeys = async (accountBrowser: AccountBrowser, name: string): Promise<readonly string[]> =>
    readButtonValues((await accountBrowser.openAccountPage()).html, name);

  /** Adds an identity, and signs in again with the first one. The page then has one notice that can be dismissed. */
  const addSignInMethod = async () => {
    const deployment = deploy();
    const ada = await signInAs(deployment, 'ada');
    await linkAs(ada, 'cat');
    deployment.advance(1);
    await ada.reauthenticate();
    const { html, form } = await ada.openAccountPage();
    const [linked = '', ...others] = readButtonValues(html, 'linked');
    expect([linked === '', others]).toEqual([false, []]);
    return { deployment, ada, html, form, linked };
  };

  it('B31.1 a device of another user: its key signs nobody out', async () => {
    const deployment = deploy();
    const [ada, adasPhone] = [await signInAs(deployment, 'ada'), await signInAs(deployment, 'ada')];
    const mallory = await signInAs(deployment, 'mallory');
    const [key = ''] = await readKeys(ada, 'device');
    expect(key).not.toBe('');
    const response = await mallory.post('/devices/sign-out', { device: key });
    await expectFormRejected(response, deployment, goneMessage);
    for (const browser of [ada, adasPhone, mallory])
      expect((await browser.openAccountPage()).kind).toBe('account');
  });

  it('B31.1 a device of another user: not even the ID of its session signs it out', async () => {
    const deployment = deploy();
    const [ada, mallory] = [await signInAs(deployment, 'ada'), await signInAs(deployment, 'mallory')];
    const userId = (await deployment.storage.findUser({ provider: 'google', subject: 'ada' })) ?? '';
    const [session] = (await deployment.storage.readAccount(userId))?.grants ?? [];
    for (const device of [session?.id ?? '', userId])
      await expectFormRejected(await mallory.post('/devices/sign-out', { device }), deployment, goneMessage);
    expect((await ada.openAccountPage()).kind).toBe('account');
  });

  it('B31.2 a key of another kind: signs out no device, disconnects no app and removes no identity', async () => {
    const deployment = deploy();
    const { refresh_token } = await obtainTokens(deployment, gpt);
    const ada = await signInAs(deployment, 'subject-1');
    const phone = await signInAs(deployment, 'subject-1');
    await linkAs(ada, 'cat');
    const [app = ''] = await readKeys(ada, 'app');
    const [identity = ''] = await readKeys(ada, 'identity');
    const [device = ''] = await readKeys(ada, 'device');
    for (const [action, fields] of [
      ['/devices/sign-out', { device: app }],
      ['/devices/sign-out', { device: identity }],
      ['/apps/disconnect', { app: device }],
      ['/unlink', { identity: device }],
      ['/linked/seen', { linked: device }],
    ] as const)
      await expectFormRejected(await ada.post(action, fields), deployment, goneMessage);
    expect((await phone.openAccountPage()).kind).toBe('account');
    expect(await readKeys(ada, 'identity')).toHaveLength(2);
    expect((await ada.openAccountPage()).html).toContain('was added as a sign-in method');
    expect((await refresh(deployment, gpt, refresh_token)).status).toBe(200);
  });

  it('B31.3 a form from an older page: does not dismiss the notice about an identity that was added later', async () => {
    const { deployment, ada, form, linked } = await addSignInMethod();
    await linkAs(await signInAs(deployment, 'ada'), 'dog');
    await expectAccountRedirect(ada, await ada.post('/linked/seen', { linked }, form), undefined);
    const page = (await ada.openAccountPage()).html;
    expect(page).toContain('<bdi translate="no">dog@example.com</bdi>) was added as a sign-in method');
    expect(page).not.toContain('<bdi translate="no">cat@example.com</bdi>) was added as a sign-in method');
  });

  it('B31.3 a form from an older page: does not dismiss the notice if the same identity was removed and added again', async () => {
    const { deployment, ada, html, form, linked } = await addSignInMethod();
    const [, identity = ''] = readButtonValues(html, 'identity');
    const mallory = await signInAs(deployment, 'ada');
    await ada.post('/unlink', { identity });
    deployment.advance(1);
    await linkAs(mallory, 'cat');
    await expectFormRejected(await ada.post('/linked/seen', { linked }, form), deployment, goneMessage);
    expect((await ada.openAccountPage()).html).toContain('was added as a sign-in method');
  });

  it('B31.5 the notice about an added sign-in method: is dismissed only by a later session of another one', async () => {
    const deployment = deploy();
    const earlier = await signInAs(deployment, 'ada');
    deployment.advance(1);
    const ada = await signInAs(deployment, 'ada');
    await linkAs(ada, 'cat');
    deployment.advance(1);
    const later = await signInAs(deployment, 'ada');
    const cat = createAccountBrowser(deployment);
    await cat.signInToAccount('cat', 'other');
    const expectNotice = async (browser: AccountBrowser, isDismissible: boolean) => {
      const { html } = await browser.openAccountPage();
      expect(html).toContain('<bdi translate="no">cat@example.com</bdi>) was added as a sign-in method');
      expect(readButtonValues(html, 'linked')).toHaveLength(isDismissible ? 1 : 0);
    };
    for (const browser of [earlier, ada, cat]) {
      await expectNotice(browser, false);
      // The key of the button that removes an identity is that of its notice.
      const [, linked = ''] = readButtonValues((await browser.openAccountPage()).html, 'identity');
      expect(linked).not.toBe('');
      await expectFormRejected(await browser.post('/linked/seen', { linked }), deployment, goneMessage);
    }
    await expectNotice(later, true);
    await later.post('/linked/seen', { linked: (await readKeys(later, 'linked'))[0] ?? '' });
    for (const browser of [earlier, ada, cat, later])
      expect((await browser.openAccountPage()).html).not.toContain('was added as a sign-in method');
  });

  it('B31.4 a misleading `User-Agent`: no text of the header is stored or shown', async () => {
    const deployment = deploy();
    const userAgent = '<script>Chrome/1 (Bank of Ada, not a Windows device)</script>';
    const mallory = createAccountBrowser(deployment, { 'user-agent': userAgent });
    await mallory.signInToAccount('ada');
    const { html } = await mallory.openAccountPage();
    expect(html).toContain('<bdi translate="no">Chrome, Windows</bdi>');
    const file = await (await mallory.post('/export')).text();
    expect(file).toContain('"device": "Chrome, Windows"');
    for (const text of [html, file]) expect(text).not.toContain('Bank of Ada');
  });
});

describe('login transactions', () => {
  /** Starts a sign-in at the account page, and returns the callback URL. */
  const startSignIn = async (
    accountBrowser: AccountBrowser,
    subject: string,
    provider = 'google',
  ): Promise<URL> => {
    const authorizationUrl = readRedirect(await accountBrowser.post('/sign-in', { choice: provider }));
    const callbackUrl = new URL(authorizationUrl.searchParams.get('redirect_uri') ?? '');
    callbackUrl.search = new URLSearchParams({
      state: authorizationUrl.searchParams.get('state') ?? '',
      code: subject,
    }).toString();
    return callbackUrl;
  };

  const expectNoIdentity = async (
    deployment: Deployment,
    accountBrowser: AccountBrowser,
    response: Response,
    message: string = missingTransactionMessage,
  ) => {
    await expectErrorPage(response, deployment, message);
    expect(accountBrowser.cookies.has('__Host-session')).toBe(false);
    expect((await accountBrowser.openAccountPage()).kind).toBe('sign-in');
  };

  it('B1.1 browser: a consent that offers to continue is valid only in the browser that it was shown to', async () => {
    const deployment = deploy();
    const [ada, mallory] = [createAccountBrowser(deployment), createAccountBrowser(deployment)];
    for (const [accountBrowser, subject] of [
      [ada, 'ada'],
      [mallory, 'mallory'],
    ] as const)
      await accountBrowser.signInToAccount(subject, 'google', { refresh: 'r-1' });
    const { consent } = await mallory.openSignInPage(gptRequest);
    await ada.openSignInPage(gptRequest);
    const response = await ada.submitConsent(consent, { choice: 'continue' });
    await expectErrorPage(response, deployment, 'This page has expired or was opened in another browser.');
  });

  it('B1.5 a transaction cookie before consent: the account page sets none before a provider is chosen', async () => {
    const accountBrowser = createAccountBrowser(deploy());
    await accountBrowser.openAccountPage();
    expect([...accountBrowser.cookies.keys()].filter((name) => name.startsWith('__Host-tx-'))).toEqual([]);
  });

  it('B2.1 opened in the victim’s browser: a provider URL from another user’s account page starts no session', async () => {
    const deployment = deploy();
    const [mallory, ada] = [createAccountBrowser(deployment), createAccountBrowser(deployment)];
    const url = await startSignIn(mallory, 'ada');
    await expectCookiesPage(await ada.visit(url.href), deployment, 'callback');
    expect(ada.cookies.size).toBe(0);
    await ada.openAccountPage();
    await expectNoIdentity(deployment, ada, await ada.visit(url.href));
  });

  it('B5.1 one provider’s response for another’s: starts no session at the account page', async () => {
    const deployment = deploy();
    const ada = createAccountBrowser(deployment);
    const url = await startSignIn(ada, 'ada');
    url.pathname = '/callback/other';
    await expectNoIdentity(deployment, ada, await ada.visit(url.href), missingTransactionMessage);
    expect(await deployment.storage.findUser({ provider: 'other', subject: 'ada' })).toBeUndefined();
  });

  it('B6.1 at the callback: does not sign the victim in to the attacker’s account', async () => {
    const deployment = deploy();
    const [mallory, ada] = [createAccountBrowser(deployment), createAccountBrowser(deployment)];
    await ada.openAccountPage();
    const url = await startSignIn(mallory, 'mallory');
    await expectNoIdentity(deployment, ada, await ada.visit(url.href));
    // The same applies while the victim has a login transaction in progress.
    await startSignIn(ada, 'ada');
    await expectNoIdentity(deployment, ada, await ada.visit(url.href));
  });

  it('B7.1 state replay: a login transaction signs in once, even if its cookie is restored', async () => {
    const deployment = deploy();
    const ada = createAccountBrowser(deployment);
    const url = await startSignIn(ada, 'ada');
    const before = new Map(ada.cookies);
    await ada.visit(url.href);
    await ada.post('/sign-out');
    await expectCompletedPage(await ada.visit(url.href), 'ended', accountDestination);
    for (const [name, value] of before) ada.cookies.set(name, value);
    await expectCompletedPage(await ada.visit(url.href), 'ended', accountDestination);
    expect(ada.cookies.has('__Host-session')).toBe(false);
  });

  it('B7.2 expiry: a login transaction for the account page takes ten minutes at most', async () => {
    const deployment = deploy();
    const ada = createAccountBrowser(deployment);
    const url = await startSignIn(ada, 'ada');
    deployment.advance(600);
    await expectNoIdentity(deployment, ada, await ada.visit(url.href), missingTransactionMessage);
  });

  it('B7.3 two tabs at once: both sign in, and the later one becomes the session', async () => {
    const deployment = deploy();
    const ada = createAccountBrowser(deployment);
    const [first, second] = [await startSignIn(ada, 'ada'), await startSignIn(ada, 'bob', 'other')];
    await ada.visit(second.href);
    expect((await ada.openAccountPage()).html).toContain('bob@example.com');
    await ada.visit(first.href);
    expect((await ada.openAccountPage()).html).toContain('ada@example.com');
  });
});

describe('sessions', () => {
  const createRecheckedProvider = (result: RecheckResult): IdentityProvider => ({
    ...createProvider('google', 'Google'),
    validateRefreshToken: async () => result,
  });

  /** A user whose cookies and forms an attacker copied while the session was active. */
  const createCapturedSession = async (result: RecheckResult = { kind: 'active' }) => {
    const deployment = deploy({
      providers: [createRecheckedProvider(result), createProvider('other', 'Other')],
    });
    const accountBrowser = createAccountBrowser(deployment);
    await accountBrowser.signInToAccount('subject-1', 'google', { refresh: 'r-1' });
    const tokens = await obtainTokens(deployment, gpt);
    const { form } = await accountBrowser.openAccountPage();
    const { consent } = await accountBrowser.openSignInPage(gptRequest);
    const cookies = new Map(accountBrowser.cookies);
    const restoreCookies = () => {
      for (const [name, value] of cookies) accountBrowser.cookies.set(name, value);
      accountBrowser.cookies.delete('__Host-notice');
    };
    return { deployment, accountBrowser, tokens, form, consent, restoreCookies };
  };

  const userOf = async (deployment: Deployment): Promise<string> =>
    (await deployment.storage.findUser({ provider: 'google', subject: 'subject-1' })) ?? 'nobody';

  type CapturedSession = Awaited<ReturnType<typeof createCapturedSession>>;

  /** Expects that the copied cookies open no account page, and that the copied forms change nothing. */
  const expectUseless = async ({
    deployment,
    accountBrowser,
    form,
    consent,
    restoreCookies,
  }: CapturedSession) => {
    const before = await readAccountData(deployment);
    restoreCookies();
    expect((await accountBrowser.openAccountPage()).kind).toBe('sign-in');
    const fields = { all: '1', app: 'gpt chat.openai.com', choice: 'other', identity: 'x', confirm: 'yes' };
    for (const action of accountActions.filter((path) => path !== '/sign-in')) {
      restoreCookies();
      const response = await accountBrowser.post(action, fields, form);
      expect((await expectAccountRedirect(accountBrowser, response, 'session-ended')).kind).toBe('sign-in');
    }
    restoreCookies();
    const page = await (await accountBrowser.openSignInPage(gptRequest)).response.text();
    expect(readButtonValues(page, 'choice')).toEqual(['google', 'other']);
    restoreCookies();
    const response = await accountBrowser.submitConsent(consent, { choice: 'continue' });
    expect(response.status).toBe(200);
    expect(readButtonValues(await response.text(), 'choice')).toEqual(['google', 'other']);
    expect(await readAccountData(deployment)).toEqual(before);
  };

  const readAccountData = async (deployment: Deployment) =>
    deployment.storage.readAccount(await userOf(deployment));

  it('B16.1 sign-out: the cookie is invalid afterwards', async () => {
    const session = await createCapturedSession();
    await session.accountBrowser.post('/sign-out');
    await expectUseless(session);
  });

  it('B16.2 revoke-all: the cookie is invalid afterwards, from whichever browser it was requested', async () => {
    const session = await createCapturedSession();
    const otherBrowser = createAccountBrowser(session.deployment);
    await otherBrowser.signInToAccount('subject-1');
    await otherBrowser.post('/apps/disconnect', { all: '1' });
    await expectUseless(session);
  });

  it('B16.3 gone at the provider: the refresh that detects it also ends the session', async () => {
    const session = await createCapturedSession({ kind: 'revoked' });
    expect((await refresh(session.deployment, gpt, session.tokens.refresh_token)).status).toBe(401);
    await expectUseless(session);
  });

  /** Records a security event about the user, as the security event endpoints do. */
  const recordSecurityEvent = ({ deployment }: CapturedSession, revocationScope: RevocationScope) =>
    deployment.storage.recordSecurityEvent({
      ...{
        provider: 'google',
        subjectNamespace: 'https://google.example',
        jti: 'event-1',
        reason: 'a security event',
        retainUntil: deployment.now() + 600,
      },
      ...{ signedInBefore: deployment.now(), now: deployment.now() },
      revocations: [{ target: { kind: 'identity', subject: 'subject-1' }, revocationScope }],
    });

  it.each([
    ['B16.4 security event: one that ends every grant', 'identity'],
    ['B16.4 security event: one that ends sessions only', 'sessions'],
    ['B16.5 logout: at the provider', 'online-grants'],
  ] as const)('%s leaves an invalid cookie', async (_, revocationScope) => {
    const session = await createCapturedSession();
    expect(await recordSecurityEvent(session, revocationScope)).toBe('recorded');
    await expectUseless(session);
    const response = await refresh(session.deployment, gpt, session.tokens.refresh_token);
    expect(response.status).toBe(revocationScope === 'identity' ? 401 : 200);
  });

  it('B16.6 deletion: the cookie is invalid afterwards and restores no user', async () => {
    const session = await createCapturedSession();
    await session.accountBrowser.post('/delete', { confirm: 'yes' });
    await expectUseless(session);
    expect(await userOf(session.deployment)).toBe('nobody');
  });

  it('F8.1 deletion: refresh fails at once, the API within ten seconds', async () => {
    const { deployment, accountBrowser, tokens } = await createCapturedSession();
    await accountBrowser.post('/delete', { confirm: 'yes' });
    expect((await refresh(deployment, gpt, tokens.refresh_token)).status).toBe(401);
    await expectInvalidToken(deployment, tokens.access_token);
  });

  it('F8.2 sign-out: revoking everything ends the refresh token, and signing out of one browser does not', async () => {
    const { deployment, accountBrowser, tokens } = await createCapturedSession();
    await accountBrowser.post('/sign-out');
    expect((await refresh(deployment, gpt, tokens.refresh_token)).status).toBe(200);
    await accountBrowser.signInToAccount('subject-1');
    await accountBrowser.post('/apps/disconnect', { all: '1' });
    expect((await refresh(deployment, gpt, tokens.refresh_token)).status).toBe(401);
    await expectInvalidToken(deployment, tokens.access_token);
  });

  it('W12.1 deletion: ends every grant and session, and a late request restores no user', async () => {
    const { deployment, accountBrowser, tokens } = await createCapturedSession();
    const lateBrowser: AccountBrowser = createAccountBrowser(deployment);
    await lateBrowser.signInToAccount('subject-1', 'google', { refresh: 'r-1' });
    const { consent } = await lateBrowser.openSignInPage(gptRequest);
    const { form } = await lateBrowser.openAccountPage();
    await accountBrowser.post('/delete', { confirm: 'yes' });
    await lateBrowser.submitConsent(consent, { choice: 'continue' });
    await lateBrowser.post('/link', { choice: 'other' }, form);
    await refresh(deployment, gpt, tokens.refresh_token);
    expect(await userOf(deployment)).toBe('nobody');
    await deployment.storage.storeUpstreamToken({
      provider: 'google',
      subject: 'subject-1',
      sealedRefreshToken: 'x',
    });
    expect(await userOf(deployment)).toBe('nobody');
  });
});
