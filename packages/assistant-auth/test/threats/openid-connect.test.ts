/** The parameters of OpenID Connect in the authorization request (OpenID Connect Core §3.1.2.1). */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type BrokerOptions, StorageUnavailable } from '../../src/index.ts';
import { memoryStorage } from '../../src/storage/memory.ts';
import { type AccountBrowser, createAccountBrowser, readButtonValues } from '../account-browser.ts';
import { appRequest, createTestBrowser, gptRequest, readRedirect } from '../browser.ts';
import { type Deployment, deploy, gptRedirect, issuer } from '../deployment.ts';
import { expectErrorPage, expectErrorRedirect, expectTransactionEnded } from '../expect-error.ts';
import { createProvider } from '../fake-provider.ts';
import { continueToProvider } from '../flows.ts';
import { createFakeIssuer, createOidcProvider } from '../providers/fake-issuer.ts';
import { createSpyProvider } from '../spy-provider.ts';
import { createSpyStorage, type SpyStorage } from '../spy-storage.ts';
import { readLines } from '../ui/read-markup.ts';

type Query = Readonly<Record<string, string>>;

const loginRequired = {
  to: gptRedirect,
  state: gptRequest.state,
  error: 'login_required',
  description: 'The user must sign in, but prompt=none allows no page.',
};
const consentRequired = {
  to: gptRedirect,
  state: gptRequest.state,
  error: 'consent_required',
  description: 'The user must consent, but prompt=none allows no page.',
};

/** Signs Ada in at the account page, which starts a session that sign-in pages offer to continue in. */
const startSession = async (
  changes: Partial<BrokerOptions> = {},
  providerResponse: Query = { refresh: 'r-1' },
) => {
  const storage = createSpyStorage(changes.storage);
  const deployment = deploy({ ...changes, storage });
  const browser = createAccountBrowser(deployment);
  await browser.signInToAccount('ada', 'google', providerResponse);
  return { deployment, browser, storage };
};

/** Opens the sign-in page, and returns the choices that it offers, with what its form posts. */
const openSignInPage = async (browser: AccountBrowser, query: Query) => {
  const { response, consent } = await browser.openSignInPage(query);
  expect(response.status).toBe(200);
  return { consent, choices: readButtonValues(await response.text(), 'choice') };
};

const withSession = ['continue', 'google', 'other'];
const withoutSession = ['google', 'other'];

describe('prompt=none', () => {
  const silent = (prompt: string, others: Query = {}) => ({ ...gptRequest, prompt, ...others });

  const silentRequests: readonly Query[] = [
    ...['none', ' none ', 'none consent', 'consent none', 'none none'].map((prompt) => silent(prompt)),
    silent('none', { max_age: '86400' }),
    silent('none', { display: 'popup', ui_locales: 'de', id_token_hint: 'x', claims: '{' }),
  ];

  const strictRequests: readonly Query[] = [
    ...['none login', 'select_account none', 'none create', 'none None'].map((prompt) => silent(prompt)),
    ...['0', '59', '-1', 'x'].map((max_age) => silent('none', { max_age })),
  ];

  const expectNoGrant = (storage: SpyStorage) =>
    expect(storage.calls.filter((name) => name === 'recordSignIn')).toHaveLength(1);

  it.each([...silentRequests, ...strictRequests])(
    'D3.1 prompt=none: without a session the client gets login_required: %j',
    async (query) => {
      const storage = createSpyStorage();
      const deployment = deploy({ storage });
      const browser = createTestBrowser(deployment);
      expectErrorRedirect((await browser.openSignInPage(query)).response, loginRequired);
      expect(browser.cookies.size).toBe(0);
      expect(storage.calls).toEqual([]);
      expect(deployment.log.at(-1)).toMatchObject({
        ...{ event: 'refused', endpoint: 'authorize', reason: 'prompt.login-required', clientId: 'gpt' },
      });
    },
  );

  it.each(silentRequests)(
    'D3.1 prompt=none: with a session the client gets consent_required, and no cookie is set: %j',
    async (query) => {
      const { deployment, browser, storage } = await startSession();
      deployment.advance(60);
      const cookies = [...browser.cookies];
      expectErrorRedirect((await browser.openSignInPage(query)).response, consentRequired);
      expect([...browser.cookies]).toEqual(cookies);
      expectNoGrant(storage);
    },
  );

  it.each(strictRequests)(
    'D3.1 prompt=none: a session that the client does not accept counts as none: %j',
    async (query) => {
      const { deployment, browser, storage } = await startSession();
      deployment.advance(60);
      expectErrorRedirect((await browser.openSignInPage(query)).response, loginRequired);
      expectNoGrant(storage);
    },
  );

  it('D3.1 prompt=none: a session that has ended or can’t be continued counts as none', async () => {
    const { browser, deployment } = await startSession();
    deployment.advance(7 * 86_400);
    expectErrorRedirect((await browser.openSignInPage(silent('none'))).response, loginRequired);
    browser.cookies.set('__Host-session', 'garbage');
    expectErrorRedirect((await browser.openSignInPage(silent('none'))).response, loginRequired);
    const withoutToken = await startSession({}, {});
    const { response } = await withoutToken.browser.openSignInPage(silent('none'));
    expectErrorRedirect(response, loginRequired);
  });

  it('D3.1 prompt=none: values in several parameters count as one list', async () => {
    const { browser } = await startSession();
    for (const prompts of ['prompt=none&prompt=consent', 'prompt=&prompt=none', 'prompt=consent%20none']) {
      const url = `${issuer}/authorize?${new URLSearchParams(gptRequest)}&${prompts}`;
      expectErrorRedirect(await browser.visit(url), consentRequired);
    }
  });

  it.each([
    ['login_required', { response_type: 'code' }, loginRequired.description],
    ['unsupported_response_type', { response_type: 'token' }, 'Only the response type code is supported.'],
    ['invalid_scope', { scope: 'words admin' }, expect.any(String)],
    ['invalid_target', { resource: 'https://evil.example' }, 'The requested resource is unknown.'],
    ['invalid_request', { code_challenge: '' }, 'The parameter code_challenge is malformed.'],
    ['invalid_request', { response_mode: 'fragment' }, 'Only the response mode query is supported.'],
  ])(
    'D3.1 prompt=none: an invalid request gets its own error %s: %j',
    async (error, changes, description) => {
      const browser = createTestBrowser(deploy());
      const { response } = await browser.openSignInPage({ ...appRequest, prompt: 'none', ...changes });
      expectErrorRedirect(response, { to: appRequest.redirect_uri, state: 'app-state', error, description });
    },
  );

  it.each([
    [
      'temporarily_unavailable',
      new StorageUnavailable('down'),
      'The service is temporarily unavailable. Try again in a moment.',
    ],
    ['server_error', new Error('a defect'), 'Something went wrong on our side.'],
  ])(
    'D3.1 prompt=none: the client gets %s if the session can’t be read',
    async (error, thrown, description) => {
      let isFailing = false;
      const memory = memoryStorage();
      const storage = {
        ...memory,
        useSession: (args: Parameters<typeof memory.useSession>[0]) =>
          isFailing ? Promise.reject(thrown) : memory.useSession(args),
      };
      const { deployment, browser } = await startSession({ storage });
      isFailing = true;
      const { response } = await browser.openSignInPage(silent('none'));
      expectErrorRedirect(response, { to: gptRedirect, state: gptRequest.state, error, description });
      const { response: withoutCookie } = await createTestBrowser(deployment).openSignInPage(silent('none'));
      expectErrorRedirect(withoutCookie, loginRequired);
    },
  );

  it('D3.1 prompt=none: no value of another parameter leads to a page', async () => {
    const { browser } = await startSession();
    const name = fc.constantFrom('prompt', 'max_age', 'display', 'id_token_hint', 'claims', 'scope', 'nonce');
    const value = fc.oneof(fc.constantFrom('none', 'login', 'consent', '0', 'words'), fc.string());
    await fc.assert(
      fc.asyncProperty(fc.dictionary(name, value), value, async (others, extra) => {
        const query = new URLSearchParams({ ...gptRequest, ...others });
        query.append('prompt', extra);
        query.append('prompt', 'none');
        const redirect = readRedirect(await browser.visit(`${issuer}/authorize?${query}`));
        expect(redirect.origin + redirect.pathname).toBe(gptRedirect);
        expect([...redirect.searchParams.keys()]).toEqual(['error', 'error_description', 'state', 'iss']);
      }),
    );
  });

  it.each<[string, Query, string]>([
    ['unknown client', { client_id: 'nobody' }, 'The app that sent you here is not registered with us.'],
    ['no client', { client_id: '' }, 'The parameter client_id is missing.'],
    [
      'unregistered redirect URI',
      { redirect_uri: 'https://evil.example/' },
      'The redirect URI is not registered for this app.',
    ],
    [
      'redirect URI of another client',
      { redirect_uri: appRequest.redirect_uri },
      'The redirect URI is not registered for this app.',
    ],
    ['no redirect URI', { redirect_uri: '' }, 'The parameter redirect_uri is missing.'],
    [
      'state with a line break',
      { state: 'a\r\nb' },
      'The parameter state contains characters that are not allowed.',
    ],
  ])('D3.2 unverified: nothing is redirected, with a session or without: %s', async (_, changes, message) => {
    const { deployment, browser } = await startSession();
    for (const one of [browser, createTestBrowser(deployment)])
      for (const prompt of ['none', 'none login', 'consent none']) {
        const { response } = await one.openSignInPage(silent(prompt, changes));
        await expectErrorPage(response, deployment, message);
      }
  });

  it('D3.2 unverified: a repeated redirect URI is not redirected to', async () => {
    const { deployment, browser } = await startSession();
    const query = new URLSearchParams(silent('none'));
    query.append('redirect_uri', 'https://evil.example/');
    const response = await browser.visit(`${issuer}/authorize?${query}`);
    await expectErrorPage(response, deployment, 'A parameter was sent more than once.');
  });
});

describe('max_age and prompt=login', () => {
  const notice = 'This app requires a more recent sign-in. Please sign in again.';

  const expectNotice = async (response: Response) => {
    expect(response.status).toBe(200);
    const page = await response.text();
    expect((await readLines(page))[3]).toBe(notice);
    expect(readButtonValues(page, 'choice')).toEqual(withoutSession);
    return /name="consent" value="([^"]*)"/.exec(page)?.[1] ?? '';
  };

  it('D3.3 max_age at the offer: a session is offered until its sign-in is too old', async () => {
    const { deployment, browser } = await startSession();
    const choicesFor = async (max_age: string) =>
      (await openSignInPage(browser, { ...gptRequest, max_age })).choices;
    expect(await choicesFor('1')).toEqual(withSession);
    expect(await choicesFor('0')).toEqual(withoutSession);
    deployment.advance(60);
    expect(await choicesFor('60')).toEqual(withSession);
    expect(await choicesFor('99999999999999999999')).toEqual(withSession);
    expect(await choicesFor('59')).toEqual(withoutSession);
    for (const strict of ['0', '-60', '60s']) expect(await choicesFor(strict)).toEqual(withoutSession);
    deployment.advance(1);
    expect(await choicesFor('60')).toEqual(withoutSession);
  });

  it.each(['login', 'select_account', 'consent login', 'create'])(
    'D3.3 max_age at the offer: no session is offered, however new it is: prompt=%s',
    async (prompt) => {
      const { browser, storage } = await startSession();
      const { consent, choices } = await openSignInPage(browser, { ...gptRequest, prompt });
      expect(choices).toEqual(withoutSession);
      const response = await browser.submitConsent(consent, { choice: 'continue' });
      expect(response.status).toBe(200);
      expect(readButtonValues(await response.text(), 'choice')).toEqual(withoutSession);
      expect(storage.calls.filter((name) => name === 'recordSignIn')).toHaveLength(1);
    },
  );

  it('D3.3 max_age at the submit: a sign-in that has become too old is not continued', async () => {
    const { deployment, browser, storage } = await startSession();
    const { consent } = await openSignInPage(browser, { ...gptRequest, max_age: '60' });
    deployment.advance(60);
    const inTime = readRedirect(await browser.submitConsent(consent, { choice: 'continue' }));
    expect([...inTime.searchParams.keys()]).toEqual(['code', 'state', 'iss']);
    deployment.advance(1);
    const nextConsent = await expectNotice(await browser.submitConsent(consent, { choice: 'continue' }));
    expect(storage.calls.filter((name) => name === 'recordSignIn')).toHaveLength(2);
    // The next form has the same requirement, and the session is not ended.
    expect((await browser.submitConsent(nextConsent, { choice: 'continue' })).status).toBe(200);
    expect((await browser.openAccountPage()).kind).toBe('account');
  });

  it('D3.3 max_age at the provider: the form that is shown again still requires it', async () => {
    const google = createSpyProvider();
    const { deployment, browser } = await startSession({
      providers: [google, createProvider('other', 'Other')],
    });
    const { consent } = await openSignInPage(browser, { ...gptRequest, max_age: '60' });
    deployment.advance(61);
    const nextConsent = await expectNotice(await browser.submitConsent(consent, { choice: 'continue' }));
    await browser.submitConsent(nextConsent, { choice: 'google' });
    expect(google.authorizationRequests.at(-1)).toMatchObject({
      reauthenticate: { since: deployment.now() - 60, maxAge: 60 },
    });
  });

  it.each<[Query, object]>([
    [{}, {}],
    [{ prompt: 'consent', ui_locales: 'de', id_token_hint: 'x' }, {}],
    [{ prompt: 'login' }, { reauthenticate: { since: 0 } }],
    [{ max_age: '0' }, { reauthenticate: { since: 0 } }],
    [{ max_age: 'soon' }, { reauthenticate: { since: 0 } }],
    [{ max_age: '100' }, { reauthenticate: { since: -100, maxAge: 100 } }],
    [{ max_age: '100', prompt: 'login' }, { reauthenticate: { since: 0 } }],
    [{ prompt: 'select_account' }, { selectAccount: true }],
    [{ prompt: 'login select_account' }, { reauthenticate: { since: 0 }, selectAccount: true }],
  ])(
    'D3.3 max_age at the provider: it gets what the client requires, and nothing else: %j',
    async (changes, expected) => {
      const google = createSpyProvider();
      const deployment = deploy({ providers: [google] });
      const { authorizationUrl, returnFromProvider } = await continueToProvider(deployment, {
        ...gptRequest,
        ...changes,
      });
      const startedAt = deployment.now();
      deployment.advance(30);
      await returnFromProvider({ code: google.buildCode(authorizationUrl, 'ada') });
      const relative = [...google.authorizationRequests, ...google.tokenRequests].map(
        ({ redirectUri: _, state, nonce, codeVerifier, reauthenticate, ...others }) => ({
          ...others,
          ...(reauthenticate && {
            reauthenticate: { ...reauthenticate, since: reauthenticate.since - startedAt },
          }),
        }),
      );
      expect(relative).toEqual([expected, expected]);
    },
  );

  /** Signs in at an issuer whose ID token has this `auth_time`, in seconds relative to the start. */
  const signInAtIssuer = async (required: Query, authTime: number | undefined) => {
    const acme = createFakeIssuer();
    const deployment: Deployment = deploy({ providers: [createOidcProvider(acme)], fetch: acme.io.fetch });
    const request = { ...gptRequest, ...required };
    const { authorizationUrl, returnFromProvider } = await continueToProvider(deployment, request, 'acme');
    const nonce = authorizationUrl.searchParams.get('nonce');
    const claims = authTime === undefined ? { nonce } : { nonce, auth_time: deployment.now() + authTime };
    acme.override({ claims });
    return {
      parameters: [authorizationUrl.searchParams.get('prompt'), authorizationUrl.searchParams.get('max_age')],
      response: await returnFromProvider({ code: 'code-1' }),
      deployment,
    };
  };

  it.each<[string, Query, number, readonly unknown[]]>([
    ['prompt=login', { prompt: 'login' }, -30, ['login', '0']],
    ['max_age=0', { max_age: '0' }, -30, ['login', '0']],
    ['max_age=600', { max_age: '600' }, -630, [null, '600']],
  ])('D3.3 auth_time proves the sign-in: %s', async (_, required, oldest, parameters) => {
    const accepted = await signInAtIssuer(required, oldest);
    expect([...readRedirect(accepted.response).searchParams.keys()]).toEqual(['code', 'state', 'iss']);
    expect(accepted.parameters).toEqual(parameters);
    for (const authTime of [oldest - 1, undefined]) {
      const refused = await signInAtIssuer(required, authTime);
      expectTransactionEnded(refused.response);
      expectErrorRedirect(refused.response, {
        to: gptRedirect,
        state: gptRequest.state,
        error: 'server_error',
        description: "We couldn't verify the response from the sign-in provider.",
      });
      expect(refused.deployment.log.at(-1)).toMatchObject({
        reason: 'provider.invalid',
        cause: expect.stringContaining(
          authTime === undefined ? 'the ID token has no auth_time' : 'the user did not authenticate again',
        ),
      });
      expect(
        await refused.deployment.storage.findUser({ provider: 'acme', subject: 'person-1' }),
      ).toBeUndefined();
    }
  });
});

describe('id_token_hint', () => {
  const encode = (value: object) => btoa(JSON.stringify(value)).replace(/=+$/, '');
  /** An ID token for another person, as an attacker would make it: nothing verifies its signature. */
  const hint = [{ alg: 'RS256' }, { iss: issuer, sub: 'eve', email: 'eve@example.com' }]
    .map(encode)
    .concat('c2ln')
    .join('.');

  it('D3.4 of another person: changes nothing on the page, and reveals nothing', async () => {
    const { browser } = await startSession();
    const readPage = async (query: Query) => {
      const { response, consent } = await browser.openSignInPage(query);
      return [response.status, (await response.text()).replace(consent, '')];
    };
    const page = await readPage(gptRequest);
    expect(page[1]).toContain('ada@example.com');
    for (const id_token_hint of [hint, 'ada', '', 'x'.repeat(9999)])
      expect(await readPage({ ...gptRequest, id_token_hint, login_hint: 'eve@example.com' })).toEqual(page);
  });

  it('D3.4 of another person: does not change the result of prompt=none', async () => {
    const { browser, deployment } = await startSession();
    const query = { ...gptRequest, prompt: 'none', id_token_hint: hint };
    expectErrorRedirect((await browser.openSignInPage(query)).response, consentRequired);
    expectErrorRedirect((await createTestBrowser(deployment).openSignInPage(query)).response, loginRequired);
  });
});
