import { describe, expect, it } from 'vitest';
import {
  type BrokerOptions,
  corsHeaders,
  deriveResourceKeys,
  introspectionClient,
  memoryLimiter,
  type ProtectOptions,
  StorageUnavailable,
} from '../../../src/index.ts';
import { createResourceServer } from '../../../src/resource-server.ts';
import { memoryStorage } from '../../../src/storage/memory.ts';
import { createTestBrowser, expectTokens, requestTokens } from '../../browser.ts';
import { app, gpt, obtainCode, obtainTokens, redeem, refresh } from '../../clients.ts';
import { type Deployment, deploy, issuer, keys, serverSecret } from '../../deployment.ts';
import { createProvider } from '../../fake-provider.ts';
import { createSpyStorage } from '../../spy-storage.ts';
import { clientCredentials, postForm } from '../../token-requests.ts';

const metadata = '/.well-known/oauth-authorization-server';
const origin = 'https://browser-app.example';

/** What a browser adds to the request of a page, without and with a preflight. */
const fromPage = { origin, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'cors' };
const asking = (method: string, headers = 'authorization,content-type') => ({
  ...fromPage,
  'access-control-request-method': method,
  'access-control-request-headers': headers,
});

const corsOf = ({ headers }: Response) =>
  Object.fromEntries([...headers].filter(([name]) => name.startsWith('access-control-')));

const preflight = ({ fetch }: Deployment, path: string, method = 'POST', host = issuer): Promise<Response> =>
  fetch(new Request(host + path, { method: 'OPTIONS', headers: asking(method) }));

const shared = [
  [metadata, 'GET, HEAD', 'Authorization, Content-Type, Mcp-Protocol-Version'],
  ['/token', 'POST', 'Authorization, Content-Type, Mcp-Protocol-Version'],
  ['/revoke', 'POST', 'Authorization, Content-Type, Mcp-Protocol-Version'],
] as const;

/** Every endpoint that the broker can have. */
const everything = (changes: Partial<BrokerOptions> = {}): Deployment =>
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

const never = (): readonly string[] =>
  everything()
    .broker.routes.map(({ path }) => path.replace('/*', '/google'))
    .filter((path) => !shared.some(([open]) => open === path));

describe('a page on another origin', () => {
  it.each(shared)('learns from a preflight what it may send: %s', async (path, methods, headers) => {
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
  });

  it('reads the metadata, tokens and the end of a grant', async () => {
    const deployment = deploy();
    expect(corsOf(await deployment.fetch(new Request(issuer + metadata, { headers: fromPage })))).toEqual(
      corsHeaders,
    );
    expect(corsOf(await deployment.fetch(new Request(issuer + metadata, { method: 'HEAD' })))).toEqual(
      corsHeaders,
    );
    const code = await obtainCode(deployment, app);
    const redeemed = await requestTokens(deployment, app.codeRequest(code), fromPage);
    expect(corsOf(redeemed)).toEqual(corsHeaders);
    const { refresh_token } = await expectTokens(redeemed);
    const refreshed = await requestTokens(deployment, app.refreshRequest(refresh_token), fromPage);
    expect(corsOf(refreshed)).toEqual(corsHeaders);
    const { access_token: token } = await expectTokens(refreshed);
    expect(
      corsOf(await postForm(deployment, '/revoke', { ...clientCredentials.app, token }, fromPage)),
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
        new Request(host + path, { method: 'POST', headers: fromPage, body: new URLSearchParams(form) }),
      );
    const answers: readonly Response[] = [
      await post(broken, {}),
      await post(broken, { ...clientCredentials.app }),
      await post(limited, { client_id: 'nobody' }),
      await post(broken, { token: 'x'.repeat(20_000) }),
      await post(broken, {}, 'https://other.example'),
      await broken.fetch(new Request(issuer + path, { headers: fromPage })),
      await broken.fetch(new Request(issuer + path, { method: 'OPTIONS', headers: fromPage })),
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
    expect(answers.map(({ status }) => status)).toEqual([
      ...[401, 400, 429, 413, 421, 405, 405],
      ...(path === '/revoke' ? [503, 500] : []),
    ]);
    for (const answer of answers) expect(corsOf(answer)).toEqual(corsHeaders);
  });

  it.each([
    ['405', { method: 'PUT' }, issuer],
    ['421', {}, 'https://other.example'],
  ])('reads the error %s of the metadata', async (status, init, host) => {
    const response = await deploy().fetch(new Request(host + metadata, { ...init, headers: fromPage }));
    expect([String(response.status), corsOf(response)]).toEqual([status, corsHeaders]);
  });

  it('reads the 503 of a redemption, and the code is still valid afterwards', async () => {
    const memory = memoryStorage();
    const outage = { now: true };
    const deployment = deploy({
      storage: {
        ...memory,
        redeemCode: async (redemption) => {
          if (outage.now) throw new StorageUnavailable('no route');
          return memory.redeemCode(redemption);
        },
      },
    });
    const code = await obtainCode(deployment, app);
    const response = await redeem(deployment, app, code);
    expect([response.status, corsOf(response)]).toEqual([503, corsHeaders]);
    outage.now = false;
    expect((await redeem(deployment, app, code)).status).toBe(200);
  });
});

describe('the API', () => {
  const call = ({ broker }: Deployment, init: RequestInit, requirement?: ProtectOptions, host = issuer) =>
    broker.protect(new Request(`${host}/api/x`, init), requirement);
  const responseOf = async (asked: ReturnType<typeof call>): Promise<Response> => {
    const protection = await asked;
    if (protection.kind === 'granted') throw new Error('the API answered');
    return protection.response;
  };

  it('answers a preflight without being asked for a token', async () => {
    for (const method of ['GET', 'POST', 'DELETE']) {
      const response = await responseOf(call(deploy(), { method: 'OPTIONS', headers: asking(method) }));
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
    const headers = { ...fromPage, authorization: `Bearer ${access_token}` };
    const unknowing = deploy({
      storage: {
        ...memoryStorage(),
        readRevocations: () => Promise.reject(new StorageUnavailable('no route')),
      },
    });
    const limiter = memoryLimiter({ limit: 1, period: 60 }, deployment.now);
    await call(deployment, { headers }, { limiter });
    const answers = [
      await responseOf(call(deployment, { headers: fromPage })),
      await responseOf(call(deployment, { headers: { ...fromPage, authorization: 'Bearer x' } })),
      await responseOf(call(deployment, { headers }, { scopes: ['admin'] })),
      await responseOf(call(deployment, { headers }, {}, 'https://other.example')),
      await responseOf(call(deployment, { headers }, { limiter })),
      await responseOf(call(unknowing, { headers })),
      await responseOf(call(deployment, { headers }, { resource: 'https://typo.example' })),
      await responseOf(call(deployment, { method: 'OPTIONS', headers: fromPage })),
    ];
    expect(answers.map(({ status }) => status)).toEqual([401, 401, 403, 421, 429, 503, 500, 401]);
    for (const answer of answers) expect(corsOf(answer)).toEqual(corsHeaders);
  });

  it('does the same in another process', async () => {
    const { protect } = createResourceServer({
      issuer,
      resource: issuer,
      keys: await deriveResourceKeys({ sealingKeys: keys, issuer, resource: issuer }),
      log: () => {},
    });
    const { broker, ...rest } = deploy();
    const elsewhere = { ...rest, broker: { ...broker, protect } };
    const preflighted = await responseOf(call(elsewhere, { method: 'OPTIONS', headers: asking('GET') }));
    expect(preflighted.status).toBe(204);
    expect(corsOf(await responseOf(call(elsewhere, {})))).toEqual(corsHeaders);
  });

  it('W17.4 opt-out: allows no origin, and a preflight needs a token like any other call', async () => {
    const answers = [
      await responseOf(call(deploy(), { headers: fromPage }, { cors: 'off' })),
      await responseOf(call(deploy(), { method: 'OPTIONS', headers: asking('GET') }, { cors: 'off' })),
    ];
    for (const answer of answers) expect([answer.status, corsOf(answer)]).toEqual([401, {}]);
  });
});

describe('W17', () => {
  it.each(never())('W17.1 not shared: no page on another origin can read or call %s', async (path) => {
    const deployment = everything();
    const cookies = { cookie: '__Host-csrf=x; __Host-session=x' };
    for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'OPTIONS'])
      for (const headers of [fromPage, { ...asking('POST'), ...cookies }, asking('GET', 'x-custom')]) {
        const response = await deployment.fetch(new Request(issuer + path, { method, headers }));
        if (method === 'OPTIONS') expect(response.status).toBe(405);
        expect(corsOf(response)).toEqual({});
      }
  });

  it('W17.1 not shared: knows all of these endpoints', () => {
    expect(never()).toEqual(
      expect.arrayContaining([
        ...['/authorize', '/authorize/consent', '/authorize/style.css', '/authorize/icons/google.svg'],
        ...['/callback/google', '/introspect', '/account', '/account/link', '/account/delete'],
        ...['/backchannel-logout/google', '/events/google'],
      ]),
    );
  });

  it('W17.1 not shared: an error that is redirected to the client is not readable at the authorization endpoint', async () => {
    const { response } = await createTestBrowser(deploy(), fromPage).openSignInPage({
      ...app.request,
      scope: 'nothing',
    });
    expect([response.status, corsOf(response)]).toEqual([303, {}]);
  });

  it('W17.2 credentials: no response ever allows cookies, and none names an origin', async () => {
    const deployment = deploy();
    const { access_token, refresh_token } = await obtainTokens(deployment, app);
    const cookie = { ...fromPage, cookie: '__Host-session=x' };
    const answers = [
      ...(await Promise.all(shared.map(([path]) => preflight(deployment, path)))),
      await deployment.fetch(new Request(issuer + metadata, { headers: cookie })),
      await requestTokens(deployment, app.refreshRequest(refresh_token), cookie),
      await postForm(deployment, '/revoke', { ...clientCredentials.app, token: access_token }, cookie),
    ];
    for (const { headers } of answers) {
      expect(headers.get('access-control-allow-origin')).toBe('*');
      expect(headers.has('access-control-allow-credentials')).toBe(false);
      expect(headers.getSetCookie()).toEqual([]);
    }
  });

  it.each(['/token', '/revoke'])('W17.3 preflight: of %s reads and consumes nothing', async (path) => {
    const storage = createSpyStorage();
    const taken: string[] = [];
    const count = { take: async (key: string) => (taken.push(key) > 0 ? 'allowed' : 'limited') } as const;
    const limits = { failedAuthentications: count, signIns: count };
    const deployment = deploy({ storage, limits, clientAddress: () => '192.0.2.1' });
    const code = await obtainCode(deployment, app);
    const first = await expectTokens(await redeem(deployment, app, code));
    const before = [storage.calls.length, taken.length, deployment.log.length];
    const query = new URLSearchParams({
      ...app.refreshRequest(first.refresh_token),
      token: first.refresh_token,
    });
    for (const headers of [
      asking('POST'),
      { ...asking('POST'), authorization: 'Basic !!!' },
      { ...asking('DELETE', 'x-custom'), 'content-type': 'text/plain' },
      { 'access-control-request-method': '' },
    ])
      for (const address of [`${path}?${query}`, `${path}?client_id=a&client_id=b`]) {
        const response = await deployment.fetch(
          new Request(issuer + address, { method: 'OPTIONS', headers }),
        );
        expect(response.status).toBe(204);
        expect(response.headers.get('access-control-allow-methods')).toBe('POST');
      }
    expect([storage.calls.length, taken.length, deployment.log.length]).toEqual(before);
    expect((await refresh(deployment, app, first.refresh_token)).status).toBe(200);
  });

  it('W17.3 preflight: of the API asks no limiter and no storage, whatever token it brings', async () => {
    const storage = createSpyStorage();
    const deployment = deploy({ storage });
    const taken: string[] = [];
    const limiter = { take: async (key: string) => (taken.push(key) > 0 ? 'allowed' : 'limited') } as const;
    for (const authorization of ['Bearer x', 'Bearer a, Bearer b']) {
      const headers = { ...asking('GET'), authorization };
      const request = new Request(`${issuer}/api/x`, { method: 'OPTIONS', headers });
      expect(await deployment.broker.protect(request, { limiter })).toMatchObject({
        kind: 'refused',
        response: { status: 204 },
      });
    }
    expect([storage.calls, taken, deployment.log.filter(({ event }) => event === 'refused')]).toEqual([
      [],
      [],
      [],
    ]);
  });

  it('W17.3 preflight: is only an OPTIONS request with Access-Control-Request-Method', async () => {
    const deployment = deploy();
    for (const [method, headers] of [
      ['OPTIONS', fromPage],
      ['GET', asking('POST')],
      ['PUT', asking('POST')],
    ] as const) {
      const response = await deployment.fetch(new Request(`${issuer}/token`, { method, headers }));
      expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST']);
    }
  });

  it('W17.3 preflight: does not depend on the host, so that the page can read the error of the call itself', async () => {
    expect((await preflight(deploy(), '/token', 'POST', 'https://other.example')).status).toBe(204);
  });
});
