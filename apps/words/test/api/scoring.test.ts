import { env } from 'cloudflare:workers';
import { corsHeaders } from 'assistant-auth';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { countingD1 } from '../../../../packages/assistant-auth/test/storage/d1/counting-d1.ts';
import { emptyD1 } from '../../../../packages/assistant-auth/test/storage/d1/empty-d1.ts';
import { deploy } from '../deployment.ts';
import { makeUnreachable } from '../store/database.ts';

beforeAll(emptyD1);

const createExpectedHeaders = (type: string) => ({
  'cache-control': 'no-store',
  'content-type': type,
  'x-content-type-options': 'nosniff',
  ...corsHeaders,
});

describe('the score', () => {
  it('is 0 at first, and increases by one with each win', async () => {
    const { call, signIn } = deploy();
    const token = await signIn('ada');
    const firstResponse = await call('/api/scoring', { token });
    expect(firstResponse.status).toBe(200);
    expect(Object.fromEntries(firstResponse.headers)).toEqual(createExpectedHeaders('application/json'));
    expect(await firstResponse.json()).toEqual({
      score: 0,
      points: 0,
      rounds_started: 0,
      rounds_won: 0,
      streak: 0,
      longest_streak: 0,
      recent_rounds: [],
    });
    const winResponse = await call('/api/scoring', { token, method: 'POST' });
    expect(winResponse.status).toBe(200);
    expect(Object.fromEntries(winResponse.headers)).toEqual(createExpectedHeaders('application/json'));
    expect(await winResponse.json()).toEqual({ score: 1 });
    expect(await (await call('/api/scoring', { token })).json()).toMatchObject({ score: 1 });
  });

  it('W15.1 counts 200 concurrent wins exactly', async () => {
    const { call, signIn } = deploy();
    const token = await signIn('bob');
    const bodies = await Promise.all(
      Array.from({ length: 200 }, async () => (await call('/api/scoring', { token, method: 'POST' })).json()),
    );
    const scores = bodies.map((body) => Object(body).score).toSorted((a, b) => a - b);
    expect(scores).toEqual(Array.from({ length: 200 }, (_, index) => index + 1));
    expect(await (await call('/api/scoring', { token })).json()).toMatchObject({ score: 200 });
  });

  it('belongs to the user at every sign-in and in every isolate', async () => {
    const firstIsolate = deploy();
    await firstIsolate.call('/api/scoring', { token: await firstIsolate.signIn('cat'), method: 'POST' });
    const secondIsolate = deploy();
    const token = await secondIsolate.signIn('cat');
    expect(await (await secondIsolate.call('/api/scoring', { token })).json()).toMatchObject({ score: 1 });
    const otherToken = await secondIsolate.signIn('dan');
    expect(await (await secondIsolate.call('/api/scoring', { token: otherToken })).json()).toMatchObject({
      score: 0,
    });
  });

  it.each([
    ['nothing', undefined, {}],
    ['JSON', '{}', { 'content-type': 'application/json' }],
    ['broken JSON', '{', { 'content-type': 'application/json' }],
    ['a form', 'score=1000', { 'content-type': 'application/x-www-form-urlencoded' }],
    ['W6.2 an invalid content type', 'x', { 'content-type': ';;;' }],
    ['W6.1 a megabyte', 'x'.repeat(1_000_000), { 'content-type': 'text/plain' }],
  ])('increases by one, whatever the request body is: %s', async (requestKind, body, requestHeaders) => {
    const { call, signIn } = deploy();
    const token = await signIn(requestKind);
    const response = await call('/api/scoring?score=1000', {
      token,
      method: 'POST',
      headers: requestHeaders,
      ...(body !== undefined && { body }),
    });
    expect(await response.json()).toEqual({ score: 1 });
  });

  it('requires its scope', async () => {
    const { call, signIn } = deploy();
    const token = await signIn('eve', 'words');
    for (const method of ['GET', 'POST']) {
      const response = await call('/api/scoring', { token, method });
      expect(response.status).toBe(403);
      expect(response.headers.get('www-authenticate')).toContain('scope="score"');
    }
    expect(await (await call('/api/scoring', { token: await signIn('eve') })).json()).toMatchObject({
      score: 0,
    });
  });

  it('gets a 401 for a deleted player, so that the client starts a new sign-in', async () => {
    const { call, signIn } = deploy();
    const token = await signIn('fay');
    await call('/api/scoring', { token, method: 'POST' });
    await env.DB.prepare(
      "DELETE FROM users WHERE id = (SELECT user_id FROM identities WHERE subject = 'fay')",
    ).run();
    for (const method of ['GET', 'POST']) {
      const response = await call('/api/scoring', { token, method });
      expect(response.status).toBe(401);
      expect(Object.fromEntries(response.headers)).toEqual({
        ...createExpectedHeaders('application/problem+json'),
        'www-authenticate':
          'Bearer realm="https://words.example", error="invalid_token", error_description="The access token is not valid.", ' +
          'resource_metadata="https://words.example/.well-known/oauth-protected-resource"',
      });
      expect(await response.json()).toEqual({
        type: 'about:blank',
        title: 'Unauthorized',
        status: 401,
        detail: 'The access token is not valid.',
      });
    }
    const newToken = await signIn('fay');
    expect(await (await call('/api/scoring', { token: newToken })).json()).toMatchObject({ score: 0 });
  });

  it('W14.2 gets a 503 while D1 is unreachable, and no point is lost', async () => {
    const { app, signIn } = deploy();
    const token = await signIn('gus');
    const createRequest = (method: string) =>
      new Request('https://words.example/api/scoring', {
        method,
        headers: { authorization: `Bearer ${token}` },
      });
    await app.fetch(createRequest('POST'));
    let isReachable = true;
    const flakyD1 = new Proxy(env.DB, {
      get: (db, name) =>
        Reflect.get(isReachable ? db : makeUnreachable(db), name).bind(
          isReachable ? db : makeUnreachable(db),
        ),
    });
    const deployment = deploy(flakyD1);
    expect(await (await deployment.app.fetch(createRequest('GET'))).json()).toMatchObject({ score: 1 });
    isReachable = false;
    const logSpy = vi.spyOn(console, 'error').mockReturnValue();
    for (const method of ['GET', 'POST']) {
      const response = await deployment.app.fetch(createRequest(method));
      expect(response.status).toBe(503);
      expect(Object.fromEntries(response.headers)).toEqual({
        ...createExpectedHeaders('application/problem+json'),
        'retry-after': '10',
      });
      expect(await response.json()).toEqual({
        type: 'about:blank',
        title: 'Service Unavailable',
        status: 503,
        detail: 'The game is temporarily unavailable. Try again in a moment.',
      });
    }
    const logEntry = {
      event: 'failed',
      error: 'GameUnavailable: the rounds and scores could not be read or written',
      cause: 'Error: D1_ERROR: Network connection lost.',
      stack: expect.stringMatching(/game-store\.ts/),
    };
    expect(logSpy.mock.calls.map(([text]) => JSON.parse(text))).toEqual([logEntry, logEntry]);
    logSpy.mockRestore();
    isReachable = true;
    expect(await (await deployment.app.fetch(createRequest('POST'))).json()).toEqual({ score: 2 });
  });

  it('W14.1 gets a 503 from an isolate that has never reached D1', async () => {
    const token = await deploy().signIn('hal');
    const response = await deploy(makeUnreachable(env.DB)).call('/api/scoring', { token });
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('10');
  });

  it('takes one round trip in an isolate with fresh revocations, and the words take none', async () => {
    const { db, trips } = countingD1(env.DB);
    const { call, signIn } = deploy(db);
    const token = await signIn('ivy');
    await call('/api/words/animals', { token });
    const tripsBefore = trips();
    await call('/api/words/colors', { token });
    expect(trips() - tripsBefore).toBe(0);
    await call('/api/scoring', { token });
    expect(trips() - tripsBefore).toBe(1);
    await call('/api/scoring', { token, method: 'POST' });
    expect(trips() - tripsBefore).toBe(2);
  });
});
