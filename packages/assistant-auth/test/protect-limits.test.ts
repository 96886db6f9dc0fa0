import { describe, expect, it } from 'vitest';
import { corsHeaders, memoryLimiter, type RateLimiter } from '../src/index.ts';
import { gptSignIn } from './browser.ts';
import { type Deployment, deploy, issuer } from './deployment.ts';

const call = (deployment: Deployment, token: string, limiter: RateLimiter, scopes: readonly string[] = []) =>
  deployment.broker.protect(
    new Request(`${issuer}/api/scoring`, { headers: { authorization: `Bearer ${token}` } }),
    { limiter, scopes },
  );

describe('protect with a limiter', () => {
  it('answers calls beyond the allowance 429, as a problem that says when to come back', async () => {
    const deployment = deploy();
    const { access_token } = await gptSignIn(deployment);
    const limiter = memoryLimiter({ limit: 2, period: 60 }, deployment.now);
    for (let turn = 0; turn < 2; turn++)
      expect((await call(deployment, access_token, limiter)).kind).toBe('granted');
    const protection = await call(deployment, access_token, limiter);
    if (protection.kind === 'granted') throw new Error('the third call was granted');
    expect(protection.response.status).toBe(429);
    expect(Object.fromEntries(protection.response.headers)).toEqual({
      ...corsHeaders,
      'cache-control': 'no-store',
      'content-type': 'application/problem+json',
      'retry-after': '60',
      'x-content-type-options': 'nosniff',
    });
    expect(await protection.response.json()).toEqual({
      type: 'about:blank',
      title: 'Too Many Requests',
      status: 429,
      detail: 'Too many calls for this user. Try again in a minute.',
    });
    expect(deployment.log.at(-1)).toEqual({
      event: 'refused',
      endpoint: 'protect',
      requestId: expect.any(String),
      reason: 'calls.limited',
    });
    deployment.advance(30);
    expect((await call(deployment, access_token, limiter)).kind).toBe('granted');
  });

  it('counts by user, whichever token and address the call comes with', async () => {
    const deployment = deploy();
    const limiter = memoryLimiter({ limit: 2, period: 60 }, deployment.now);
    const [one, again, other] = [
      await gptSignIn(deployment, 'ada'),
      await gptSignIn(deployment, 'ada'),
      await gptSignIn(deployment, 'bob'),
    ];
    await call(deployment, one.access_token, limiter);
    await call(deployment, again.access_token, limiter);
    expect((await call(deployment, one.access_token, limiter)).kind).toBe('refused');
    expect((await call(deployment, again.access_token, limiter)).kind).toBe('refused');
    expect((await call(deployment, other.access_token, limiter)).kind).toBe('granted');
  });

  it('counts nothing that is refused for another reason', async () => {
    const deployment = deploy();
    const { access_token } = await gptSignIn(deployment);
    const keys: string[] = [];
    const limiter: RateLimiter = { take: async (key) => (keys.push(key) > 0 ? 'allowed' : 'limited') };
    expect((await call(deployment, 'x', limiter)).kind).toBe('refused');
    expect((await call(deployment, access_token, limiter, ['unknown'])).kind).toBe('refused');
    expect(keys).toEqual([]);
    expect((await call(deployment, access_token, limiter, ['score'])).kind).toBe('granted');
    expect(keys).toHaveLength(1);
  });

  it('goes on granting calls when the limiter fails, and logs it', async () => {
    const deployment = deploy();
    const { access_token } = await gptSignIn(deployment);
    const limiter: RateLimiter = { take: () => Promise.reject(new Error('the counter is gone')) };
    expect((await call(deployment, access_token, limiter)).kind).toBe('granted');
    expect(deployment.log.at(-1)).toEqual({ event: 'limiter-failed', cause: 'Error: the counter is gone' });
  });
});
