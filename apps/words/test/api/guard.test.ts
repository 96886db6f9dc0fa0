import { corsHeaders } from 'assistant-auth';
import { beforeAll, describe, expect, it } from 'vitest';
import { emptyD1 } from '../../../../packages/assistant-auth/test/storage/d1/empty-d1.ts';
import { deploy, origin } from '../deployment.ts';

const { app, call, signIn, advance } = deploy();

beforeAll(emptyD1);

const knownPaths = ['/api/words/animals', '/api/words/places', '/api/words/colors', '/api/scoring'];
const unknownPaths = [
  '/api',
  '/api/',
  '/api/words',
  '/api/words/rivers',
  '/api/scoring/',
  '/api/nothing?x=1',
];
const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'HEAD'];

describe('the API', () => {
  it.each(
    knownPaths.concat(unknownPaths).flatMap((path) => methods.map((method) => [method, path] as const)),
  )('reveals nothing without a token: %s %s', async (method, path) => {
    const response = await call(path, { method });
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toMatch(/^Bearer realm="https:\/\/words\.example"/);
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    expect(response.headers.get('access-control-allow-origin')).toBe('*');
    const body = {
      type: 'about:blank',
      title: 'Unauthorized',
      status: 401,
      detail: 'Sign in to use this API.',
    };
    expect(await response.text()).toBe(method === 'HEAD' ? '' : JSON.stringify(body));
  });

  it.each([
    ['W9.1 a double slash', '//api/scoring'],
    ['W9.2 an encoded slash', '/api%2fscoring'],
    ['W9.3 uppercase letters', '/API/scoring'],
    ['an encoded dot segment', '/x/%2e%2e%2fapi/scoring'],
    ['a path parameter', '/api;x/scoring'],
    ['an encoded backslash', '/%5capi/scoring'],
  ])('cannot be reached by bypassing its guard: %s', async (_, path) => {
    for (const method of ['GET', 'POST']) {
      const response = await call(path, { method });
      expect(response.status).toBe(404);
      expect(await response.json()).toEqual({
        type: 'about:blank',
        title: 'Not Found',
        status: 404,
        detail: 'This path does not exist.',
      });
    }
  });

  it.each([
    ['W9.4 a trailing slash', '/api/scoring/'],
    ['encoded letters', '/%61pi/scoring'],
    ['dot segments', '/x/../api/./scoring'],
    ['an encoded slash below /api', '/api/words%2fanimals'],
  ])('is guarded in every spelling: %s', async (_, path) => {
    expect((await call(path)).status).toBe(401);
  });

  it.each([
    ['/api/words/animals', 'POST', 'GET, HEAD'],
    ['/api/words/animals', 'OPTIONS', 'GET, HEAD'],
    ['/api/scoring', 'DELETE', 'GET, HEAD, POST'],
    ['/api/scoring', 'PUT', 'GET, HEAD, POST'],
    ['/api/scoring', 'OPTIONS', 'GET, HEAD, POST'],
  ])('W10.3 responds with 405 to a method that %s does not have: %s', async (path, method, allow) => {
    const response = await call(path, { method, token: await signIn('ada') });
    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe(allow);
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(await response.json()).toEqual({
      type: 'about:blank',
      title: 'Method Not Allowed',
      status: 405,
      detail: 'Method not allowed.',
    });
  });

  it('W10.1 lets no header and no parameter change the method', async () => {
    const token = await signIn('bob');
    const overrideHeaders = {
      'x-http-method-override': 'POST',
      'x-http-method': 'POST',
      'x-method-override': 'POST',
    };
    const response = await call('/api/scoring?_method=POST', { token, headers: overrideHeaders });
    expect(await response.json()).toMatchObject({ score: 0 });
  });

  it('W10.2 responds to HEAD as to GET, without the body and without adding a point', async () => {
    const token = await signIn('cat');
    const response = await call('/api/scoring', { method: 'HEAD', token });
    expect([response.status, await response.text()]).toEqual([200, '']);
    expect(await (await call('/api/scoring', { token })).json()).toMatchObject({ score: 0 });
  });

  it('accepts no token in the query or the body', async () => {
    const token = await signIn('dan');
    expect((await call(`/api/scoring?access_token=${token}`)).status).toBe(401);
    const body = new URLSearchParams({ access_token: token });
    expect((await call('/api/scoring', { method: 'POST', body })).status).toBe(401);
  });

  it('refuses an expired token', async () => {
    const token = await signIn('eve');
    advance(1800);
    const response = await call('/api/scoring', { token });
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toContain('error="invalid_token"');
    advance(-1800);
  });

  it('responds for its own host only', async () => {
    const headers = { authorization: `Bearer ${await signIn('fay')}` };
    const response = await app.fetch(new Request('https://other.example/api/scoring', { headers }));
    expect(response.status).toBe(421);
    const forwardedHeaders = { ...headers, 'x-forwarded-host': 'other.example', 'x-forwarded-proto': 'http' };
    expect(
      (await app.fetch(new Request(`${origin}/api/scoring`, { headers: forwardedHeaders }))).status,
    ).toBe(200);
  });
});

describe('a page on another origin', () => {
  const headers = {
    origin: 'https://browser-app.example',
    'access-control-request-method': 'GET',
    'access-control-request-headers': 'authorization',
  };
  const pickCorsHeaders = (response: Response) =>
    Object.fromEntries([...response.headers].filter(([name]) => name.startsWith('access-control-')));

  it.each(knownPaths.concat(unknownPaths))(
    'W17.3 preflight: gets the same response at every path of the API: %s',
    async (path) => {
      const response = await call(path, { method: 'OPTIONS', headers });
      expect([response.status, await response.text()]).toEqual([204, '']);
      expect(Object.fromEntries(response.headers)).toEqual({
        'access-control-allow-origin': '*',
        'access-control-allow-methods': 'GET, HEAD, POST, PUT, PATCH, DELETE',
        'access-control-allow-headers': 'Authorization, Content-Type',
        'access-control-max-age': '7200',
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
      });
    },
  );

  it('W17.3 preflight: does not change the score of the player', async () => {
    const token = await signIn('gus');
    for (const method of ['GET', 'POST'])
      await call('/api/scoring', {
        method: 'OPTIONS',
        token,
        headers: { ...headers, 'access-control-request-method': method },
      });
    expect(await (await call('/api/scoring', { token })).json()).toMatchObject({ score: 0 });
  });

  it('can read every response of the API, including those of the guard', async () => {
    const token = await signIn('hal');
    const wordsToken = await signIn('ida', 'words');
    const responses = [
      await call('/api/scoring', { token, headers }),
      await call('/api/scoring', { token, headers, method: 'HEAD' }),
      await call('/api/scoring', { token, headers, method: 'POST' }),
      await call('/api/scoring', { headers }),
      await call('/api/scoring', { token: wordsToken, headers }),
      await call('/api/nothing', { token, headers }),
      await call('/api/scoring', { token, headers, method: 'DELETE' }),
      await app.fetch(new Request('https://other.example/api/scoring', { headers })),
    ];
    expect(responses.map(({ status }) => status)).toEqual([200, 200, 200, 401, 403, 404, 405, 421]);
    for (const response of responses) expect(pickCorsHeaders(response)).toEqual(corsHeaders);
  });

  it.each(['/', '/nothing', '/api%2fscoring', '/account', '/authorize', '/introspect'])(
    'W17.1 not shared: cannot read anything outside the API: %s',
    async (path) => {
      for (const method of ['GET', 'OPTIONS'])
        expect(pickCorsHeaders(await call(path, { method, headers }))).toEqual({});
    },
  );
});

describe('an unknown path', () => {
  it.each([['/nothing'], ['/apiary'], ['/token/'], ['/.well-known/nothing']])(
    'gets a problem document for clients that do not accept HTML: %s',
    async (path) => {
      const response = await call(path, { headers: { accept: 'application/json' } });
      expect(response.status).toBe(404);
      expect(Object.fromEntries(response.headers)).toEqual({
        'cache-control': 'no-store',
        'content-type': 'application/problem+json',
        'x-content-type-options': 'nosniff',
      });
    },
  );

  it('gets the not-found page for browsers', async () => {
    const response = await call('/nothing', {
      headers: { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' },
    });
    expect(response.status).toBe(404);
    expect(response.headers.get('x-from')).toBe('assets');
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(await response.text()).toBe('the file https://words.example/en/404');
  });

  it.each([['/nothing'], ['/privacy'], ['/mcp'], ['/api/nothing']])(
    'gets no body in response to HEAD, like every other path: %s',
    async (path) => {
      for (const accept of ['text/html', 'application/json']) {
        const headers = { accept };
        const get = await call(path, { headers });
        const head = await call(path, { method: 'HEAD', headers });
        expect([head.status, await head.text()]).toEqual([get.status, '']);
        expect(Object.fromEntries(head.headers)).toEqual(Object.fromEntries(get.headers));
        expect(await get.text()).not.toBe('');
      }
    },
  );

  it.each([['/m%63p'], ['/mcp/'], ['/MCP']])('includes other spellings of `/mcp`: %s', async (path) => {
    for (const method of ['GET', 'POST']) {
      const response = await call(path, { method });
      expect([response.status, await response.json()]).toMatchObject([
        404,
        { detail: 'This path does not exist.' },
      ]);
    }
  });

  it('gets no page for a form post', async () => {
    const response = await call('/nothing', { method: 'POST', headers: { accept: 'text/html' } });
    expect(response.status).toBe(404);
    expect(response.headers.get('content-type')).toBe('application/problem+json');
  });
});
