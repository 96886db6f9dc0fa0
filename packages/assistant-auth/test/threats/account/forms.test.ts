import { describe, expect, it } from 'vitest';
import {
  type AccountBrowser,
  createAccountBrowser,
  expectFormRejected,
  readButtonValues,
  staleFormMessage,
} from '../../account-browser.ts';
import { createTestBrowser, gptRequest } from '../../browser.ts';
import { gpt, obtainTokens } from '../../clients.ts';
import { type Deployment, deploy, issuer } from '../../deployment.ts';
import { expectCookiesPage } from '../../expect-error.ts';
import { createProvider } from '../../fake-provider.ts';
import { listBindingCookies } from '../../flows.ts';
import { readMarkup } from '../../ui/read-markup.ts';

const actions = [
  '/sign-in',
  '/sign-out',
  '/apps/end',
  '/link',
  '/link/confirm',
  '/unlink',
  '/export',
  '/delete',
] as const;

const fields = { choice: 'google', all: '1', confirm: 'yes', identity: 'x', link: 'x' };

const signedIn = async (deployment: Deployment = deploy()) => {
  const accountBrowser = createAccountBrowser(deployment);
  await accountBrowser.signInToAccount();
  return { deployment, accountBrowser };
};

/** Nobody was signed out, disconnected, sent anywhere or deleted. */
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

describe('B3', () => {
  it.each(actions)('B3.1 other origin: POST /account%s', async (action) => {
    const { deployment, accountBrowser } = await signedIn();
    const { form } = await accountBrowser.openAccountPage();
    for (const headers of [
      { origin: 'https://evil.example' },
      { origin: issuer, 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
    ])
      await expectUntouched(deployment, accountBrowser, await send(accountBrowser, action, headers, form));
  });

  it.each(actions)('B3.2 `Origin: null`: POST /account%s', async (action) => {
    const { deployment, accountBrowser } = await signedIn();
    const { form } = await accountBrowser.openAccountPage();
    await expectUntouched(
      deployment,
      accountBrowser,
      await send(accountBrowser, action, { origin: 'null' }, form),
    );
  });

  it.each(actions)('B3.3 no cookie: POST /account%s', async (action) => {
    const { deployment, accountBrowser } = await signedIn();
    const { form } = await accountBrowser.openAccountPage();
    for (const name of listBindingCookies(accountBrowser.cookies)) accountBrowser.cookies.delete(name);
    const response = await send(accountBrowser, action, { origin: issuer }, form);
    await expectCookiesPage(response, deployment, 'account');
    expect((await accountBrowser.openAccountPage()).kind).toBe('account');
  });

  it.each(actions)('B3.4 the attacker’s own valid form: POST /account%s', async (action) => {
    const { deployment, accountBrowser } = await signedIn();
    const mallory = createAccountBrowser(deployment);
    await mallory.signInToAccount('mallory');
    const { form } = await mallory.openAccountPage();
    await expectUntouched(
      deployment,
      accountBrowser,
      await send(accountBrowser, action, { origin: issuer }, form),
    );
    const foreign = await createAccountBrowser(deployment).openAccountPage();
    await expectUntouched(
      deployment,
      accountBrowser,
      await send(accountBrowser, action, { origin: issuer }, foreign.form),
    );
  });
});

describe('B4', () => {
  it('B4.1 framing: no page of the account may be framed', async () => {
    for (const page of await everyPage()) {
      expect(page.headers.get('x-frame-options')).toBe('DENY');
      expect(page.headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
    }
  });
});

const markup = `"'><script src=//evil.example></script><img src=x onerror=alert(1)>`;

/** Every kind of page of the account, of somebody whose providers and apps are called strange things. */
const everyPage = async (): Promise<readonly Response[]> => {
  const named = (id: string) => ({
    ...createProvider(id, `Provider ${markup}`),
    handleCallback: async (answer: URL) => ({
      provider: id,
      subject: answer.searchParams.get('code') ?? '',
      label: `label ${markup}`,
      emailVerified: false,
      claims: {},
    }),
  });
  const deployment = deploy({ providers: [named('google'), named('other')] });
  await obtainTokens(deployment, gpt);
  const accountBrowser = createAccountBrowser(deployment);
  const out = (await accountBrowser.openAccountPage()).response;
  await accountBrowser.signInToAccount('subject-1');
  const account = (await accountBrowser.openAccountPage()).response;
  const link = await accountBrowser.submitThroughProvider('/link', { choice: 'other' }, { code: 'cat' });
  const owner = createAccountBrowser(deployment);
  await owner.signInToAccount('dog', 'other');
  const taken = await accountBrowser.submitThroughProvider('/link', { choice: 'other' }, { code: 'dog' });
  const refused = await accountBrowser.post('/unlink', { identity: markup });
  return [out, account, link, taken, refused];
};

describe('W1', () => {
  it('W1.1 markup: stays text on every page of the account', async () => {
    for (const page of await everyPage()) {
      const pieces = await readMarkup(await page.text());
      const tags = pieces.flatMap((one) => ('tag' in one ? [one.tag] : []));
      expect(tags).not.toContain('script');
      expect(tags).not.toContain('img');
    }
  });

  it('W1.2 strict CSP: the account’s pages load from their own origin alone', async () => {
    for (const page of await everyPage())
      expect(page.headers.get('content-security-policy')).toContain(
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'",
      );
  });

  it('W1.3 no inline script: no page of the account has one, nor a style', async () => {
    for (const page of await everyPage()) {
      for (const piece of await readMarkup(await page.text())) {
        if (!('tag' in piece)) continue;
        expect(['script', 'style', 'iframe', 'object', 'embed', 'base']).not.toContain(piece.tag);
        for (const [name, value] of Object.entries(piece.attributes)) {
          expect(name).not.toMatch(/^(on|style$|srcdoc$)/i);
          expect(value).not.toMatch(/^\s*(javascript|data):/i);
        }
      }
    }
  });
});

describe('W2', () => {
  it('W2.1 flags: the account’s cookies are Secure, HttpOnly and SameSite=Lax', async () => {
    const { accountBrowser } = await signedIn();
    const responses = [
      await accountBrowser.signInToAccount(),
      (await accountBrowser.openAccountPage()).response,
      await accountBrowser.post('/sign-out'),
    ];
    const lines = responses.flatMap(({ headers }) => headers.getSetCookie());
    expect(lines).toHaveLength(6);
    for (const line of lines)
      expect(line).toMatch(/^__Host-[\w-]+=[^;]*; Path=\/; Secure; HttpOnly; SameSite=Lax(; Max-Age=\d+)?$/);
  });
});

describe('W3', () => {
  it('W3.1 no-store: nothing of an account is kept by a cache', async () => {
    const { accountBrowser } = await signedIn();
    for (const response of [...(await everyPage()), await accountBrowser.post('/export')])
      expect(response.headers.get('cache-control')).toBe('no-store');
  });
});

describe('W4', () => {
  it('W4.1 no CORS with credentials: no page or file of an account is readable from elsewhere', async () => {
    const { accountBrowser } = await signedIn();
    const headers = { origin: 'https://evil.example' };
    for (const response of [
      await accountBrowser.visit(`${issuer}/account`, { headers }),
      await accountBrowser.post('/export'),
    ])
      expect([...response.headers.keys()].join()).not.toContain('access-control');
  });
});

describe('W6', () => {
  const garbage: readonly (readonly [string, RequestInit])[] = [
    ['W6.1 oversized bodies', { body: new URLSearchParams({ form: 'x'.repeat(20_000) }) }],
    ['W6.2 odd content types', { body: '{"form":"x"}', headers: { 'content-type': 'application/json' } }],
    ['W6.3 repeated parameters', { body: new URLSearchParams('form=a&form=b') }],
    ['W6.4 anything at all: nothing', {}],
    ['W6.4 anything at all: no form', { body: new URLSearchParams({ choice: 'google' }) }],
    ['W6.4 anything at all: bytes', { body: new Uint8Array([255, 254, 0]) }],
    ['W6.4 anything at all: a sealed text of another kind', { body: new URLSearchParams({ form: 'AQI' }) }],
  ];

  it.each(garbage)('%s: every form answers 4xx and does nothing', async (_, init) => {
    const { deployment, accountBrowser } = await signedIn();
    for (const action of actions) {
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
    const { deployment, accountBrowser } = await signedIn();
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
    await expectFormRejected(response, deployment, 'A parameter is given more than once.');
  });

  it('W6.4 anything at all: garbage in every cookie is nobody', async () => {
    const { accountBrowser } = await signedIn();
    for (const value of ['', 'x', '%', 'AQI', 'A'.repeat(5000)]) {
      for (const name of ['__Host-session', '__Host-csrf-12345678', '__Host-notice'])
        accountBrowser.cookies.set(name, value);
      expect((await accountBrowser.openAccountPage()).kind).toBe('sign-in');
    }
  });
});

describe('W8', () => {
  it('W8.1 secret: no line about an account holds a token, a key or whom it is about', async () => {
    const deployment = deploy();
    const accountBrowser = createAccountBrowser(deployment);
    await accountBrowser.signInToAccount('ada.lovelace');
    const theirs = { code: 'their-subject', refresh: 'their-refresh-token' };
    await accountBrowser.submitThroughProvider('/link', { choice: 'other' }, theirs);
    await accountBrowser.post('/export');
    await accountBrowser.post('/delete', { confirm: 'yes' });
    const log = JSON.stringify(deployment.log);
    const session = accountBrowser.cookies.get('__Host-session') ?? 'none';
    for (const word of ['ada.lovelace', ...Object.values(theirs), 'example.com', session])
      expect(log).not.toContain(word);
  });
});

describe('W10', () => {
  it.each([
    ['', 'GET', ['POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS']],
    ...actions.map((action) => [action, 'POST', ['GET', 'HEAD', 'PUT', 'OPTIONS']] as const),
  ] as const)('W10.1 override: /account%s answers %s alone', async (path, allowed, others) => {
    const { deployment, accountBrowser } = await signedIn();
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
});

it('T5.2 a cookie as token: neither a session nor a form is a token, a code or a consent', async () => {
  const { deployment, accountBrowser } = await signedIn();
  const { form } = await accountBrowser.openAccountPage();
  const session = accountBrowser.cookies.get('__Host-session') ?? '';
  for (const token of [session, form]) {
    const call = new Request(`${issuer}/api`, { headers: { authorization: `Bearer ${token}` } });
    expect((await deployment.broker.protect(call)).kind).toBe('refused');
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
