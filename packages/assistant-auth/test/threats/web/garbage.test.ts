import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { appRequest, createTestBrowser, gptRequest, gptSignIn } from '../../browser.ts';
import { app, gpt, obtainCode, redeem } from '../../clients.ts';
import { type Deployment, deploy, gptSecret, issuer } from '../../deployment.ts';
import { buildCookieHeader, continueToProvider, startAuthorization } from '../../flows.ts';
import { createSpyStorage } from '../../spy-storage.ts';

const formType = 'application/x-www-form-urlencoded';

/** Posts a body to both endpoints that read one. */
const postEverywhere = async (body: () => BodyInit, contentType = formType) => {
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

const megabytes = (count: number): ReadableStream => {
  let left = count * 16;
  return new ReadableStream({
    pull(controller) {
      if (left-- > 0) controller.enqueue(new Uint8Array(65_536).fill(0x61));
      else controller.close();
    },
  });
};

describe('W6', () => {
  it.each([
    ['W6.1 oversized body: one text', () => `a=${'x'.repeat(1_000_000)}`],
    ['W6.1 oversized body: many fields', () => 'a=1&'.repeat(100_000)],
    ['W6.1 oversized body: a stream of unknown length', () => megabytes(64)],
    ['W6.1 oversized body: not even a form', () => new Uint8Array(1_000_000)],
  ])('%s is a 413, unread', async (_, body) => {
    expect(await postEverywhere(body)).toEqual({
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
  ])('W6.2 odd content type: %s is a 400', async (contentType) => {
    const body = () => new URLSearchParams(gpt.codeRequest('x')).toString();
    expect(await postEverywhere(body, contentType)).toEqual({
      statuses: [400, 400],
      reasons: ['request.content-type', 'request.content-type'],
    });
  });

  it('W6.2 odd content type: a body that is not UTF-8 is a 400', async () => {
    expect(await postEverywhere(() => Uint8Array.of(0x61, 0x3d, 0xff))).toEqual({
      statuses: [400, 400],
      reasons: ['request.unreadable', 'request.unreadable'],
    });
  });

  it('W6.3 repeated parameters: are a 400 at every endpoint, and burn nothing', async () => {
    const deployment = deploy();
    const code = await obtainCode(deployment, gpt);
    const { browser, consent } = await startAuthorization(deployment);
    const { callbackUrl, browser: traveller } = await continueToProvider(deployment);
    const twice = (form: Readonly<Record<string, string>>, name: string) => {
      const body = new URLSearchParams(form);
      body.append(name, form[name] ?? '');
      return body;
    };
    const post = (path: string, body: URLSearchParams) =>
      browser.visit(issuer + path, { method: 'POST', body });
    const responses = [
      await browser.visit(`${issuer}/authorize?${twice(gptRequest, 'client_id')}`),
      await post('/authorize/consent', twice({ consent, choice: 'google' }, 'consent')),
      await post('/authorize/consent', twice({ consent, choice: 'google' }, 'choice')),
      await traveller.visit(`${callbackUrl({ code: 'ada' })}&state=x`),
      ...(await Promise.all(
        Object.keys(gpt.codeRequest(code)).map((name) => post('/token', twice(gpt.codeRequest(code), name))),
      )),
    ];
    expect(responses.map(({ status }) => status)).toEqual(Array.from({ length: 9 }, () => 400));
    expect(new Set(reasonsIn(deployment))).toEqual(new Set(['parameter.repeated']));
    expect((await redeem(deployment, gpt, code)).status).toBe(200);
  });
});

it('W6.1 oversized body: one that only says it is large is judged by what comes', async () => {
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

/** Honest requests of every endpoint, to be bent, and all that an attacker has at hand to bend them with. */
const honest = async (deployment: Deployment) => {
  const { browser, consent } = await startAuthorization(deployment);
  const { state, browser: traveller } = await continueToProvider(deployment);
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
  const cookies = [buildCookieHeader(browser.cookies), buildCookieHeader(traveller.cookies)];
  const values = [consent, state, access_token, refresh_token, code, ...cookies, gptSecret];
  return { endpoints, cookies, values };
};

/** Mostly what is right, now and then something else. */
const mostly = <Value>(right: fc.Arbitrary<Value>, other: fc.Arbitrary<Value>) =>
  fc.oneof({ weight: 4, arbitrary: right }, { weight: 1, arbitrary: other });

const bent = ({ endpoints, cookies, values }: Awaited<ReturnType<typeof honest>>) => {
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
    const kept = mostly(fc.constant(entries), fc.subarray(entries));
    const added = mostly(
      fc.constant<[string, string][]>([]),
      fc.array(fc.tuple(name, text), { maxLength: 3 }),
    );
    const spoilt = fc
      .tuple(kept, fc.nat(), text)
      .map(([all, at, other]): [string, string][] =>
        all.map(([key, value], index) => [key, index === at % all.length ? other : value]),
      );
    const pairs = fc
      .tuple(fc.oneof(kept, spoilt), added)
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

it('W6.4 anything at all: is answered, never with a 5xx, at every endpoint and at the guard', async () => {
  const deployment = deploy();
  await fc.assert(
    fc.asyncProperty(bent(await honest(deployment)), async ({ path, method, query, body, headers }) => {
      const bodiless = method === 'GET' || method === 'HEAD';
      const entries = Object.entries(headers).filter(([, value]) => value !== '');
      const make = () =>
        new Request(`${issuer}${path}?${query}`, {
          method,
          headers: Object.fromEntries(entries),
          body: bodiless ? null : bodyOf(body),
        });
      const response = await deployment.fetch(make());
      expect(response.status).toBeLessThan(500);
      const protection = await deployment.broker.protect(make());
      if (protection.kind === 'refused') expect(protection.response.status).toBeLessThan(500);
    }),
    { numRuns: 600 },
  );
  const seen = new Set(deployment.log.map(({ event, reason }) => reason ?? event));
  expect(seen).not.toContain('unexpected');
  // It met most of what can be wrong, or it proves nothing.
  expect(seen.size).toBeGreaterThan(20);
});

/** A text as it is; bytes as a stream in chunks, without a declared length. */
const bodyOf = (body: string | Uint8Array): BodyInit => {
  if (typeof body === 'string') return body;
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at < body.length) controller.enqueue(body.slice(at, at + 1000));
      else controller.close();
      at += 1000;
    },
  });
};
