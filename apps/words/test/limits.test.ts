import { env } from 'cloudflare:workers';
import { corsHeaders } from 'assistant-auth';
import { beforeAll, describe, expect, it } from 'vitest';
import { rateLimiterContract } from '../../../packages/assistant-auth/test/limits/rate-limiter-contract.ts';
import { emptyD1 } from '../../../packages/assistant-auth/test/storage/d1/empty-d1.ts';
import { readBindings } from '../src/bindings.ts';
import { VariableError } from '../src/config/variables.ts';
import { allowances, createBindingLimiter, createLimits } from '../src/limits.ts';
import { deploy, origin } from './deployment.ts';

beforeAll(emptyD1);

const assets = { fetch: async () => new Response() };

/** Returns the rate-limit bindings of the Wrangler file, from workerd. */
const readPlatformCounters = () => readBindings({ ...env, ASSETS: assets }).rateLimitBindings ?? {};

const postRequest = new Request(`${origin}/api/scoring`, { method: 'POST' });
const getRequest = new Request(`${origin}/api/scoring`);

let contractRuns = 0;

rateLimiterContract('a rate-limit binding of Cloudflare', () => {
  const counter = readPlatformCounters().failedAuthentications;
  if (counter === undefined) throw new Error('LIMIT_FAILED_CLIENTS is not bound');
  const limiter = createBindingLimiter(counter);
  // The counters keep their state between tests.
  const prefix = `try ${contractRuns++} `;
  return {
    limiter: { take: (key) => limiter.take(prefix + key) },
    limit: allowances.failedAuthentications.limit,
  };
});

describe('the Wrangler file', () => {
  it('binds a counter for every limit, with the limit that the app uses without it', () => {
    expect(env.RATE_LIMITS.map(({ name, simple }) => [name, simple])).toEqual([
      ['LIMIT_FAILED_CLIENTS', allowances.failedAuthentications],
      ['LIMIT_PAGE_REQUESTS', allowances.pageRequests],
      ['LIMIT_READS', allowances.reads],
      ['LIMIT_WRITES', allowances.writes],
      ['LIMIT_REFRESHES', allowances.refreshesPerGrant],
      ['LIMIT_SIGN_IN_REQUESTS', allowances.requestsPerSignIn],
    ]);
    expect(Object.keys(readPlatformCounters()).toSorted()).toEqual(Object.keys(allowances).toSorted());
  });

  it('has a unique ID for every counter', () => {
    const ids = env.RATE_LIMITS.map(({ namespace_id }) => namespace_id);
    expect(new Set(ids).size).toBe(Object.keys(allowances).length);
    for (const id of ids) expect(id).toMatch(/^[1-9]\d*$/);
  });
});

describe('the bindings', () => {
  it('may lack counters, as on Pages', () => {
    expect(readBindings({ DB: env.DB, ASSETS: assets }).rateLimitBindings).toEqual({});
  });

  it('are rejected with the name of a counter that is bound to something else', () => {
    expect(() => readBindings({ DB: env.DB, ASSETS: assets, LIMIT_WRITES: env.DB })).toThrow(
      new VariableError('LIMIT_WRITES', 'must be bound to a rate limiter.'),
    );
  });
});

describe('the limits', () => {
  it('are counted by the platform’s counters if they are bound', async () => {
    const takenKeys: string[] = [];
    const counter = (name: string) => ({
      limit: async ({ key }: { readonly key: string }) => ({ success: takenKeys.push(`${name} ${key}`) < 0 }),
    });
    const limits = createLimits({
      failedAuthentications: counter('failed'),
      pageRequests: counter('page-requests'),
      requestsPerSignIn: counter('sign-in-requests'),
      refreshesPerGrant: counter('refreshes'),
      reads: counter('reads'),
      writes: counter('writes'),
    });
    expect(await limits.broker.failedAuthentications.take('a')).toBe('limited');
    expect(await limits.broker.pageRequests.take('b')).toBe('limited');
    expect(await limits.broker.requestsPerSignIn.take('f')).toBe('limited');
    expect(await limits.broker.refreshesPerGrant.take('c')).toBe('limited');
    expect(await limits.selectLimiter(getRequest).take('d')).toBe('limited');
    expect(await limits.selectLimiter(postRequest).take('e')).toBe('limited');
    expect(takenKeys).toEqual([
      'failed a',
      'page-requests b',
      'sign-in-requests f',
      'refreshes c',
      'reads d',
      'writes e',
    ]);
  });
});

const countStatuses = async (times: number, send: () => Promise<Response>) => {
  const counts: Record<number, number> = {};
  for (let attempt = 0; attempt < times; attempt++) {
    const { status } = await send();
    counts[status] = (counts[status] ?? 0) + 1;
  }
  return counts;
};

describe('a player', () => {
  const { limit: writes } = allowances.writes;
  const { limit: reads } = allowances.reads;

  it('who posts scores faster than anyone can win gets a 429 and no point', async () => {
    const { call, signIn, advance } = deploy();
    const token = await signIn('ada');
    const postScore = () => call('/api/scoring', { token, method: 'POST' });
    expect(await countStatuses(writes + 10, postScore)).toEqual({ 200: writes, 429: 10 });
    const limitedResponse = await postScore();
    expect(Object.fromEntries(limitedResponse.headers)).toEqual({
      'cache-control': 'no-store',
      'content-type': 'application/problem+json',
      'retry-after': '60',
      'x-content-type-options': 'nosniff',
      ...corsHeaders,
    });
    expect(await limitedResponse.json()).toEqual({
      type: 'about:blank',
      title: 'Too Many Requests',
      status: 429,
      detail: 'Too many calls for this user. Try again in a minute.',
    });
    expect(await (await call('/api/scoring', { token })).json()).toMatchObject({ score: writes });
    advance(60);
    expect(await (await postScore()).json()).toEqual({ score: writes + 1 });
  });

  it('who reads too often gets a 429, and can still post a score', async () => {
    const { call, signIn } = deploy();
    const token = await signIn('bob');
    expect(await countStatuses(reads + 10, () => call('/api/words/animals', { token }))).toEqual({
      200: reads,
      429: 10,
    });
    expect((await call('/api/scoring', { token, method: 'POST' })).status).toBe(200);
  });

  it('is not limited by another player at the same address', async () => {
    const { call, signIn } = deploy();
    const [limitedToken, otherToken] = [await signIn('cat'), await signIn('dan')];
    const headers = { 'cf-connecting-ip': '23.102.140.113' };
    const postScore = (token: string) => call('/api/scoring', { token, method: 'POST', headers });
    expect(await countStatuses(writes + 1, () => postScore(limitedToken))).toEqual({ 200: writes, 429: 1 });
    expect((await postScore(otherToken)).status).toBe(200);
  });
});

describe('the caller’s address', () => {
  const openAuthorize = (
    call: ReturnType<typeof deploy>['call'],
    headers: Readonly<Record<string, string>>,
  ) => call('/authorize', { headers });

  it('W5.2 only the platform’s own header: is read from Cloudflare’s header, and from no other', async () => {
    const { call } = deploy();
    const addressHeaders = { 'cf-connecting-ip': '203.0.113.7' };
    const { limit } = allowances.pageRequests;
    let attempt = 0;
    const sendForged = () =>
      openAuthorize(call, {
        ...addressHeaders,
        'x-forwarded-for': `192.0.2.${attempt++ % 250}`,
        'x-real-ip': '192.0.2.1',
      });
    expect(await countStatuses(limit + 5, sendForged)).toEqual({ 400: limit, 429: 5 });
    expect(
      (await openAuthorize(call, { 'cf-connecting-ip': '203.0.113.8', 'x-real-ip': '203.0.113.7' })).status,
    ).toBe(400);
  });
});
