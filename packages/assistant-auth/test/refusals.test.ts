/**
 * Refused requests: each one has exactly one event. `deploy` checks that for every request of every test; these
 * tests send garbage to every endpoint, and requests for the codes that no other test names.
 */
import { describe, expect, it } from 'vitest';
import {
  type BrokerOptions,
  createBroker,
  type LogEntry,
  memoryLimiter,
  StorageUnavailable,
} from '../src/index.ts';
import { mcpClients } from '../src/mcp-clients/index.ts';
import { memoryStorage } from '../src/storage/memory.ts';
import { createAccountBrowser, createSignedInBrowser } from './account-browser.ts';
import { appRequest, createTestBrowser, gptRequest, requestTokens } from './browser.ts';
import { app, gpt, obtainCode, obtainTokens, redeem, refresh, server } from './clients.ts';
import { clients, type Deployment, deploy, issuer, keys } from './deployment.ts';
import { createProvider } from './fake-provider.ts';
import { continueToProvider, startAuthorization } from './flows.ts';
import {
  buildDocument,
  buildRedemption,
  createWeb,
  deployWith,
  documentRequest,
  documentUrl,
  obtainCodeFor,
  obtainTokensFor,
  refreshFor,
  register,
} from './mcp-clients/web.ts';
import { generateKey, sign } from './providers/signing.ts';
import { createRefusalCheck, isRefusal, refusalsByCode } from './refusals.ts';
import {
  deployForSecurityEvents,
  googleEvent,
  logoutToken,
  securityEventHeaders,
  sendGoogleEvent,
  sendLogoutToken,
} from './security-event-fixtures.ts';

type Form = Readonly<Record<string, string>>;

/** Sends a form with the browser's origin, so that it passes the check of the origin. */
const post = ({ fetch }: Pick<Deployment, 'fetch'>, path: string, form: Form | string, headers: Form = {}) =>
  fetch(
    new Request(issuer + path, {
      method: 'POST',
      headers: { origin: issuer, 'content-type': 'application/x-www-form-urlencoded', ...headers },
      body: typeof form === 'string' ? form : new URLSearchParams(form).toString(),
    }),
  );

/** The last refusal in the log, without what depends on the request. */
const lastRefusal = ({ log }: Deployment): LogEntry | undefined =>
  log.findLast(({ event }) => event === 'refused');

describe('garbage', () => {
  const deployEverything = async (changes: Partial<BrokerOptions> = {}) => {
    const web = createWeb();
    const source = mcpClients({ fetch: web.fetch });
    const broker = { clients: [...clients, source], ...changes };
    return (await deployForSecurityEvents({ broker })).deployment;
  };

  const endpointPaths = async (): Promise<readonly string[]> =>
    (await deployEverything()).paths.flatMap((path) =>
      path.endsWith('/') ? [`${path}acme`, `${path}google`, `${path}apple`, `${path}nobody`, path] : [path],
    );

  const values = ['', 'x', '\0', 'ü'.repeat(3000), '../..', '{"a":[1]}', 'x'.repeat(300_000), 'a=1&a=2'];
  const names = ['client_id', 'state', 'code', 'error', 'token', 'consent', 'form', 'grant_type', 'resource'];
  const headerSets: readonly Form[] = [
    {},
    { origin: issuer, 'content-type': 'application/x-www-form-urlencoded' },
    { origin: 'https://evil.example', 'content-type': 'application/json' },
    { 'content-type': 'application/secevent+jwt', authorization: 'Basic !', cookie: '__Host-tx-AAAAAAAA=x' },
    { 'sec-purpose': 'prefetch', authorization: 'Bearer x', cookie: '__Host-session=x; __Host-csrf-x=y' },
  ];

  /** Builds every combination of method, headers and a value in each place. */
  const buildRequests = (path: string): readonly Request[] =>
    ['GET', 'POST', 'HEAD', 'PUT', 'OPTIONS'].flatMap((method) =>
      headerSets.flatMap((headers) =>
        values.map((value, index) => {
          const name = names[index % names.length] ?? '';
          const query = value.length > 10_000 ? '' : `?${new URLSearchParams({ [name]: value })}`;
          const body = method === 'POST' || method === 'PUT' ? `${name}=${value}` : null;
          return new Request(issuer + path + query, { method, headers, body });
        }),
      ),
    );

  it('sent to every endpoint is refused with exactly one event each, and a code that is defined', async () => {
    const deployment = await deployEverything();
    const requestIds = new Set<string>();
    let refusals = 0;
    for (const path of await endpointPaths()) {
      for (const request of buildRequests(path)) {
        const before = deployment.log.length;
        const response = await deployment.fetch(request);
        const events = deployment.log.slice(before).filter(({ event }) => event === 'refused');
        expect(events).toHaveLength(isRefusal(response) ? 1 : 0);
        refusals += events.length;
        for (const { reason = '', requestId = '', endpoint } of events) {
          expect(refusalsByCode.has(reason), reason).toBe(true);
          expect(endpoint).toMatch(/^[a-z-]+$/);
          requestIds.add(requestId);
        }
        // An error page shows the ID of its event as the reference.
        if (response.headers.get('content-type')?.startsWith('text/html') && isRefusal(response))
          expect(await response.text()).toContain(events[0]?.requestId);
      }
    }
    expect(requestIds.size).toBe(refusals);
    expect(refusals).toBeGreaterThan(5000);
  });

  it('sent to every endpoint while storage fails is refused with exactly one event each', async () => {
    const methods = Object.keys(memoryStorage());
    const fail = () => Promise.reject(new StorageUnavailable('D1 did not respond'));
    const storage = { ...memoryStorage(), ...Object.fromEntries(methods.map((name) => [name, fail])) };
    const deployment = await deployEverything({ storage });
    for (const path of await endpointPaths())
      for (const request of buildRequests(path).slice(0, 60)) {
        const before = deployment.log.length;
        const response = await deployment.fetch(request);
        const events = deployment.log.slice(before).filter(({ event }) => event === 'refused');
        expect(events).toHaveLength(isRefusal(response) ? 1 : 0);
      }
  });

  it('sent to the API or to an unknown path is refused with exactly one event each', async () => {
    const deployment = deploy();
    for (const authorization of values.map((value) => `Bearer ${value.replace(/[^ -~]/g, '')}`)) {
      const request = new Request(`${issuer}/api`, { headers: { authorization } });
      for (const options of [{}, { scopes: ['score'] }, { resource: 'https://nobody.example' }]) {
        const before = deployment.log.length;
        expect((await deployment.broker.protect(request, options)).ok).toBe(false);
        expect(deployment.log.slice(before)).toHaveLength(1);
      }
    }
    for (const path of ['/', '/authorize/', '/x'.repeat(1000)]) {
      await deployment.broker.fetch(new Request(issuer + path));
      expect(lastRefusal(deployment)).toMatchObject({ endpoint: 'fetch', reason: 'request.path' });
    }
  });
});

describe('the check of every request in these tests', () => {
  const options: BrokerOptions = {
    issuer,
    sealingKeys: keys,
    scopes: { words: 'read the word lists', score: 'see your score' },
    clients,
    providers: [createProvider('google', 'Google')],
    storage: memoryStorage(),
  };

  it.each<[string, (record: (entry: LogEntry) => void, entry: LogEntry) => void]>([
    ['is not logged', () => {}],
    [
      'is logged twice',
      (record, entry) => {
        record(entry);
        record(entry);
      },
    ],
    ['is logged with an unknown code', (record, entry) => record({ ...entry, reason: 'request.other' })],
    [
      'is logged with a code for another status',
      (record, entry) => record({ ...entry, reason: 'request.path' }),
    ],
    ['is logged without a request ID', (record, { event }) => record({ event, reason: 'request.method' })],
  ])('fails if a refusal %s', async (_, log) => {
    const { record, wrap } = createRefusalCheck();
    const broker = wrap(createBroker({ ...options, log: (entry) => log(record, entry) }));
    await expect(broker.handle(new Request(`${issuer}/token`))).rejects.toThrow();
  });

  it('fails if a request that was not refused is logged as refused', async () => {
    const { record, wrap } = createRefusalCheck();
    const { issuer: url, ...broker } = createBroker({ ...options, log: () => {} });
    const handle = async () => {
      record({ event: 'refused', reason: 'request.method' });
      return new Response('ok');
    };
    await expect(wrap({ ...broker, issuer: url, handle }).handle(new Request(url))).rejects.toThrow();
  });
});

const key = await generateKey('key-1');
const keysUrl = 'https://client.example/keys.json';

/** A client that authenticates with assertions if it likes. */
const deployWithKeys = (limits: BrokerOptions['limits'] = {}) => {
  const web = createWeb();
  web.publish(
    documentUrl,
    buildDocument({ token_endpoint_auth_methods_supported: ['none', 'private_key_jwt'], jwks_uri: keysUrl }),
  );
  web.publish(keysUrl, { keys: [key.published] });
  const deployment = deployWith(web, {}, { limits });
  let count = 0;
  const assert = async () => ({
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: await sign(
      {
        ...{ iss: documentUrl, sub: documentUrl, aud: issuer, jti: `assertion-${count++}` },
        ...{ iat: deployment.now(), exp: deployment.now() + 60 },
      },
      key,
    ),
  });
  return { web, deployment, assert };
};

/**
 * A user who is signed in at the account page, and has opened the page that confirms a link.
 * @param delay the time between both, in seconds
 */
const openLinkPage = async (delay = 0) => {
  const { deployment, accountBrowser } = await createSignedInBrowser();
  deployment.advance(delay);
  const page = await accountBrowser.submitThroughProvider('/link', { choice: 'other' }, { code: 'ada-2' });
  const html = await page.text();
  const link = /name="link" value="([^"]*)"/.exec(html)?.[1] ?? '';
  expect(link).not.toBe('');
  return { deployment, accountBrowser, link };
};

type Refusal = () => Promise<Deployment>;

const refusals: readonly (readonly [code: string, refuse: Refusal])[] = [
  [
    'prompt.consent-required',
    async () => {
      const deployment = deploy();
      const browser = createAccountBrowser(deployment);
      await browser.signInToAccount('ada', 'google', { refresh: 'upstream-token' });
      await browser.openSignInPage({ ...gptRequest, prompt: 'none' });
      return deployment;
    },
  ],
  [
    'consent.choice',
    async () => {
      const { deployment, browser, consent } = await startAuthorization();
      await browser.submitConsent(consent, { choice: 'nobody' });
      return deployment;
    },
  ],
  [
    'resolve-user.link-refused',
    async () => {
      const deployment = deploy({
        // The publisher knows only the user of Google.
        resolveUser: async ({ provider }) =>
          provider === 'google' ? { kind: 'accepted', userId: 'ada' } : { kind: 'accepted' },
      });
      const { accountBrowser } = await createSignedInBrowser(deployment);
      await accountBrowser.submitThroughProvider('/link', { choice: 'other' }, { code: 'ada-2' });
      return deployment;
    },
  ],
  [
    'account-form.origin',
    async () => {
      const deployment = deploy();
      await post(deployment, '/account/sign-in', {}, { origin: 'https://evil.example' });
      return deployment;
    },
  ],
  [
    'account-form.unreadable',
    async () => {
      const deployment = deploy();
      await createAccountBrowser(deployment).post('/sign-in', {}, 'x');
      return deployment;
    },
  ],
  [
    'account-form.csrf',
    async () => {
      const deployment = deploy();
      const [ada, bob] = [createAccountBrowser(deployment), createAccountBrowser(deployment)];
      const { form } = await ada.openAccountPage();
      await bob.openAccountPage();
      await bob.post('/sign-in', {}, form);
      return deployment;
    },
  ],
  [
    'link.unreadable',
    async () => {
      const { deployment, accountBrowser } = await openLinkPage();
      await accountBrowser.post('/link/confirm', { link: 'x', confirm: '1' });
      return deployment;
    },
  ],
  [
    'link.expired',
    async () => {
      // The clock was set back after the sign-in, which is recent for longer than the link is valid.
      const { deployment, accountBrowser, link } = await openLinkPage(-100);
      deployment.advance(300);
      await accountBrowser.post('/link/confirm', { link, confirm: '1' });
      return deployment;
    },
  ],
  [
    'account.item-not-found',
    async () => {
      const { deployment, accountBrowser } = await createSignedInBrowser();
      await accountBrowser.post('/apps/disconnect', { app: 'nothing' });
      return deployment;
    },
  ],
  [
    'authentication.assertions-limited',
    async () => {
      const { deployment, assert } = deployWithKeys({
        refreshesPerGrant: memoryLimiter({ limit: 1, period: 3600 }),
      });
      const tokens = await obtainTokensFor(deployment, documentRequest, await assert());
      await post(deployment, '/revoke', { ...(await assert()), token: tokens.access_token });
      return deployment;
    },
  ],
  [
    'authentication.keys',
    async () => {
      const { web, deployment, assert } = deployWithKeys();
      web.fail(keysUrl);
      const code = await obtainCodeFor(deployment, documentRequest);
      await requestTokens(deployment, buildRedemption(documentRequest, code, await assert()));
      return deployment;
    },
  ],
  [
    'refresh.authentication',
    async () => {
      const { deployment, assert } = deployWithKeys();
      const { refresh_token } = await obtainTokensFor(deployment, documentRequest, await assert());
      await refreshFor(deployment, documentRequest, refresh_token);
      return deployment;
    },
  ],
  [
    'grant-type.missing',
    async () => {
      const deployment = deploy();
      await requestTokens(deployment, { client_id: 'app' });
      return deployment;
    },
  ],
  [
    'grant-type.unsupported',
    async () => {
      const deployment = deploy();
      await requestTokens(deployment, { client_id: 'app', grant_type: 'password' });
      return deployment;
    },
  ],
  [
    'refresh.resource',
    async () => {
      const deployment = deploy();
      const { refresh_token } = await obtainTokens(deployment, gpt);
      await refresh(deployment, gpt, refresh_token, { resource: `${issuer}/other` });
      return deployment;
    },
  ],
  [
    'token-parameter.missing',
    async () => {
      const deployment = deploy();
      await post(deployment, '/revoke', { client_id: 'app' });
      return deployment;
    },
  ],
  [
    'token-parameter.client',
    async () => {
      const deployment = deploy();
      const { access_token: token } = await obtainTokens(deployment, gpt);
      await post(deployment, '/revoke', { client_id: 'app', token });
      return deployment;
    },
  ],
  [
    'client-metadata.url',
    async () => {
      const deployment = deployWith(createWeb());
      await createTestBrowser(deployment).openSignInPage({
        ...appRequest,
        client_id: 'https://client.example',
      });
      return deployment;
    },
  ],
  [
    'client-metadata.unavailable',
    async () => {
      const web = createWeb();
      web.fail(documentUrl);
      const deployment = deployWith(web);
      await createTestBrowser(deployment).openSignInPage(documentRequest);
      return deployment;
    },
  ],
  ...(
    [
      ['registration.content-type', '{}', {}],
      ['registration.json', 'x', undefined],
      ['registration.redirect-uri', { redirect_uris: ['http://client.example/'] }, undefined],
      [
        'registration.metadata',
        { redirect_uris: ['http://127.0.0.1/callback'], response_types: ['token'] },
        undefined,
      ],
    ] as const
  ).map(([code, metadata, headers]): readonly [string, Refusal] => [
    code,
    async () => {
      const deployment = deployWith(createWeb());
      await register(deployment, metadata, headers);
      return deployment;
    },
  ]),
];

const securityEventRefusals: readonly (readonly [
  code: string,
  send: (events: Awaited<ReturnType<typeof deployForSecurityEvents>>) => Promise<Response>,
])[] = [
  ['logout-token.missing', ({ post: send }) => send('/backchannel-logout/acme', new URLSearchParams())],
  ['security-event.provider', ({ post: send }) => send('/events/nobody', 'x')],
  ['security-event.content-type', ({ post: send }) => send('/events/google', 'x')],
  ['security-event.unreadable', ({ post: send }) => send('/events/google', 'x', securityEventHeaders)],
  [
    'security-event.issuer',
    (events) => sendGoogleEvent(events, googleEvent(undefined, { iss: 'https://x.example' })),
  ],
  ['security-event.audience', (events) => sendGoogleEvent(events, googleEvent(undefined, { aud: 'other' }))],
  ['security-event.age', (events) => sendLogoutToken(events, logoutToken({ iat: 1, exp: 2 }))],
  ['security-event.content', (events) => sendLogoutToken(events, logoutToken({ events: {} }))],
  [
    'security-event.replayed',
    async (events) => {
      await sendLogoutToken(events);
      return sendLogoutToken(events);
    },
  ],
  [
    'security-event.key',
    async (events) => sendLogoutToken(events, logoutToken({}, await generateKey('unknown'))),
  ],
  [
    'security-event.signature',
    async (events) => sendLogoutToken(events, `${(await logoutToken()).slice(0, -8)}AAAAAAAA`),
  ],
  [
    'security-event.limited',
    async (events) => {
      for (let count = 0; count < 20; count += 1) await sendLogoutToken(events, 'x');
      return sendLogoutToken(events, 'x');
    },
  ],
];

describe('a refused request is logged with its code', () => {
  it.each(refusals)('%s', async (code, refuse) => {
    expect(lastRefusal(await refuse())).toMatchObject({
      reason: code,
      requestId: expect.stringMatching(/^[\w-]{22}$/),
    });
  });

  it.each(securityEventRefusals)('%s', async (code, send) => {
    const events = await deployForSecurityEvents();
    const { status } = await send(events);
    expect(status).toBe(refusalsByCode.get(code)?.status);
    expect(lastRefusal(events.deployment)).toMatchObject({ reason: code });
  });

  it('security-event.unverifiable', async () => {
    const fetch = async () => new Response(null, { status: 503 });
    const events = await deployForSecurityEvents({ broker: { fetch } });
    expect((await sendLogoutToken(events)).status).toBe(503);
    expect(lastRefusal(events.deployment)).toMatchObject({ reason: 'security-event.unverifiable' });
  });

  it('once if the callback is repeated and the page cannot be shown', async () => {
    const storage = memoryStorage();
    const deployment = deploy({ storage });
    const { returnFromProvider } = await continueToProvider(deployment);
    await returnFromProvider({ code: 'ada' });
    const before = deployment.log.length;
    storage.readGrantStatus = async () => {
      throw new StorageUnavailable('D1 did not respond');
    };
    expect((await returnFromProvider({ code: 'ada' })).status).toBe(503);
    expect(deployment.log.slice(before)).toMatchObject([{ reason: 'storage.unavailable' }]);
  });

  it('once if the page of a failed callback cannot link to its client', async () => {
    const storage = memoryStorage();
    const web = createWeb();
    web.publish(documentUrl, buildDocument());
    const deployment = deployWith(
      web,
      {},
      { storage, limits: { signInsPerUser: { limit: 1, period: 600 } } },
    );
    await obtainCodeFor(deployment, documentRequest, 'ada');
    const { returnFromProvider } = await continueToProvider(deployment, documentRequest);
    expect((await returnFromProvider({ code: 'ada' })).status).toBe(429);
    web.fail(documentUrl, 404);
    storage.readClient = async () => undefined;
    deployment.advance((7 * 86_400) / 1000);
    const before = deployment.log.length;
    await returnFromProvider({ code: 'ada' });
    expect(deployment.log.slice(before).filter(({ event }) => event === 'refused')).toHaveLength(1);
  });

  it('and not if a refused redemption is of another client', async () => {
    const deployment = deploy();
    const code = await obtainCode(deployment, server);
    await redeem(deployment, app, code);
    expect(lastRefusal(deployment)).toMatchObject({ reason: 'code.client', clientId: 'app' });
  });
});
