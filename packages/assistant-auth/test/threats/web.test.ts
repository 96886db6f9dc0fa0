/** Attacks from web pages: cross-origin calls, markup, cookies, caches, paths and methods. */
import { describe, expect, it } from 'vitest';
import {
  type BrokerOptions,
  corsHeaders,
  createBroker,
  deriveResourceKeys,
  introspectionClient,
  memoryLimiter,
  type ProtectOptions,
  StorageUnavailable,
  staticClient,
} from '../../src/index.ts';
import { createResourceServer } from '../../src/resource-server.ts';
import { memoryStorage } from '../../src/storage/memory.ts';
import {
  appRequest,
  callApi,
  createTestBrowser,
  expectTokens,
  gptRequest,
  gptSignIn,
  readRedirect,
  requestTokens,
} from '../browser.ts';
import { app, gpt, obtainCode, obtainTokens, redeem, refresh, server, type TestClient } from '../clients.ts';
import {
  clients,
  type Deployment,
  deploy,
  gptRedirect,
  gptSecret,
  issuer,
  keys,
  metadataParameter,
  serverSecret,
} from '../deployment.ts';
import { expectErrorPage } from '../expect-error.ts';
import { createProvider } from '../fake-provider.ts';
import { continueToProvider, listTransactionCookies, startAuthorization } from '../flows.ts';
import { createSpyStorage } from '../spy-storage.ts';
import { clientCredentials, postForm } from '../token-requests.ts';
import { readMarkup } from '../ui/read-markup.ts';

describe('cross-origin calls', () => {
  const metadata = '/.well-known/oauth-authorization-server';
  const resourceMetadata = '/.well-known/oauth-protected-resource';
  const origin = 'https://browser-app.example';

  /** What a browser adds to the request of a page, without and with a preflight. */
  const pageHeaders = { origin, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'cors' };
  const buildPreflightHeaders = (method: string, headers = 'authorization,content-type') => ({
    ...pageHeaders,
    'access-control-request-method': method,
    'access-control-request-headers': headers,
  });

  const corsOf = ({ headers }: Response) =>
    Object.fromEntries([...headers].filter(([name]) => name.startsWith('access-control-')));

  const preflight = (
    { fetch }: Deployment,
    path: string,
    method = 'POST',
    host = issuer,
  ): Promise<Response> =>
    fetch(new Request(host + path, { method: 'OPTIONS', headers: buildPreflightHeaders(method) }));

  const sharedEndpoints = [
    [metadata, 'GET, HEAD', 'Authorization, Content-Type, Mcp-Protocol-Version'],
    [`${resourceMetadata}/api`, 'GET, HEAD', 'Authorization, Content-Type, Mcp-Protocol-Version'],
    [`${resourceMetadata}/other`, 'GET, HEAD', 'Authorization, Content-Type, Mcp-Protocol-Version'],
    ['/token', 'POST', 'Authorization, Content-Type, Mcp-Protocol-Version'],
    ['/revoke', 'POST', 'Authorization, Content-Type, Mcp-Protocol-Version'],
  ] as const;

  /** Every endpoint that the broker can have. */
  const deployEveryEndpoint = (changes: Partial<BrokerOptions> = {}): Deployment =>
    deploy({
      providers: [
        {
          ...createProvider('google', 'Google'),
          icon: '<svg xmlns="http://www.w3.org/2000/svg"/>',
          readLogoutToken: () => Promise.reject(new Error('no token')),
          securityEvents: {
            contentType: 'application/secevent+jwt',
            read: () => Promise.reject(new Error('none')),
          },
        },
      ],
      introspectionClients: [
        introspectionClient({ id: 'api', secrets: [serverSecret], resource: `${issuer}/api` }),
      ],
      ...changes,
    });

  const listUnsharedPaths = (): readonly string[] =>
    deployEveryEndpoint()
      .paths.map((path) => (path.endsWith('/') ? `${path}google` : path))
      .filter((path) => !sharedEndpoints.some(([sharedPath]) => sharedPath === path));

  describe('a page on another origin', () => {
    it.each(sharedEndpoints)(
      'learns from a preflight what it can send: %s',
      async (path, methods, headers) => {
        const response = await preflight(deploy(), path);
        expect([response.status, await response.text()]).toEqual([204, '']);
        expect(Object.fromEntries(response.headers)).toEqual({
          'access-control-allow-origin': '*',
          'access-control-allow-methods': methods,
          'access-control-allow-headers': headers,
          'access-control-max-age': '7200',
          'cache-control': 'no-store',
          'x-content-type-options': 'nosniff',
        });
      },
    );

    it('reads the metadata, token responses and revocation responses', async () => {
      const deployment = deploy();
      expect(
        corsOf(await deployment.fetch(new Request(issuer + metadata, { headers: pageHeaders }))),
      ).toEqual(corsHeaders);
      expect(corsOf(await deployment.fetch(new Request(issuer + metadata, { method: 'HEAD' })))).toEqual(
        corsHeaders,
      );
      const code = await obtainCode(deployment, app);
      const redeemed = await requestTokens(deployment, app.codeRequest(code), pageHeaders);
      expect(corsOf(redeemed)).toEqual(corsHeaders);
      const { refresh_token } = await expectTokens(redeemed);
      const refreshed = await requestTokens(deployment, app.refreshRequest(refresh_token), pageHeaders);
      expect(corsOf(refreshed)).toEqual(corsHeaders);
      const { access_token: token } = await expectTokens(refreshed);
      expect(
        corsOf(await postForm(deployment, '/revoke', { ...clientCredentials.app, token }, pageHeaders)),
      ).toEqual(corsHeaders);
    });

    it.each(['/token', '/revoke'] as const)('reads every error of %s', async (path) => {
      const broken = deploy({
        storage: { ...memoryStorage(), revoke: () => Promise.reject(new StorageUnavailable('no route')) },
      });
      const unexpected = deploy({
        storage: { ...memoryStorage(), revoke: () => Promise.reject(new Error('oops')) },
      });
      const limited = deploy({ limits: { failedAuthentications: { take: async () => 'limited' } } });
      const { refresh_token: token } = await obtainTokens(broken, gpt);
      const post = (deployment: Deployment, form: Record<string, string>, host = issuer) =>
        deployment.fetch(
          new Request(host + path, { method: 'POST', headers: pageHeaders, body: new URLSearchParams(form) }),
        );
      const responses: readonly Response[] = [
        await post(broken, {}),
        await post(broken, { ...clientCredentials.app }),
        await post(limited, { client_id: 'nobody' }),
        await post(broken, { token: 'x'.repeat(20_000) }),
        await post(broken, {}, 'https://other.example'),
        await broken.fetch(new Request(issuer + path, { headers: pageHeaders })),
        await broken.fetch(new Request(issuer + path, { method: 'OPTIONS', headers: pageHeaders })),
        ...(path === '/revoke'
          ? [
              await post(broken, { ...clientCredentials.gpt, token }),
              await post(unexpected, {
                ...clientCredentials.gpt,
                token: (await obtainTokens(unexpected, gpt)).refresh_token,
              }),
            ]
          : []),
      ];
      expect(responses.map(({ status }) => status)).toEqual([
        ...[401, 400, 429, 413, 421, 405, 405],
        ...(path === '/revoke' ? [503, 500] : []),
      ]);
      for (const response of responses) expect(corsOf(response)).toEqual(corsHeaders);
    });

    it.each([
      ['405', { method: 'PUT' }, issuer],
      ['421', {}, 'https://other.example'],
    ])('reads the error %s of the metadata', async (status, init, host) => {
      const response = await deploy().fetch(new Request(host + metadata, { ...init, headers: pageHeaders }));
      expect([String(response.status), corsOf(response)]).toEqual([status, corsHeaders]);
    });

    it('reads the 503 of a redemption, and the code is still valid afterwards', async () => {
      const memory = memoryStorage();
      const outage = { isActive: true };
      const deployment = deploy({
        storage: {
          ...memory,
          redeemCode: async (redemption) => {
            if (outage.isActive) throw new StorageUnavailable('no route');
            return memory.redeemCode(redemption);
          },
        },
      });
      const code = await obtainCode(deployment, app);
      const response = await redeem(deployment, app, code);
      expect([response.status, corsOf(response)]).toEqual([503, corsHeaders]);
      outage.isActive = false;
      expect((await redeem(deployment, app, code)).status).toBe(200);
    });
  });

  describe('the API', () => {
    const call = ({ broker }: Deployment, init: RequestInit, requirement?: ProtectOptions, host = issuer) =>
      broker.protect(new Request(`${host}/api/x`, init), requirement);
    const responseOf = async (pendingProtection: ReturnType<typeof call>): Promise<Response> => {
      const protection = await pendingProtection;
      if (protection.ok) throw new Error('the API granted access');
      return protection.response;
    };

    it('responds to a preflight without a token', async () => {
      for (const method of ['GET', 'POST', 'DELETE']) {
        const response = await responseOf(
          call(deploy(), { method: 'OPTIONS', headers: buildPreflightHeaders(method) }),
        );
        expect([response.status, await response.text()]).toEqual([204, '']);
        expect(corsOf(response)).toEqual({
          'access-control-allow-origin': '*',
          'access-control-allow-methods': 'GET, HEAD, POST, PUT, PATCH, DELETE',
          'access-control-allow-headers': 'Authorization, Content-Type',
          'access-control-max-age': '7200',
        });
      }
    });

    it('lets a page on another origin read every refusal', async () => {
      const deployment = deploy();
      const { access_token } = await obtainTokens(deployment, gpt);
      const headers = { ...pageHeaders, authorization: `Bearer ${access_token}` };
      const unavailable = deploy({
        storage: {
          ...memoryStorage(),
          readRevocations: () => Promise.reject(new StorageUnavailable('no route')),
        },
      });
      const limiter = memoryLimiter({ limit: 1, period: 60 }, deployment.now);
      await call(deployment, { headers }, { limiter });
      const responses = [
        await responseOf(call(deployment, { headers: pageHeaders })),
        await responseOf(call(deployment, { headers: { ...pageHeaders, authorization: 'Bearer x' } })),
        await responseOf(call(deployment, { headers }, { scopes: ['admin'] })),
        await responseOf(call(deployment, { headers }, {}, 'https://other.example')),
        await responseOf(call(deployment, { headers }, { limiter })),
        await responseOf(call(unavailable, { headers })),
        await responseOf(call(deployment, { headers }, { resource: 'https://typo.example' })),
        await responseOf(call(deployment, { method: 'OPTIONS', headers: pageHeaders })),
      ];
      expect(responses.map(({ status }) => status)).toEqual([401, 401, 403, 421, 429, 503, 500, 401]);
      for (const response of responses) expect(corsOf(response)).toEqual(corsHeaders);
    });

    it('responds in the same way in another process', async () => {
      const { protect } = createResourceServer({
        issuer,
        resource: issuer,
        keys: await deriveResourceKeys({ sealingKeys: keys, issuer, resource: issuer }),
        log: () => {},
      });
      const { broker, ...rest } = deploy();
      const otherProcess = { ...rest, broker: { ...broker, protect } };
      const preflightResponse = await responseOf(
        call(otherProcess, { method: 'OPTIONS', headers: buildPreflightHeaders('GET') }),
      );
      expect(preflightResponse.status).toBe(204);
      expect(corsOf(await responseOf(call(otherProcess, {})))).toEqual(corsHeaders);
    });

    it('W17.4 opt-out: allows no origin, and a preflight needs a token like any other call', async () => {
      const responses = [
        await responseOf(call(deploy(), { headers: pageHeaders }, { cors: 'off' })),
        await responseOf(
          call(deploy(), { method: 'OPTIONS', headers: buildPreflightHeaders('GET') }, { cors: 'off' }),
        ),
      ];
      for (const response of responses) expect([response.status, corsOf(response)]).toEqual([401, {}]);
    });
  });

  it.each(listUnsharedPaths())(
    'W17.1 not shared: no page on another origin can read or call %s',
    async (path) => {
      const deployment = deployEveryEndpoint();
      const cookies = { cookie: '__Host-csrf=x; __Host-session=x' };
      for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'OPTIONS'])
        for (const headers of [
          pageHeaders,
          { ...buildPreflightHeaders('POST'), ...cookies },
          buildPreflightHeaders('GET', 'x-custom'),
        ]) {
          const response = await deployment.fetch(new Request(issuer + path, { method, headers }));
          if (method === 'OPTIONS') expect(response.status).toBe(405);
          expect(corsOf(response)).toEqual({});
        }
    },
  );

  it('W17.1 not shared: covers all of these endpoints', () => {
    expect(listUnsharedPaths()).toEqual(
      expect.arrayContaining([
        ...['/authorize', '/authorize/consent', '/authorize/style.css', '/authorize/icons/google.svg'],
        ...['/callback/google', '/introspect', '/account', '/account/link', '/account/delete'],
        ...['/backchannel-logout/google', '/events/google'],
      ]),
    );
  });

  it('W17.1 not shared: an error that is redirected to the client is not readable at the authorization endpoint', async () => {
    const { response } = await createTestBrowser(deploy(), pageHeaders).openSignInPage({
      ...app.request,
      scope: 'nothing',
    });
    expect([response.status, corsOf(response)]).toEqual([303, {}]);
  });

  it('W17.2 credentials: no response ever allows cookies, and none names an origin', async () => {
    const deployment = deploy();
    const { access_token, refresh_token } = await obtainTokens(deployment, app);
    const cookie = { ...pageHeaders, cookie: '__Host-session=x' };
    const responses = [
      ...(await Promise.all(sharedEndpoints.map(([path]) => preflight(deployment, path)))),
      await deployment.fetch(new Request(issuer + metadata, { headers: cookie })),
      await requestTokens(deployment, app.refreshRequest(refresh_token), cookie),
      await postForm(deployment, '/revoke', { ...clientCredentials.app, token: access_token }, cookie),
    ];
    for (const { headers } of responses) {
      expect(headers.get('access-control-allow-origin')).toBe('*');
      expect(headers.has('access-control-allow-credentials')).toBe(false);
      expect(headers.getSetCookie()).toEqual([]);
    }
  });

  it.each(['/token', '/revoke'])('W17.3 preflight: of %s reads and consumes nothing', async (path) => {
    const storage = createSpyStorage();
    const limiterKeys: string[] = [];
    const limiter = {
      take: async (key: string) => (limiterKeys.push(key) > 0 ? 'allowed' : 'limited'),
    } as const;
    const limits = { failedAuthentications: limiter, pageRequests: limiter };
    const deployment = deploy({ storage, limits, clientAddress: () => '192.0.2.1' });
    const code = await obtainCode(deployment, app);
    const first = await expectTokens(await redeem(deployment, app, code));
    const before = [storage.calls.length, limiterKeys.length, deployment.log.length];
    const query = new URLSearchParams({
      ...app.refreshRequest(first.refresh_token),
      token: first.refresh_token,
    });
    for (const headers of [
      buildPreflightHeaders('POST'),
      { ...buildPreflightHeaders('POST'), authorization: 'Basic !!!' },
      { ...buildPreflightHeaders('DELETE', 'x-custom'), 'content-type': 'text/plain' },
      { 'access-control-request-method': '' },
    ])
      for (const address of [`${path}?${query}`, `${path}?client_id=a&client_id=b`]) {
        const response = await deployment.fetch(
          new Request(issuer + address, { method: 'OPTIONS', headers }),
        );
        expect(response.status).toBe(204);
        expect(response.headers.get('access-control-allow-methods')).toBe('POST');
      }
    expect([storage.calls.length, limiterKeys.length, deployment.log.length]).toEqual(before);
    expect((await refresh(deployment, app, first.refresh_token)).status).toBe(200);
  });

  it('W17.3 preflight: of the API calls no limiter and no storage, whatever token it contains', async () => {
    const storage = createSpyStorage();
    const deployment = deploy({ storage });
    const limiterKeys: string[] = [];
    const limiter = {
      take: async (key: string) => (limiterKeys.push(key) > 0 ? 'allowed' : 'limited'),
    } as const;
    for (const authorization of ['Bearer x', 'Bearer a, Bearer b']) {
      const headers = { ...buildPreflightHeaders('GET'), authorization };
      const request = new Request(`${issuer}/api/x`, { method: 'OPTIONS', headers });
      expect(await deployment.broker.protect(request, { limiter })).toMatchObject({
        ok: false,
        response: { status: 204 },
      });
    }
    expect([storage.calls, limiterKeys, deployment.log.filter(({ event }) => event === 'refused')]).toEqual([
      [],
      [],
      [],
    ]);
  });

  it('W17.3 preflight: is only an OPTIONS request with Access-Control-Request-Method', async () => {
    const deployment = deploy();
    for (const [method, headers] of [
      ['OPTIONS', pageHeaders],
      ['GET', buildPreflightHeaders('POST')],
      ['PUT', buildPreflightHeaders('POST')],
    ] as const) {
      const response = await deployment.fetch(new Request(`${issuer}/token`, { method, headers }));
      expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST']);
    }
  });

  it('W17.3 preflight: does not depend on the host, so that the page can read the error of the call itself', async () => {
    expect((await preflight(deploy(), '/token', 'POST', 'https://other.example')).status).toBe(204);
  });
});

describe('pages and cookies', () => {
  /** Every kind of page of one deployment, for requests that contain markup. */
  const collectPages = async (
    deployment = deploy(),
    request: Readonly<Record<string, string>> = gptRequest,
  ) => {
    const requestWithMarkup = { ...request, state: markup, unknown: markup };
    const browser = createTestBrowser(deployment);
    const { callbackUrl } = await continueToProvider(deployment, request);
    return [
      (await browser.openSignInPage(requestWithMarkup)).response,
      (await browser.openSignInPage({ ...requestWithMarkup, client_id: markup })).response,
      (await browser.openSignInPage({ ...requestWithMarkup, redirect_uri: markup })).response,
      await browser.submitConsent(markup, { choice: markup }),
      await browser.visit(callbackUrl({ state: markup, code: markup, error: markup })),
      await browser.visit(`${issuer}/callback/${encodeURIComponent(markup)}`),
      await browser.visit(`${issuer}/authorize`, { method: 'PUT', headers: { referer: markup } }),
      await deployment.fetch(new Request('https://evil.example/authorize')),
    ];
  };

  const markup = `"'><script src=//evil.example></script><img src=x onerror=alert(1)>`;

  const client = staticClient({
    id: 'app',
    name: `App ${markup}`,
    redirectUris: [appRequest.redirect_uri],
    scopes: ['words'],
  });
  const deployment = () =>
    deploy({
      clients: [client],
      scopes: { words: `read ${markup}` },
      providers: [createProvider('google', `Google ${markup}`)],
      branding: { name: `Words ${markup}` },
      texts: { cancel: `Cancel ${markup}` },
    });

  it('W1.1 markup: is escaped on every page, wherever it comes from', async () => {
    const pages = await collectPages(deployment(), appRequest);
    const expected = ['App', 'read', 'Google', 'Words', 'Cancel'].map((label) => `${label} ${markup}`);
    const [signIn, ...errors] = await Promise.all(pages.map(async (page) => readMarkup(await page.text())));
    const textOf = (tokens: typeof signIn) =>
      (tokens ?? []).map((token) => ('text' in token ? token.text : '')).join('');
    for (const text of expected) expect(textOf(signIn)).toContain(text);
    for (const page of errors) expect(textOf(page)).toContain(`Words ${markup}`);
    const tags = [signIn, ...errors]
      .flatMap((page) => page ?? [])
      .flatMap((token) => ('tag' in token ? [token.tag] : []));
    expect(tags).not.toContain('script');
    expect(tags).not.toContain('img');
  });

  it('W1.1 markup: no page repeats text of the request', async () => {
    for (const page of await collectPages()) expect(await page.text()).not.toContain('evil.example');
  });

  it('W1.2 strict CSP: pages load files only from their own origin, and error pages submit no form', async () => {
    const strictPolicy =
      "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'";
    const [signIn, ...errors] = await collectPages();
    expect(signIn?.headers.get('content-security-policy')).toBe(strictPolicy);
    for (const { headers } of errors)
      expect(headers.get('content-security-policy')).toBe(`${strictPolicy}; form-action 'none'`);
  });

  it('W1.3 no inline script: no page needs a weaker policy', async () => {
    for (const page of await collectPages(deployment(), appRequest)) {
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

  /** Every `Set-Cookie` of a sign-in with a sixth tab, from the first page to the end. */
  const collectCookies = async () => {
    const { deployment, browser, consent } = await startAuthorization();
    const first = await browser.openSignInPage(gptRequest);
    const consentResponses = [];
    for (let tab = 1; tab <= 6; tab++)
      consentResponses.push(await browser.submitConsent(consent, { choice: 'google' }));
    const state = new URL(consentResponses.at(-1)?.headers.get('location') ?? '').searchParams.get('state');
    const callbackResponse = await browser.visit(
      `${deployment.issuer}/callback/google?code=ada&state=${state}`,
    );
    const lastCookies = consentResponses.at(-1)?.headers.getSetCookie() ?? [];
    const lines = [first.response, ...consentResponses, callbackResponse].flatMap(({ headers }) =>
      headers.getSetCookie(),
    );
    return { lines, lastCookies };
  };

  it('W2.1 flags: every cookie is Secure, HttpOnly and SameSite=Lax', async () => {
    const { lines } = await collectCookies();
    expect(lines).toHaveLength(11);
    for (const line of lines)
      expect(line).toMatch(/; Path=\/; Secure; HttpOnly; SameSite=Lax; Max-Age=(0|600|1800|31536000)$/);
  });

  it('W2.2 size: the cookie of the longest accepted request stays below the limit of browsers', async () => {
    const browser = createTestBrowser(deploy());
    const { consent } = await browser.openSignInPage({ ...gptRequest, state: 'x'.repeat(2048) });
    const response = await browser.submitConsent(consent, { choice: 'google' });
    const lengths = response.headers.getSetCookie().map((line) => line.length);
    expect(lengths).toEqual([expect.toSatisfy((length: number) => length > 3_000 && length < 4_096)]);
    expect(listTransactionCookies(browser.cookies)).toHaveLength(1);
  });

  it('W2.3 __Host-: every cookie belongs to this host only', async () => {
    const { lines } = await collectCookies();
    for (const line of lines) {
      expect(line).toMatch(/^__Host-(?:(csrf|tx|done)-[\w-]{8}|provider)=/);
      expect(line).not.toMatch(/domain=/i);
    }
  });

  it('W2.4 two Set-Cookie headers: both arrive complete', async () => {
    const { lastCookies } = await collectCookies();
    expect(lastCookies).toEqual([
      expect.stringMatching(/^__Host-tx-[\w-]{8}=[\w-]{100,}; .* Max-Age=600$/),
      expect.stringMatching(/^__Host-tx-[\w-]{8}=; .* Max-Age=0$/),
    ]);
  });

  /** A response from everything that handles a secret. */
  const collectResponses = async () => {
    const deployment = deploy();
    const { browser, consent } = await startAuthorization(deployment);
    const consentResponse = await browser.submitConsent(consent, { choice: 'google' });
    const { returnFromProvider } = await continueToProvider(deployment);
    const code = await obtainCode(deployment, gpt);
    const { refresh_token } = await gptSignIn(deployment);
    const protection = await callApi(deployment, 'forged');
    if (protection.ok) throw new Error('the API granted access');
    return [
      ...(await collectPages(deployment)),
      consentResponse,
      await browser.submitConsent(consent, { cancel: '1' }),
      (await browser.openSignInPage({ ...gptRequest, response_type: 'token' })).response,
      await returnFromProvider({ code: 'ada' }),
      await redeem(deployment, gpt, code),
      await redeem(deployment, gpt, code),
      await redeem(deployment, gpt, code, { client_secret: 'wrong' }),
      await refresh(deployment, gpt, refresh_token),
      await refresh(deployment, gpt, 'forged'),
      protection.response,
    ];
  };

  it('W3.1 no-store: no response that involves a secret can be cached', async () => {
    const responses = await collectResponses();
    expect(new Set(responses.map(({ status }) => status))).toEqual(
      new Set([200, 303, 400, 401, 404, 405, 421]),
    );
    for (const { headers } of responses) {
      expect(headers.get('cache-control')).toBe('no-store');
      expect(headers.get('x-content-type-options')).toBe('nosniff');
    }
  });

  it('W4.1 no CORS: no response can be read by another origin with the user’s cookies', async () => {
    for (const { headers } of await collectResponses()) {
      expect(headers.has('access-control-allow-credentials')).toBe(false);
      const isPage = headers.has('content-security-policy') || headers.has('location');
      expect(headers.get('access-control-allow-origin')).toBe(isPage ? null : '*');
    }
  });
});

describe('paths and methods', () => {
  it.each([
    ['W9.1 //', ['//api/scoring', '///api//scoring', '/./api/scoring', '/x/../api/scoring']],
    ['W9.2 %2f', ['/%2fapi/scoring', '/api%2Fscoring', '/api%252fscoring', '/%61pi/scoring']],
    ['W9.3 case', ['/API/scoring', '/api/SCORING', '/Api/Scoring']],
    [
      'W9.4 trailing slash',
      ['/api/scoring/', '/api/scoring//', '/api/scoring/.', '/api/scoring?', '/api/scoring;x'],
    ],
  ])('%s in the path: the guard requires a token', async (_, paths) => {
    const deployment = deploy();
    const { access_token } = await gptSignIn(deployment);
    for (const path of paths) {
      const call = (headers: Record<string, string>) =>
        deployment.broker.protect(new Request(issuer + path, { headers }));
      expect(await call({})).toMatchObject({ ok: false, response: { status: 401 } });
      expect((await call({ authorization: `Bearer ${access_token}` })).ok).toBe(true);
    }
  });

  it.each(['https://evil.example/api', 'https://words.example.evil.example/', 'http://words.example/api'])(
    'W9.1 //: the guard refuses another host: %s',
    async (url) => {
      const deployment = deploy();
      const { access_token } = await gptSignIn(deployment);
      const headers = { authorization: `Bearer ${access_token}` };
      expect(await deployment.broker.protect(new Request(url, { headers }))).toMatchObject({
        ok: false,
        response: { status: 421 },
      });
    },
  );

  const overriding = {
    'x-http-method-override': 'POST',
    'x-http-method': 'POST',
    'x-method-override': 'POST',
  };

  it('W10.1 method override: no header or parameter changes the method of a request', async () => {
    const deployment = deploy();
    const browser = createTestBrowser(deployment, overriding);
    const { consent } = await browser.openSignInPage(gptRequest);
    expect(consent).not.toBe('');
    const code = await obtainCode(deployment, gpt);
    const form = new URLSearchParams({ ...gpt.codeRequest(code), _method: 'POST' });
    expect((await browser.visit(`${issuer}/token?${form}`)).status).toBe(405);
    const choice = new URLSearchParams({ consent, choice: 'google', _method: 'POST' });
    const response = await browser.visit(`${issuer}/authorize/consent?${choice}`);
    expect(response.status).toBe(405);
    expect(listTransactionCookies(browser.cookies)).toEqual([]);
    expect((await redeem(deployment, gpt, code)).status).toBe(200);
  });

  const endpoints = [
    ['/authorize', 'GET'],
    ['/authorize/consent', 'POST'],
    ['/callback/google', 'GET'],
    ['/token', 'POST'],
  ] as const;

  it.each([
    ['W10.2 HEAD', 'HEAD'],
    ['W10.3 OPTIONS', 'OPTIONS'],
    ['W10.1 method override: PATCH', 'PATCH'],
  ])('%s changes nothing at any endpoint, and the response lists the allowed methods', async (_, method) => {
    const storage = createSpyStorage();
    const deployment = deploy({ storage });
    const { browser, callbackUrl, returnFromProvider } = await continueToProvider(deployment);
    const query = new URL(callbackUrl({ code: 'ada' })).search;
    for (const [path, allowed] of endpoints) {
      const response = await browser.visit(issuer + path + query, { method });
      expect([path, response.status, response.headers.get('allow')]).toEqual([path, 405, allowed]);
    }
    expect(storage.calls).toEqual([]);
    expect(readRedirect(await returnFromProvider({ code: 'ada' })).searchParams.has('code')).toBe(true);
  });

  it.each([
    ['W10.2 HEAD', 'HEAD'],
    ['W10.3 OPTIONS', 'OPTIONS'],
    ['W10.1 method override: GET with a header', 'GET'],
  ])('%s passes the guard only with a token', async (_, method) => {
    const deployment = deploy();
    const { access_token } = await gptSignIn(deployment);
    const call = (headers: Record<string, string>) =>
      deployment.broker.protect(
        new Request(`${issuer}/api/scoring`, { method, headers: { ...overriding, ...headers } }),
      );
    expect(await call({})).toMatchObject({ ok: false, response: { status: 401 } });
    expect((await call({ authorization: `Bearer ${access_token}` })).ok).toBe(true);
  });
});

describe('errors that make a client sign in again', () => {
  const callWith = (
    deployment: Deployment,
    headers: Readonly<Record<string, string>>,
    scopes: readonly string[] = [],
  ) => deployment.broker.protect(new Request(`${issuer}/api/scoring`, { headers }), { scopes });

  const readError = async (protection: ReturnType<typeof callWith>): Promise<Response> => {
    const protectionResult = await protection;
    if (protectionResult.ok) throw new Error('the API granted access');
    return protectionResult.response;
  };

  const clientIdOf = ({ request }: TestClient): string => new URLSearchParams(request).get('client_id') ?? '';

  const badToken = `error="invalid_token", error_description="The access token is not valid.", ${metadataParameter}`;

  it('W7.1 no token: the API responds with a challenge without an error', async () => {
    const response = await readError(callWith(deploy(), {}));
    expect(response.status).toBe(401);
    expect(await response.json()).toEqual({
      type: 'about:blank',
      title: 'Unauthorized',
      status: 401,
      detail: 'Sign in to use this API.',
    });
    expect(Object.fromEntries(response.headers)).toEqual({
      ...corsHeaders,
      'cache-control': 'no-store',
      'content-type': 'application/problem+json',
      'www-authenticate': `Bearer realm="${issuer}", ${metadataParameter}`,
      'x-content-type-options': 'nosniff',
    });
  });

  const invalid: readonly (readonly [
    string,
    (deployment: Deployment, token: string) => Promise<void> | void,
  ])[] = [
    ['expired', (deployment) => deployment.advance(1800)],
    ['revoked', ({ storage, now }) => storage.revoke({ kind: 'client', id: 'gpt' }, 'test', now())],
  ];

  it.each(invalid)('W7.2 dead token: an %s one gets a 401 with invalid_token', async (_, invalidate) => {
    const deployment = deploy();
    const { access_token } = await gptSignIn(deployment);
    await invalidate(deployment, access_token);
    const response = await readError(callApi(deployment, access_token));
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toBe(`Bearer realm="${issuer}", ${badToken}`);
  });

  it.each(['Bearer forged', 'Bearer %', 'Bearer', 'Basic Z3B0Og==', 'bearer a b', ''])(
    'W7.2 dead token: %j gets a 401 with invalid_token',
    async (authorization) => {
      const response = await readError(callWith(deploy(), { authorization }));
      expect(response.status).toBe(401);
      expect(response.headers.get('www-authenticate')).toBe(`Bearer realm="${issuer}", ${badToken}`);
    },
  );

  it('W7.3 missing scope: gets a 403 with the required scopes, because signing in again would not help', async () => {
    const deployment = deploy();
    const { access_token } = await obtainTokens(deployment, {
      ...app,
      request: { ...app.request, scope: 'words' },
    });
    const authorization = `Bearer ${access_token}`;
    const response = await readError(callWith(deployment, { authorization }, ['words', 'score']));
    expect(response.status).toBe(403);
    expect(response.headers.get('www-authenticate')).toBe(
      `Bearer realm="${issuer}", error="insufficient_scope", ` +
        `error_description="The access token does not have the required scope.", scope="words score", ${metadataParameter}`,
    );
    expect((await callWith(deployment, { authorization }, ['words'])).ok).toBe(true);
  });

  const deadTokenCases: readonly (readonly [string, TestClient, number])[] = [
    ['ChatGPT gets a 401, because only a 401 makes it sign in again', gpt, 401],
    ['a public client gets a 400', app, 400],
    ['a confidential client gets a 400', server, 400],
  ];

  it.each(deadTokenCases)(
    'W7.4 dead refresh token: %s, with invalid_grant',
    async (_, testClient, status) => {
      const deployment = deploy();
      const { refresh_token } = await obtainTokens(deployment, testClient);
      await deployment.storage.revoke(
        { kind: 'client', id: clientIdOf(testClient) },
        'test',
        deployment.now(),
      );
      for (const token of [refresh_token, 'forged']) {
        const response = await refresh(deployment, testClient, token);
        expect(response.status).toBe(status);
        expect(await response.json()).toEqual({
          error: 'invalid_grant',
          error_description: 'The refresh token is not valid.',
        });
        expect(response.headers.has('www-authenticate')).toBe(status === 401);
      }
    },
  );

  it('W7.4 dead refresh token: other errors have another status or code', async () => {
    const deployment = deploy();
    const { refresh_token } = await obtainTokens(deployment, gpt);
    const responses = [
      await refresh(deployment, gpt, refresh_token, { scope: 'admin' }),
      await refresh(deployment, gpt, refresh_token, { resource: 'https://evil.example' }),
      await refresh(deployment, gpt, ''),
      await refresh(deployment, gpt, refresh_token, { grant_type: 'password' }),
      await redeem(deployment, gpt, 'forged'),
    ];
    const summaries = await Promise.all(
      responses.map(async (response) => {
        const { error }: { error: string } = await response.json();
        return [response.status, error];
      }),
    );
    expect(summaries).toEqual([
      [400, 'invalid_scope'],
      [400, 'invalid_target'],
      [400, 'invalid_request'],
      [400, 'unsupported_grant_type'],
      [400, 'invalid_grant'],
    ]);
    expect((await expectTokens(await refresh(deployment, gpt, refresh_token))).refresh_token).toBe(
      refresh_token,
    );
  });

  it('W7.5 wrong secret: does not make the user sign in again', async () => {
    const deployment = deploy();
    const { refresh_token } = await obtainTokens(deployment, gpt);
    const response = await refresh(deployment, gpt, refresh_token, { client_secret: `${gptSecret}x` });
    expect([response.status, await response.json()]).toEqual([
      401,
      { error: 'invalid_client', error_description: 'The client could not be authenticated.' },
    ]);
    expect(response.headers.get('www-authenticate')).toBe(`Basic realm="${issuer}", charset="UTF-8"`);
  });
});

describe('development routes', () => {
  const localRedirect = `http://127.0.0.1:8976${new URL(gptRedirect).pathname}`;

  it('W13.1 development: only a local broker redirects a GPT to loopback', async () => {
    const request = { ...gptRequest, redirect_uri: localRedirect };
    const deployment = deploy();
    const { response } = await createTestBrowser(deployment).openSignInPage(request);
    await expectErrorPage(response, deployment, 'The redirect URI is not registered for this app.');
    const localDeployment = deploy({
      issuer: 'http://localhost:8787',
      resources: ['http://localhost:8787/api'],
    });
    expect((await createTestBrowser(localDeployment).signIn(request)).href).toMatch(
      new RegExp(`^${localRedirect}\\?code=`),
    );
  });

  it('W13.1 development: a local broker serves the same endpoints as a deployed one', () => {
    const paths = (issuerUrl: string) => deploy({ issuer: issuerUrl, resources: [`${issuerUrl}/api`] }).paths;
    expect(paths('http://localhost:8787')).toEqual(paths(issuer));
  });

  it.each(['http://127.0.0.1:4000', 'http://localhost:4000', 'http://[::1]:4000', 'http://google.example'])(
    'W13.2 fake providers: a deployment does not start with a provider at %s',
    (address) => {
      const provider = {
        ...createProvider('google', 'Google'),
        configuredUrls: ['https://google.example', address],
      };
      const createBrokerAt = (issuerUrl: string) => () =>
        createBroker({
          issuer: issuerUrl,
          sealingKeys: keys,
          scopes: { words: 'read', score: 'raise' },
          clients,
          providers: [provider],
          storage: createSpyStorage(),
          log: () => {},
        });
      expect(createBrokerAt(issuer)).toThrow(`providers.google must use https: ${address}`);
      if (address === 'http://google.example')
        expect(createBrokerAt('http://localhost:8787')).toThrow('must use https');
      else expect(createBrokerAt('http://localhost:8787')).not.toThrow();
    },
  );

  it('W13.2 fake providers: providers of a deployment send no requests over http', async () => {
    const allowed: boolean[] = [];
    const createRecordingProvider = (id: string) => {
      const provider = createProvider(id, id);
      return {
        ...provider,
        authorizationUrl: (...[upstreamRequest, io]: Parameters<typeof provider.authorizationUrl>) => {
          allowed.push(io.allowLoopbackHttp);
          return provider.authorizationUrl(upstreamRequest, io);
        },
      };
    };
    for (const issuerUrl of [issuer, 'http://localhost:8787']) {
      await continueToProvider(
        deploy({
          issuer: issuerUrl,
          resources: [`${issuerUrl}/api`],
          providers: [createRecordingProvider('google')],
        }),
      );
    }
    expect(allowed).toEqual([false, true]);
  });
});
