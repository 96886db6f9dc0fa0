/** Malformed requests, storage outages, and secrets in the log. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type BrokerStorage,
  type CompleteStorage,
  corsHeaders,
  type SignIn,
  StorageUnavailable,
} from '../../src/index.ts';
import { encodeBase64url } from '../../src/oauth/secrets.ts';
import { memoryStorage } from '../../src/storage/memory.ts';
import {
  appRequest,
  callApi,
  createTestBrowser,
  expectTokens,
  gptRequest,
  gptSignIn,
  readRedirect,
  verifier,
} from '../browser.ts';
import { app, gpt, obtainCode, obtainTokens, redeem, refresh, server, type TestClient } from '../clients.ts';
import {
  type Deployment,
  deploy,
  gptRedirect,
  gptSecret,
  issuer,
  keys,
  serverSecret,
} from '../deployment.ts';
import { expectErrorRedirect } from '../expect-error.ts';
import { buildCookieHeader, continueToProvider, startAuthorization } from '../flows.ts';
import { createSpyStorage } from '../spy-storage.ts';

describe('malformed requests', () => {
  const formType = 'application/x-www-form-urlencoded';

  /** Posts a body to both endpoints that read one. */
  const postToBoth = async (body: () => BodyInit, contentType = formType) => {
    const storage = createSpyStorage();
    const deployment = deploy({ storage });
    const post = async (path: string) =>
      createTestBrowser(deployment).visit(issuer + path, {
        method: 'POST',
        headers: { 'content-type': contentType },
        body: body(),
      });
    const responses = [await post('/token'), await post('/authorize/consent')];
    expect(responses.map(({ headers }) => headers.get('content-type'))).toEqual([
      'application/json',
      'text/html; charset=utf-8',
    ]);
    expect(storage.calls).toEqual([]);
    return { statuses: responses.map(({ status }) => status), reasons: reasonsIn(deployment) };
  };

  const reasonsIn = ({ log }: Deployment) => log.flatMap(({ reason }) => reason ?? []);

  const createStream = (count: number): ReadableStream => {
    let remainingChunks = count * 16;
    return new ReadableStream({
      pull(controller) {
        if (remainingChunks-- > 0) controller.enqueue(new Uint8Array(65_536).fill(0x61));
        else controller.close();
      },
    });
  };

  it.each([
    ['W6.1 oversized body: one field', () => `a=${'x'.repeat(1_000_000)}`],
    ['W6.1 oversized body: many fields', () => 'a=1&'.repeat(100_000)],
    ['W6.1 oversized body: a stream of unknown length', () => createStream(64)],
    ['W6.1 oversized body: not even a form', () => new Uint8Array(1_000_000)],
  ])('%s gets a 413 without being read', async (_, body) => {
    expect(await postToBoth(body)).toEqual({
      statuses: [413, 413],
      reasons: ['request.too-large', 'request.too-large'],
    });
  });

  it.each([
    'text/plain',
    'application/json',
    'multipart/form-data; boundary=x',
    'application/xml',
    'application/x-www-form-urlencoded-not',
    ';',
  ])('W6.2 odd content type: %s gets a 400', async (contentType) => {
    const body = () => new URLSearchParams(gpt.codeRequest('x')).toString();
    expect(await postToBoth(body, contentType)).toEqual({
      statuses: [400, 400],
      reasons: ['request.content-type', 'request.content-type'],
    });
  });

  it('W6.2 odd content type: a body that is not UTF-8 gets a 400', async () => {
    expect(await postToBoth(() => Uint8Array.of(0x61, 0x3d, 0xff))).toEqual({
      statuses: [400, 400],
      reasons: ['request.unreadable', 'request.unreadable'],
    });
  });

  it('W6.3 repeated parameters: get a 400 at every endpoint, and use up no code or token', async () => {
    const deployment = deploy();
    const code = await obtainCode(deployment, gpt);
    const { browser, consent } = await startAuthorization(deployment);
    const { callbackUrl, browser: otherBrowser } = await continueToProvider(deployment);
    const repeatParameter = (form: Readonly<Record<string, string>>, name: string) => {
      const body = new URLSearchParams(form);
      body.append(name, form[name] ?? '');
      return body;
    };
    const post = (path: string, body: URLSearchParams) =>
      browser.visit(issuer + path, { method: 'POST', body });
    const responses = [
      await browser.visit(`${issuer}/authorize?${repeatParameter(gptRequest, 'client_id')}`),
      await post('/authorize/consent', repeatParameter({ consent, choice: 'google' }, 'consent')),
      await post('/authorize/consent', repeatParameter({ consent, choice: 'google' }, 'choice')),
      await otherBrowser.visit(`${callbackUrl({ code: 'ada' })}&state=x`),
      ...(await Promise.all(
        Object.keys(gpt.codeRequest(code)).map((name) =>
          post('/token', repeatParameter(gpt.codeRequest(code), name)),
        ),
      )),
    ];
    expect(responses.map(({ status }) => status)).toEqual(Array.from({ length: 9 }, () => 400));
    expect(new Set(reasonsIn(deployment))).toEqual(new Set(['parameter.repeated']));
    expect((await redeem(deployment, gpt, code)).status).toBe(200);
  });

  it('W6.1 oversized body: a wrong Content-Length is ignored', async () => {
    const response = await deploy().fetch(
      new Request(`${issuer}/token`, {
        method: 'POST',
        headers: { 'content-length': '1000000000', 'content-type': formType },
        body: new URLSearchParams({ ...gpt.codeRequest('x'), client_secret: gptSecret }),
      }),
    );
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: 'invalid_grant' });
  });

  /** Valid requests to every endpoint, and the cookies and values that an attacker could modify them with. */
  const buildValidRequests = async (deployment: Deployment) => {
    const { browser, consent } = await startAuthorization(deployment);
    const { state, browser: otherBrowser } = await continueToProvider(deployment);
    const { access_token, refresh_token } = await gptSignIn(deployment);
    const code = await obtainCode(deployment, gpt);
    const endpoints = [
      ['GET', '/authorize', { ...appRequest, resource: `${issuer}/api`, scope: 'words' }],
      ['GET', '/authorize', gptRequest],
      ['POST', '/authorize/consent', { consent, choice: 'google', cancel: '' }],
      ['POST', '/token', gpt.codeRequest(code)],
      ['POST', '/token', { ...app.codeRequest(code), resource: `${issuer}/api` }],
      ['POST', '/token', { ...gpt.refreshRequest(refresh_token), scope: 'words' }],
      ['GET', '/callback/google', { state, code: 'ada', error: '' }],
      ['GET', '/callback/other', { state, code: 'ada' }],
    ] as const;
    const cookies = [buildCookieHeader(browser.cookies), buildCookieHeader(otherBrowser.cookies)];
    const values = [consent, state, access_token, refresh_token, code, ...cookies, gptSecret];
    return { endpoints, cookies, values };
  };

  /** Mostly valid values, and sometimes other ones. */
  const mostly = <Value>(valid: fc.Arbitrary<Value>, other: fc.Arbitrary<Value>) =>
    fc.oneof({ weight: 4, arbitrary: valid }, { weight: 1, arbitrary: other });

  const mutateRequests = ({ endpoints, cookies, values }: Awaited<ReturnType<typeof buildValidRequests>>) => {
    const text = fc.oneof(
      fc.constantFrom(...values),
      fc.string({ unit: 'binary' }),
      fc.string({ maxLength: 5000 }),
    );
    const names = [...new Set(endpoints.flatMap(([, , form]) => Object.keys(form)))];
    const name = mostly(fc.constantFrom(...names), fc.string());
    const header = fc.oneof(
      fc.constantFrom(...values.map((value) => `Bearer ${value}`), 'Basic Z3B0Og==', 'Basic %', issuer),
      fc.stringMatching(/^[\x20-\x7E]*$/),
    );
    const raw = fc.oneof(fc.stringMatching(/^[!-~]*$/), fc.constantFrom('%', '%ff=%fe', '&&&=', '%00', '?#'));
    return fc.constantFrom(...endpoints).chain(([method, path, form]) => {
      const entries: [string, string][] = Object.entries(form);
      const keptEntries = mostly(fc.constant(entries), fc.subarray(entries));
      const added = mostly(
        fc.constant<[string, string][]>([]),
        fc.array(fc.tuple(name, text), { maxLength: 3 }),
      );
      const changed = fc
        .tuple(keptEntries, fc.nat(), text)
        .map(([pairs, seed, other]): [string, string][] =>
          pairs.map(([key, value], index) => [key, index === seed % pairs.length ? other : value]),
        );
      const pairs = fc
        .tuple(fc.oneof(keptEntries, changed), added)
        .map((all) => String(new URLSearchParams(all.flat())));
      return fc.record({
        path: fc.constant(path),
        method: mostly(
          fc.constant<string>(method),
          fc.constantFrom('GET', 'POST', 'HEAD', 'OPTIONS', 'PROPFIND'),
        ),
        query: mostly(pairs, raw),
        body: mostly<string | Uint8Array>(pairs, fc.uint8Array({ maxLength: 20_000, size: 'max' })),
        headers: fc.record({
          cookie: mostly(fc.constantFrom(...cookies), header),
          'content-type': mostly(fc.constant(formType), header),
          authorization: mostly(fc.constant(''), header),
          origin: mostly(fc.constant(issuer), header),
        }),
      });
    });
  };

  it('W6.4 anything at all: never gets a 5xx, at any endpoint or at the guard', async () => {
    const deployment = deploy();
    await fc.assert(
      fc.asyncProperty(
        mutateRequests(await buildValidRequests(deployment)),
        async ({ path, method, query, body, headers }) => {
          const hasNoBody = method === 'GET' || method === 'HEAD';
          const entries = Object.entries(headers).filter(([, value]) => value !== '');
          const createRequest = () =>
            new Request(`${issuer}${path}?${query}`, {
              method,
              headers: Object.fromEntries(entries),
              body: hasNoBody ? null : bodyOf(body),
            });
          const response = await deployment.fetch(createRequest());
          // A repeated callback gets the status of the first one.
          if (deployment.log.at(-1)?.reason !== 'transaction.replayed')
            expect(response.status).toBeLessThan(500);
          const protection = await deployment.broker.protect(createRequest());
          if (!protection.ok) expect(protection.response.status).toBeLessThan(500);
        },
      ),
      { numRuns: 600 },
    );
    const loggedReasons = new Set(deployment.log.map(({ event, reason }) => reason ?? event));
    expect(loggedReasons).not.toContain('unexpected');
    // The requests must cause most of the possible errors. Otherwise, the test proves nothing.
    expect(loggedReasons.size).toBeGreaterThan(20);
  });

  /** Returns a string unchanged, and bytes as a stream of chunks without a Content-Length. */
  const bodyOf = (body: string | Uint8Array): BodyInit => {
    if (typeof body === 'string') return body;
    let offset = 0;
    return new ReadableStream({
      pull(controller) {
        if (offset < body.length) controller.enqueue(body.slice(offset, offset + 1000));
        else controller.close();
        offset += 1000;
      },
    });
  };
});

describe('storage outages', () => {
  /** When storage fails: before it changes anything, or after the change, so that only the result is lost. */
  type FailureTime = 'before' | 'after';

  /** A deployment whose storage can be made unavailable. */
  const deployWithFailingStorage = () => {
    let failure: FailureTime | undefined;
    const storage = memoryStorage();
    const fail = () => Promise.reject(new StorageUnavailable('no route to storage'));
    const mayFail =
      <Arguments extends readonly unknown[], Result>(method: (...args: Arguments) => Promise<Result>) =>
      async (...args: Arguments): Promise<Result> => {
        if (failure === 'before') return fail();
        const result = await method(...args);
        return failure === 'after' ? fail() : result;
      };
    const failing: CompleteStorage = {
      recordSignIn: mayFail(storage.recordSignIn),
      readGrantStatus: mayFail(storage.readGrantStatus),
      claimCode: mayFail(storage.claimCode),
      redeemCode: mayFail(storage.redeemCode),
      refresh: mayFail(storage.refresh),
      readRefreshable: mayFail(storage.readRefreshable),
      readClient: mayFail(storage.readClient),
      deleteClient: mayFail(storage.deleteClient),
      recordAssertion: mayFail(storage.recordAssertion),
      storeUpstreamToken: mayFail(storage.storeUpstreamToken),
      recordRecheck: mayFail(storage.recordRecheck),
      revokeGrantsOfIdentity: mayFail(storage.revokeGrantsOfIdentity),
      resolveRecheck: mayFail(storage.resolveRecheck),
      dropUpstreamToken: mayFail(storage.dropUpstreamToken),
      revoke: mayFail(storage.revoke),
      readRevocations: mayFail(storage.readRevocations),
      isRevoked: mayFail(storage.isRevoked),
      recordRefusals: mayFail(storage.recordRefusals),
      cleanUp: mayFail(storage.cleanUp),
      findUpstreamTokens: mayFail(storage.findUpstreamTokens),
      replaceUpstreamTokens: mayFail(storage.replaceUpstreamTokens),
      useSession: mayFail(storage.useSession),
      acquireRecheckLease: mayFail(storage.acquireRecheckLease),
      readAccount: mayFail(storage.readAccount),
      readHistory: mayFail(storage.readHistory),
      findUser: mayFail(storage.findUser),
      linkIdentity: mayFail(storage.linkIdentity),
      markLinkSeen: mayFail(storage.markLinkSeen),
      unlinkIdentity: mayFail(storage.unlinkIdentity),
      revokeGrants: mayFail(storage.revokeGrants),
      deleteUser: mayFail(storage.deleteUser),
      recordSecurityEvent: mayFail(storage.recordSecurityEvent),
    };
    const deployment = deploy({ storage: failing });
    /** Runs something while storage is unavailable. */
    const whileUnavailable = async <Result>(
      failureTime: FailureTime,
      work: () => Promise<Result>,
    ): Promise<Result> => {
      failure = failureTime;
      try {
        return await work();
      } finally {
        failure = undefined;
      }
    };
    return { deployment, whileUnavailable };
  };

  const unavailableMessage = 'The service is temporarily unavailable. Try again in a moment.';

  /** Expects the complete 503 response of the token endpoint. */
  const expectTokenOutage = async (response: Response) => {
    expect(response.status).toBe(503);
    expect(await response.json()).toEqual({
      error: 'temporarily_unavailable',
      error_description: unavailableMessage,
    });
    expect(Object.fromEntries(response.headers)).toEqual({
      'cache-control': 'no-store',
      'content-type': 'application/json',
      pragma: 'no-cache',
      'retry-after': '10',
      'x-content-type-options': 'nosniff',
      ...corsHeaders,
    });
  };

  const expectLogged = ({ log }: Deployment, endpoint: string) =>
    expect(log.at(-1)).toMatchObject({
      endpoint,
      reason: 'storage.unavailable',
      cause: 'StorageUnavailable: no route to storage',
    });

  it('W14.1 clear 503: a sign-in during an outage shows a page, and a reload completes it', async () => {
    const { deployment, whileUnavailable } = deployWithFailingStorage();
    const { returnFromProvider } = await continueToProvider(deployment);
    const response = await whileUnavailable('before', () => returnFromProvider({ code: 'ada' }));
    expect([response.status, response.headers.get('retry-after'), response.headers.getSetCookie()]).toEqual([
      503,
      '10',
      [],
    ]);
    expect(await response.text()).toContain('Wait a moment, then reload this page.');
    expect(deployment.log.at(-1)).toMatchObject({
      event: 'refused',
      reason: 'transaction.status-unknown',
      cause: 'StorageUnavailable: no route to storage',
      endpoint: 'callback',
    });
    const redirect = readRedirect(await returnFromProvider({ code: 'ada' }));
    expect(redirect.searchParams.get('code')).not.toBeNull();
  });

  it('W14.1 clear 503: a sign-in that cannot be stored sends the client an error that it can retry', async () => {
    const recordSignIn = () => Promise.reject(new StorageUnavailable('no route to storage'));
    const deployment = deploy({ storage: { ...memoryStorage(), recordSignIn } });
    const { returnFromProvider } = await continueToProvider(deployment);
    const response = await returnFromProvider({ code: 'ada' });
    response.headers.delete('set-cookie');
    expectErrorRedirect(response, {
      to: gptRedirect,
      state: gptRequest.state,
      error: 'temporarily_unavailable',
      description: unavailableMessage,
    });
    expectLogged(deployment, 'callback');
  });

  it('W14.1 clear 503: the sign-in page works without storage', async () => {
    const { deployment, whileUnavailable } = deployWithFailingStorage();
    const { authorizationUrl } = await whileUnavailable('before', () => continueToProvider(deployment));
    expect(authorizationUrl.host).toBe('google.example');
  });

  const testClients: readonly (readonly [string, TestClient])[] = [
    ['ChatGPT', gpt],
    ['a public client', app],
    ['a confidential client', server],
  ];

  it.each(testClients)(
    'W14.2 nothing lost: the code of %s is valid after an outage',
    async (_, testClient) => {
      const { deployment, whileUnavailable } = deployWithFailingStorage();
      const code = await obtainCode(deployment, testClient);
      await expectTokenOutage(await whileUnavailable('before', () => redeem(deployment, testClient, code)));
      expectLogged(deployment, 'token');
      expect((await expectTokens(await redeem(deployment, testClient, code))).token_type).toBe('bearer');
    },
  );

  it.each(testClients)(
    'W14.2 nothing lost: the refresh token of %s is valid after an outage',
    async (_, testClient) => {
      const { deployment, whileUnavailable } = deployWithFailingStorage();
      const { refresh_token } = await obtainTokens(deployment, testClient);
      for (const failureTime of ['before', 'after'] as const) {
        await expectTokenOutage(
          await whileUnavailable(failureTime, () => refresh(deployment, testClient, refresh_token)),
        );
        expectLogged(deployment, 'token');
      }
      const next = await expectTokens(await refresh(deployment, testClient, refresh_token));
      expect((await callApi(deployment, next.access_token)).ok).toBe(true);
      expect((await refresh(deployment, testClient, next.refresh_token)).status).toBe(200);
    },
  );

  it('W14.2 nothing lost: an outage at the very end of a redemption revokes nothing', async () => {
    const { deployment, whileUnavailable } = deployWithFailingStorage();
    const others = await obtainTokens(deployment, gpt);
    const code = await obtainCode(deployment, gpt);
    await expectTokenOutage(await whileUnavailable('after', () => redeem(deployment, gpt, code)));
    expect(await (await redeem(deployment, gpt, code)).json()).toMatchObject({ error: 'invalid_grant' });
    expect((await refresh(deployment, gpt, others.refresh_token)).status).toBe(200);
    expect((await obtainTokens(deployment, gpt)).token_type).toBe('bearer');
  });

  it('W14.1 clear 503: the guard responds with 503 if it has read no revocations yet, without a challenge', async () => {
    const { deployment, whileUnavailable } = deployWithFailingStorage();
    const { access_token } = await obtainTokens(deployment, gpt);
    const protection = await whileUnavailable('before', () => callApi(deployment, access_token));
    if (protection.ok) throw new Error('the API granted access');
    const { response } = protection;
    expect(response.status).toBe(503);
    expect(await response.json()).toEqual({
      type: 'about:blank',
      title: 'Service Unavailable',
      status: 503,
      detail: unavailableMessage,
    });
    expect(Object.fromEntries(response.headers)).toEqual({
      'cache-control': 'no-store',
      'content-type': 'application/problem+json',
      'retry-after': '10',
      'x-content-type-options': 'nosniff',
      ...corsHeaders,
    });
    expectLogged(deployment, 'protect');
    expect((await callApi(deployment, access_token)).ok).toBe(true);
  });

  it('W14.2 nothing lost: the guard uses the last known revocations for a minute', async () => {
    const { deployment, whileUnavailable } = deployWithFailingStorage();
    const { access_token } = await obtainTokens(deployment, gpt);
    const callAfter = (seconds: number) => {
      deployment.advance(seconds);
      return whileUnavailable('before', () => callApi(deployment, access_token));
    };
    expect((await callApi(deployment, access_token)).ok).toBe(true);
    expect((await callAfter(11)).ok).toBe(true);
    expect((await callAfter(49)).ok).toBe(true);
    expect(await callAfter(1)).toMatchObject({ ok: false, response: { status: 503 } });
    expect((await callApi(deployment, access_token)).ok).toBe(true);
  });

  it('W14.1 clear 503: any other failure gets a 500 without details', async () => {
    const failQuery = async () => Promise.reject(new Error('no such table: grants'));
    const deployment = deploy({
      storage: { ...memoryStorage(), redeemCode: failQuery, readRevocations: failQuery },
    });
    const code = await obtainCode(deployment, gpt);
    const response = await redeem(deployment, gpt, code);
    expect([response.status, await response.json()]).toEqual([
      500,
      { error: 'server_error', error_description: 'Something went wrong on our side.' },
    ]);
    expect(deployment.log.at(-1)).toMatchObject({
      reason: 'unexpected',
      cause: 'Error: no such table: grants',
    });
    const { access_token } = await obtainTokens(deploy(), gpt);
    const protection = await callApi(deployment, access_token);
    expect(protection).toMatchObject({ ok: false, response: { status: 500 } });
    if (!protection.ok) expect(await protection.response.text()).not.toContain('grants');
  });

  it('W11.1 abandoned sign-ins: a thousand abandoned sign-ins store nothing', async () => {
    const rejectingStorage: BrokerStorage = new Proxy(memoryStorage(), {
      get: (_, name) => () => Promise.reject(new Error(`storage.${String(name)} was called`)),
    });
    const deployment = deploy({ storage: rejectingStorage });
    const { browser } = await continueToProvider(deployment);
    for (let attempt = 0; attempt < 1000; attempt++) {
      const { consent } = await browser.openSignInPage({ ...gptRequest, state: `state-${attempt}` });
      if (attempt % 3 > 0) await browser.submitConsent(consent, { choice: 'google' });
      if (attempt % 3 > 1)
        await browser.visit(`${issuer}/callback/google?error=access_denied&state=${attempt}`);
    }
    expect(browser.cookies.size).toBe(6);
    expect(deployment.log.filter(({ reason }) => reason === 'unexpected')).toEqual([]);
  });
});

describe('the log', () => {
  const ada = 'subject-of-ada';
  const wrongValue = 'wrong-secret-0123456789';

  /** Values that must not be logged, by kind. The tests add the values that they obtain. */
  const createForbidden = () => ({
    secret: [gptSecret, serverSecret, wrongValue, verifier, ...keys.split('.').slice(1)],
    token: ['provider-secret'],
    code: [ada],
    user: [ada, `${ada}@example.com`],
  });
  type Forbidden = ReturnType<typeof createForbidden>;

  /** A deployment that refuses a user, and whose storage can fail to record a sign-in. */
  const createSystem = () => {
    const forbidden = createForbidden();
    const memory = memoryStorage();
    const outage = { isActive: false };
    const deployment = deploy({
      storage: {
        ...memory,
        recordSignIn: async (signIn: SignIn) => {
          if (outage.isActive) throw new StorageUnavailable('no route');
          const outcome = await memory.recordSignIn(signIn);
          if (outcome.kind === 'recorded') forbidden.user.push(outcome.userId);
          return outcome;
        },
      },
      resolveUser: async ({ subject }) =>
        subject === ada ? { kind: 'accepted' } : { kind: 'refused', reason: 'not on our list' },
    });
    return { forbidden, deployment, outage };
  };

  /** Signs in, repeats the callback in the same browser and in another one, and records every value. */
  const signInAs = async (
    deployment: Deployment,
    { secret, code: codes }: Forbidden,
    { request }: TestClient,
    subject = ada,
  ): Promise<string> => {
    const { browser, authorizationUrl, state, returnFromProvider, callbackUrl } = await continueToProvider(
      deployment,
      request,
    );
    const before = new Map(browser.cookies);
    secret.push(state, new URLSearchParams(request).get('state') ?? '', ...before.values());
    secret.push(authorizationUrl.searchParams.get('nonce') ?? '');
    const callbackResponse = await returnFromProvider({ code: subject, refresh: 'provider-secret' });
    for (const [name, value] of before) browser.cookies.set(name, value);
    await returnFromProvider({ code: subject });
    await createTestBrowser(deployment).visit(callbackUrl({ code: subject }));
    const code = readRedirect(callbackResponse).searchParams.get('code') ?? '';
    if (code !== '') codes.push(code);
    return code;
  };

  /** Makes valid and invalid requests with the code and the tokens of one client. */
  const useTokens = async (
    deployment: Deployment,
    forbidden: Forbidden,
    testClient: TestClient,
  ): Promise<void> => {
    const code = await signInAs(deployment, forbidden, testClient);
    await redeem(deployment, testClient, code, { client_secret: wrongValue });
    await redeem(deployment, testClient, code, { redirect_uri: issuer });
    await redeem(deployment, testClient, code, { code_verifier: wrongValue });
    const first = await expectTokens(await redeem(deployment, testClient, code));
    deployment.advance(11);
    await callApi(deployment, first.access_token);
    await callApi(deployment, `${first.access_token}A`);
    const second = await expectTokens(await refresh(deployment, testClient, first.refresh_token));
    for (const issued of [first, second]) forbidden.token.push(issued.access_token, issued.refresh_token);
    await refresh(deployment, testClient, first.refresh_token, { client_secret: wrongValue });
    await refresh(deployment, testClient === gpt ? server : gpt, first.refresh_token);
    await redeem(deployment, testClient, code);
    deployment.advance(1800);
    await callApi(deployment, second.access_token);
    await refresh(deployment, testClient, second.refresh_token);
  };

  /** The forms in which a value could occur in a log: plain, URL-encoded, or in base64. */
  const listEncodings = (text: string): readonly string[] => [
    text,
    encodeURIComponent(text),
    encodeBase64url(new TextEncoder().encode(text)),
    btoa(text),
  ];

  it.each([
    ['W8.1 secret', 'secret'],
    ['W8.2 token', 'token'],
    ['W8.3 code', 'code'],
    ['W8.4 user', 'user'],
  ] as const)('%s: no log line contains one, whatever happens', async (_, kind) => {
    const { deployment, forbidden, outage } = createSystem();
    for (const testClient of [gpt, app, server]) await useTokens(deployment, forbidden, testClient);
    await createTestBrowser(deployment).openSignInPage({ ...gptRequest, scope: wrongValue });
    await signInAs(deployment, forbidden, gpt, 'subject-of-bob');
    outage.isActive = true;
    await signInAs(deployment, forbidden, gpt);

    const text = deployment.log.map((line) => JSON.stringify(line)).join('\n');
    expect(forbidden[kind].length).toBeGreaterThan(3);
    for (const value of forbidden[kind]) {
      expect(value.length).toBeGreaterThan(8);
      for (const encodedValue of listEncodings(value)) expect(text).not.toContain(encodedValue);
    }
    const loggedReasons = new Set(deployment.log.map(({ event, reason }) => reason ?? event));
    expect([...loggedReasons].toSorted()).toEqual([
      'authentication.method',
      'authentication.secret',
      'code.pkce',
      'code.redirect',
      'code.replayed',
      'refresh.client',
      'refresh.inactive',
      'resolve-user.refused',
      'scope.unavailable',
      'signed-in',
      'storage.unavailable',
      'token.expired',
      'token.unreadable',
      'tokens-issued',
      'transaction.no-cookies',
      'transaction.replayed',
      'unrestricted-gpt',
    ]);
  });
});
