/** Where events go: the log, the option `onEvent`, and the counts of refused requests. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { consoleLog } from '../../src/defaults.ts';
import {
  type BrokerOptions,
  type BrokerStorage,
  ConfigurationError,
  deriveResourceKeys,
  gptAction,
  type LogEntry,
  type OnEvent,
  type RefusalCount,
  StorageUnavailable,
} from '../../src/index.ts';
import { createResourceServer } from '../../src/resource-server.ts';
import { memoryStorage } from '../../src/storage/memory.ts';
import { callApi, createTestBrowser, gptRequest, readRedirect, requestTokens } from '../browser.ts';
import { app, gpt, obtainCode, obtainTokens, redeem, refresh } from '../clients.ts';
import { clients, type Deployment, deploy, gptSecret, issuer, keys } from '../deployment.ts';
import { createWeb, deployWith, documentUrl, register } from '../mcp-clients/web.ts';
import { createSpyStorage } from '../spy-storage.ts';

const requestId = expect.stringMatching(/^[\w-]{22}$/);

const restrictedGpt = gptAction({
  id: 'gpt',
  name: 'Words GPT',
  secrets: [gptSecret],
  scopes: ['words', 'score'],
  gptIds: ['g-1234567890abcdef1234567890abcdef'],
});

/** A deployment that records what the log and `onEvent` get, in order. */
const deployWithHook = (onEvent: OnEvent = () => {}, changes: Partial<BrokerOptions> = {}) => {
  const received: (readonly ['log' | 'hook', LogEntry])[] = [];
  const deployment = deploy({
    // Without the GPT that causes an event at startup.
    clients: clients.map((client) => (client.id === 'gpt' ? restrictedGpt : client)),
    log: (entry) => void received.push(['log', entry]),
    onEvent: (event) => {
      received.push(['hook', event]);
      return onEvent(event);
    },
    ...changes,
  });
  return { ...deployment, received };
};

const refuse = (deployment: Pick<Deployment, 'fetch'>): Promise<Response> =>
  deployment.fetch(new Request(`${issuer}/token`));

const refused = { event: 'refused', reason: 'request.method', endpoint: 'token', requestId, count: 1 };

describe('the client of a request that could not be authenticated', () => {
  const form = { grant_type: 'authorization_code', code: 'x' };

  it.each([
    [{ client_id: 'gpt', client_secret: 'wrong' }, 'authentication.secret'],
    [{ client_id: 'server' }, 'authentication.method'],
    [{ client_id: 'app', client_secret: gptSecret }, 'authentication.method'],
  ])('is logged if its ID is known: %j', async (credentials, reason) => {
    const deployment = deploy();
    const response = await requestTokens(deployment, { ...form, ...credentials });
    expect(response.status).toBe(401);
    expect(deployment.log.at(-1)).toEqual({
      ...{ event: 'refused', endpoint: 'token', requestId, reason, clientId: credentials.client_id },
    });
  });

  it('is not logged if its ID is unknown, because it can be a secret that was sent as the ID', async () => {
    const deployment = deploy();
    for (let attempt = 0; attempt < 50; attempt++)
      await requestTokens(deployment, { ...form, client_id: gptSecret, client_secret: 'gpt' });
    expect(new Set(deployment.log.map(({ reason = '' }) => reason))).toEqual(
      new Set(['', 'authentication.unknown-client', 'authentication.limited']),
    );
    expect(JSON.stringify(deployment.log)).not.toContain(gptSecret);
  });
});

describe('onEvent', () => {
  it('gets each event after the log does, with the same content', async () => {
    const { received, ...deployment } = deployWithHook();
    const { access_token, refresh_token } = await obtainTokens(deployment, gpt);
    await refresh(deployment, gpt, refresh_token);
    await refresh(deployment, gpt, 'unknown');
    await callApi(deployment, access_token);
    await callApi(deployment, 'unknown');
    expect(received.map(([, { event, reason = event }]) => reason)).toEqual(
      ['signed-in', 'tokens-issued', 'tokens-issued', 'refresh.unreadable', 'token.unreadable'].flatMap(
        (code) => [code, code],
      ),
    );
    for (let index = 0; index < received.length; index += 2)
      expect([received[index], received[index + 1]]).toEqual([
        ['log', received[index]?.[1]],
        ['hook', received[index]?.[1]],
      ]);
    expect(received[4]?.[1]).toMatchObject({ event: 'tokens-issued', clientId: 'gpt', count: 2, requestId });
  });

  it('gets an event even if the log throws', async () => {
    const lines = vi.spyOn(console, 'log').mockImplementation(() => {});
    const { received, ...deployment } = deployWithHook(undefined, {
      log: () => {
        throw new Error('the disk is full');
      },
    });
    expect((await refuse(deployment)).status).toBe(405);
    expect(received).toEqual([['hook', refused]]);
    expect(lines).toHaveBeenLastCalledWith(
      JSON.stringify({ event: 'log-failed', cause: 'Error: the disk is full', count: 1 }),
    );
  });

  it.each<[string, OnEvent]>([
    [
      'throws',
      () => {
        throw new Error('no metrics');
      },
    ],
    ['rejects', () => Promise.reject(new Error('no metrics'))],
  ])('changes no response if it %s, and does not get the event of that', async (_, onEvent) => {
    const { received, flushBackgroundWork, ...deployment } = deployWithHook(onEvent);
    const response = await refuse(deployment);
    expect(response.status).toBe(405);
    await flushBackgroundWork();
    expect(received).toEqual([
      ['log', refused],
      ['hook', refused],
      ['log', { event: 'event-hook-failed', cause: 'Error: no metrics', count: 1 }],
    ]);
    await refuse(deployment);
    await flushBackgroundWork();
    expect(received.slice(3)).toEqual([
      ['log', { ...refused, count: 2 }],
      ['hook', { ...refused, count: 2 }],
      ['log', { event: 'event-hook-failed', cause: 'Error: no metrics', count: 2 }],
    ]);
  });

  it('changes no response if it throws a value without a text', async () => {
    const { received, ...deployment } = deployWithHook(() => {
      throw Object.create(null);
    });
    expect((await refuse(deployment)).status).toBe(405);
    expect(received.at(-1)).toEqual(['log', { event: 'event-hook-failed', cause: 'object', count: 1 }]);
  });

  it('delays no response, and its promise is passed to the waitUntil of the request', async () => {
    const work: Promise<unknown>[] = [];
    const ofBroker: Promise<unknown>[] = [];
    const { promise, resolve } = Promise.withResolvers<void>();
    const { received, broker } = deployWithHook(() => promise, {
      waitUntil: (background) => void ofBroker.push(background),
    });
    const context = { waitUntil: (background: Promise<unknown>) => void work.push(background) };
    const response = await broker.fetch(new Request(`${issuer}/token`), undefined, context);
    expect(response.status).toBe(405);
    expect(work).toHaveLength(1);
    expect(ofBroker).toEqual([]);
    expect(await Promise.race([work[0], 'pending'])).toBe('pending');
    resolve();
    expect(await work[0]).toBeUndefined();
    expect(received).toHaveLength(2);
  });

  it('of a call is passed to the waitUntil of the broker', async () => {
    const work: Promise<unknown>[] = [];
    const deployment = deployWithHook(async () => {}, {
      waitUntil: (background) => void work.push(background),
    });
    const before = work.length;
    await deployment.broker.protect(new Request(`${issuer}/api`));
    expect(work).toHaveLength(before + 1);
  });

  it('without a promise, is not passed to waitUntil', async () => {
    const waitUntil = vi.fn<(work: Promise<void>) => void>();
    await refuse(deployWithHook(() => {}, { waitUntil }));
    expect(waitUntil).not.toHaveBeenCalled();
  });

  it('that returns a promise works if waitUntil throws', async () => {
    const { received, ...deployment } = deployWithHook(async () => {}, {
      waitUntil: () => {
        throw new TypeError('no request');
      },
    });
    expect((await refuse(deployment)).status).toBe(405);
    expect(received).toEqual([
      ['log', refused],
      ['hook', refused],
      ['log', { event: 'wait-until-failed', cause: 'TypeError: no request', count: 1 }],
    ]);
  });

  it.each(['a string', {}, null, 1])('must be a function, not %j', (value) => {
    const onEvent: OnEvent = JSON.parse(JSON.stringify(value));
    const expected = expect.objectContaining({
      name: ConfigurationError.name,
      option: 'onEvent',
      message: 'onEvent must be a function.',
    });
    expect(() => deploy({ onEvent })).toThrow(expected);
    expect(() =>
      createResourceServer({ issuer, resource: `${issuer}/api`, keys: 'not read yet', onEvent }),
    ).toThrow(expected);
  });

  it('gets no secret, token, code or user ID of a sign-in, a refresh or a call', async () => {
    const { received, ...deployment } = deployWithHook();
    const browser = createTestBrowser(deployment);
    const { consent } = await browser.openSignInPage({ ...gptRequest, state: 'client-state' });
    const providerUrl = readRedirect(await browser.submitConsent(consent, { choice: 'google' }));
    const state = providerUrl.searchParams.get('state') ?? '';
    const callback = `${issuer}/callback/google?${new URLSearchParams({ state, code: 'the-subject' })}`;
    const code = readRedirect(await browser.visit(callback)).searchParams.get('code') ?? '';
    const tokens = await (await redeem(deployment, gpt, code)).json<Record<string, string>>();
    const { access_token = '', refresh_token = '' } = tokens;
    await refresh(deployment, gpt, refresh_token);
    const call = await callApi(deployment, access_token);
    if (!call.ok) throw new Error('the API refused the call');
    // The same values in requests that are refused.
    await redeem(deployment, gpt, code);
    await redeem(deployment, app, code);
    await refresh(deployment, app, refresh_token);
    await refresh(deployment, gpt, access_token);
    await callApi(deployment, refresh_token);
    await browser.visit(callback);
    await deployment.fetch(new Request(`${issuer}/authorize?state=${state}&client_id=${code}`));
    const events = JSON.stringify(received);
    expect(received.length).toBeGreaterThan(18);
    const secrets = { consent, state, code, access_token, refresh_token, gptSecret, keys };
    const identity = { subject: 'the-subject', user: call.user.id, grant: call.grant.id };
    // That of the last provider contains nothing but its ID.
    const cookies = Object.fromEntries([...browser.cookies].filter(([name]) => name !== '__Host-provider'));
    for (const [name, value] of Object.entries({ ...secrets, ...identity, ...cookies })) {
      expect(value.length, name).toBeGreaterThan(5);
      expect(events, name).not.toContain(value);
    }
  });

  it('gets the events of clients that are not in the configuration', async () => {
    const events: LogEntry[] = [];
    const onEvent = (event: LogEntry) => void events.push(event);
    const web = createWeb();
    web.publish(documentUrl, {});
    const deployment = deployWith(web, {}, { onEvent });
    await register(deployment, { redirect_uris: ['http://127.0.0.1/callback'] });
    await createTestBrowser(deployment).openSignInPage({ ...gptRequest, client_id: documentUrl });
    expect(events.slice(-3).map(({ event, reason = event }) => reason)).toEqual([
      'client-registered',
      'document-failed',
      'client-metadata.invalid',
    ]);
  });

  it('gets the events of an API in another process', async () => {
    const events: LogEntry[] = [];
    const work: Promise<void>[] = [];
    const resource = 'https://api.example/v1';
    const server = createResourceServer({
      ...{ issuer, resource, keys: await deriveResourceKeys({ sealingKeys: keys, issuer, resource }) },
      log: () => {},
      onEvent: async (event) => void events.push(event),
      waitUntil: (background) => void work.push(background),
    });
    const { ok } = await server.protect(new Request(resource));
    expect(ok).toBe(false);
    expect(events).toEqual([
      { event: 'refused', endpoint: 'protect', reason: 'token.missing', requestId, count: 1 },
    ]);
    expect(work).toHaveLength(1);
  });
});

describe('the console', () => {
  it('gets no control character and no character that changes the direction of text', () => {
    const lines = vi.spyOn(console, 'log').mockImplementation(() => {});
    const text = '\0\n\r\u001B[31m\u007F\u0085\u009B\u061C\u200E\u200F\u2028\u2029\u202A\u202E\u2066\u2069';
    consoleLog({ event: 'refused', clientId: `é${text}“ü”\\` });
    const line = String(lines.mock.calls[0]?.[0]);
    expect(line).toBe(
      String.raw`{"event":"refused","clientId":"é\u0000\n\r\u001b[31m\u007f\u0085\u009b\u061c\u200e\u200f\u2028\u2029\u202a\u202e\u2066\u2069“ü”\\"}`,
    );
    expect(JSON.parse(line)).toEqual({ event: 'refused', clientId: `é${text}“ü”\\` });
  });
});

describe('counts of refused requests', () => {
  let stored: RefusalCount[][] = [];
  let failure: Error | undefined;
  beforeEach(() => {
    stored = [];
    failure = undefined;
  });
  afterEach(() => {
    // A refusal without its code would be useless.
    for (const { day, reason, count } of stored.flat())
      expect([day, reason, count]).toEqual([
        expect.stringMatching(/^\d{4}-\d\d-\d\d$/),
        expect.stringMatching(/^[a-z.-]{5,100}$/),
        expect.any(Number),
      ]);
  });

  /** A deployment whose storage records the counts that it gets, and fails with `failure`. */
  const deployWithCounts = (changes: Partial<BrokerOptions> = {}) => {
    const storage: BrokerStorage = {
      ...memoryStorage(),
      recordRefusals: async (refusals) => {
        stored.push([...refusals]);
        if (failure !== undefined) throw failure;
      },
    };
    return deploy({ storage, ...changes });
  };

  // 1_800_000_000 is 2027-01-15, 08:00 UTC.
  const day = '2027-01-15';

  it('are stored by day and reason after tokens were issued, in the background', async () => {
    const deployment = deployWithCounts();
    const code = await obtainCode(deployment, gpt);
    await refresh(deployment, gpt, 'unknown');
    await refresh(deployment, gpt, 'unknown');
    await callApi(deployment, 'unknown');
    await deployment.broker.fetch(new Request(`${issuer}/unknown`));
    await deployment.fetch(new Request(`${issuer}/authorize?client_id=gpt`));
    expect(stored).toEqual([]);
    await redeem(deployment, gpt, code);
    expect(stored).toEqual([
      [
        { day, reason: 'refresh.unreadable', count: 2 },
        { day, reason: 'token.unreadable', count: 1 },
        { day, reason: 'request.path', count: 1 },
        { day, reason: 'redirect.missing', count: 1 },
      ],
    ]);
  });

  it('are stored after a sign-in', async () => {
    const deployment = deployWithCounts();
    await refuse(deployment);
    await obtainCode(deployment, gpt);
    expect(stored).toEqual([[{ day, reason: 'request.method', count: 1 }]]);
  });

  it('belong to the day in UTC of each refusal', async () => {
    const deployment = deployWithCounts();
    const code = await obtainCode(deployment, gpt);
    deployment.advance(16 * 3600 - 1);
    await refuse(deployment);
    deployment.advance(1);
    await refuse(deployment);
    await redeem(deployment, gpt, code);
    await obtainCode(deployment, gpt);
    expect(stored).toEqual([
      [
        { day, reason: 'request.method', count: 1 },
        { day: '2027-01-16', reason: 'request.method', count: 1 },
        { day: '2027-01-16', reason: 'code.expired', count: 1 },
      ],
    ]);
  });

  it('are stored at most once a minute, and also after the clock was set back', async () => {
    const deployment = deployWithCounts();
    const { refresh_token } = await obtainTokens(deployment, gpt);
    const refuseAndRefresh = async () => {
      await refuse(deployment);
      await refresh(deployment, gpt, refresh_token);
      return stored.map(([counted]) => counted?.count);
    };
    expect(await refuseAndRefresh()).toEqual([1]);
    expect(await refuseAndRefresh()).toEqual([1]);
    deployment.advance(59);
    expect(await refuseAndRefresh()).toEqual([1]);
    deployment.advance(1);
    expect(await refuseAndRefresh()).toEqual([1, 3]);
    deployment.advance(-60);
    expect(await refuseAndRefresh()).toEqual([1, 3, 1]);
  });

  it('are not stored if there are none', async () => {
    const waitUntil = vi.fn<(work: Promise<void>) => void>();
    const deployment = deployWithCounts({ waitUntil });
    await createTestBrowser(deployment).signIn(gptRequest);
    await deployment.broker.cleanup();
    expect(stored).toEqual([]);
  });

  it('1,000 refused requests of strangers write nothing, and read nothing', async () => {
    const storage = createSpyStorage();
    const deployment = deployWith(createWeb(), {}, { storage });
    const requests = [
      () => deployment.fetch(new Request(`${issuer}/authorize?client_id=nobody`)),
      () => deployment.fetch(new Request(`${issuer}/callback/google?state=x&code=y`)),
      () => refresh(deployment, app, 'unknown'),
      () => redeem(deployment, gpt, 'unknown', { client_secret: 'wrong' }),
      () => deployment.broker.fetch(new Request(`${issuer}/wp-login.php`)),
      () => deployment.fetch(new Request(`${issuer}/account/delete`, { method: 'POST' })),
    ];
    for (let attempt = 0; attempt < 1000; attempt += 1) {
      deployment.advance(60);
      const { status } = (await requests[attempt % requests.length]?.()) ?? new Response();
      expect(status).toBeGreaterThanOrEqual(400);
    }
    await deployment.broker.protect(new Request(`${issuer}/api`, { headers: { authorization: 'Bearer x' } }));
    // Nor do the requests of strangers that succeed.
    expect((await register(deployment, { redirect_uris: ['http://127.0.0.1/callback'] })).status).toBe(201);
    expect((await createTestBrowser(deployment).openSignInPage(gptRequest)).response.status).toBe(200);
    await deployment.flushBackgroundWork();
    expect(storage.calls).toEqual([]);
  });

  it('are stored by a cleanup', async () => {
    const deployment = deployWithCounts();
    await refuse(deployment);
    await deployment.broker.cleanup();
    expect(stored).toEqual([[{ day, reason: 'request.method', count: 1 }]]);
    await deployment.broker.cleanup();
    expect(stored).toHaveLength(1);
  });

  it('are kept if they cannot be stored, and added later', async () => {
    const deployment = deployWithCounts();
    const { refresh_token } = await obtainTokens(deployment, gpt);
    failure = new StorageUnavailable('D1 did not respond');
    await refuse(deployment);
    await refuse(deployment);
    expect((await refresh(deployment, gpt, refresh_token)).status).toBe(200);
    await deployment.flushBackgroundWork();
    expect(deployment.log.filter(({ event }) => event === 'write-failed')).toEqual([
      { event: 'write-failed', cause: 'StorageUnavailable: D1 did not respond' },
    ]);
    await refuse(deployment);
    await expect(deployment.broker.cleanup()).rejects.toThrow(failure);
    failure = undefined;
    await deployment.broker.cleanup();
    expect(stored.map((refusals) => refusals.map(({ count }) => count))).toEqual([[2], [3], [3]]);
  });

  it('delay no response while storage does not respond', async () => {
    const storage: BrokerStorage = { ...memoryStorage(), recordRefusals: () => new Promise(() => {}) };
    const work: Promise<unknown>[] = [];
    const deployment = deploy({ storage, waitUntil: (background) => void work.push(background) });
    await refuse(deployment);
    await obtainTokens(deployment, gpt);
    expect(await Promise.race([...work, 'pending'])).toBeUndefined();
    expect((await Promise.all(work.map((one) => Promise.race([one, 'pending'])))).at(-1)).toBe('pending');
  });

  it('are bounded while storage fails', async () => {
    const deployment = deployWithCounts();
    for (let days = 0; days < 1100; days += 1) {
      await refuse(deployment);
      deployment.advance(86_400);
    }
    await deployment.broker.cleanup();
    expect(stored[0]).toHaveLength(1000);
    await refuse(deployment);
    await deployment.broker.cleanup();
    expect(stored[1]).toHaveLength(1);
  });
});
