/** Request bodies, cookies, CSRF protection and responses. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bindBrowser, checkBinding, deriveBindingCookieName } from '../../src/http/csrf.ts';
import { clearCookie, readCookies, readForm, setCookie } from '../../src/http/request.ts';
import {
  corsHeaders,
  errorPageResponse,
  formPageResponse,
  introspectionJson,
  problemResponse,
  publicDocument,
  seeOther,
  tokenError,
  tokenJson,
  withAllowHeader,
} from '../../src/http/responses.ts';
import {
  apiError,
  authorizationError,
  requestError,
  tokenEndpointError,
} from '../../src/oauth/protocol-error.ts';

describe('request bodies', () => {
  const formType = 'application/x-www-form-urlencoded';

  const post = (body: BodyInit | null, type: string | null = formType): Request => {
    const request = new Request('https://words.example/token', { method: 'POST', body });
    request.headers.delete('content-type');
    if (type !== null) request.headers.set('content-type', type);
    return request;
  };

  const entries = async (request: Request) => [...(await readForm(request))];

  describe('readForm', () => {
    it.each([
      [
        'pairs',
        'a=1&b=2',
        [
          ['a', '1'],
          ['b', '2'],
        ],
      ],
      [
        'repeated names, in their order',
        'a=1&a=2',
        [
          ['a', '1'],
          ['a', '2'],
        ],
      ],
      ['escapes', 'a=%C3%A9+%2B', [['a', 'é +']]],
      ['characters outside ASCII', 'a=é', [['a', 'é']]],
      ['nothing', '', []],
    ])('finds %s', async (_, body, pairs) => {
      expect(await entries(post(body))).toEqual(pairs);
    });

    it('returns an empty form without a body', async () => {
      expect(await entries(post(null))).toEqual([]);
    });

    it.each([
      `${formType}; charset=UTF-8`,
      'Application/X-WWW-Form-Urlencoded',
      ` ${formType} ;charset=utf-8`,
    ])('reads the type %j', async (type) => {
      expect(await entries(post('a=1', type))).toEqual([['a', '1']]);
    });

    it.each([
      null,
      '',
      'text/plain',
      'application/json',
      'multipart/form-data; boundary=x',
      `${formType}, text/plain`,
      `text/plain; ${formType}`,
      `x${formType}`,
    ])('refuses the type %j', async (type) => {
      await expect(readForm(post('a=1', type))).rejects.toMatchObject({ reason: 'request.content-type' });
    });

    it('decodes a character that was split across chunks', async () => {
      const [first, second] = [Uint8Array.of(0x61, 0x3d, 0xc3), Uint8Array.of(0xa9)];
      const request = post(streamOf([first, second]).stream);
      expect(await entries(request)).toEqual([['a', 'é']]);
    });
  });

  describe('a body', () => {
    it('can have up to 16 KiB', async () => {
      const value = 'x'.repeat(16_382);
      expect(await entries(post(`a=${value}`))).toEqual([['a', value]]);
    });

    it('is refused if it is larger by one byte', async () => {
      await expect(readForm(post(`a=${'x'.repeat(16_383)}`))).rejects.toMatchObject({
        reason: 'request.too-large',
      });
    });

    it('is measured in bytes, not characters', async () => {
      await expect(readForm(post(`a=${'é'.repeat(8_192)}`))).rejects.toMatchObject({
        reason: 'request.too-large',
      });
    });

    it('is not read further once it is too large, even without Content-Length', async () => {
      const endless = streamOf(Array.from({ length: 1000 }, () => new Uint8Array(4096).fill(0x61)));
      await expect(readForm(post(endless.stream))).rejects.toMatchObject({ reason: 'request.too-large' });
      expect(endless.pulled()).toBeLessThan(20);
    });

    it.each([
      ['a stray continuation byte', Uint8Array.of(0x61, 0x3d, 0x80)],
      ['an overlong encoding', Uint8Array.of(0x61, 0x3d, 0xc0, 0xaf)],
      ['a character cut off at the end', Uint8Array.of(0x61, 0x3d, 0xc3)],
      ['UTF-16', Uint8Array.of(0xff, 0xfe, 0x61, 0x00)],
    ])('is refused if it is not valid UTF-8: %s', async (_, body) => {
      await expect(readForm(post(body))).rejects.toMatchObject({ reason: 'request.unreadable' });
    });

    it('is refused if it is interrupted', async () => {
      const broken = new ReadableStream({
        pull(controller) {
          controller.error(new Error('connection lost'));
        },
      });
      await expect(readForm(post(broken))).rejects.toMatchObject({ reason: 'request.unreadable' });
    });

    it('is either read, or refused with one of these reasons, for any bytes', async () => {
      const reasons = ['request.unreadable', 'request.too-large'];
      await fc.assert(
        fc.asyncProperty(fc.uint8Array({ maxLength: 20_000, size: 'max' }), async (bytes) => {
          const outcome = await readForm(post(Uint8Array.from(bytes))).catch((error: unknown) => error);
          if (!(outcome instanceof URLSearchParams)) {
            expect(reasons).toContain(Reflect.get(Object(outcome), 'reason'));
          }
        }),
        { numRuns: 50 },
      );
    });
  });

  /** A stream that counts how many of its chunks were pulled. */
  const streamOf = (chunks: readonly Uint8Array[]) => {
    let pulledChunks = 0;
    const stream = new ReadableStream({
      pull(controller) {
        const chunk = chunks[pulledChunks++];
        if (chunk === undefined) controller.close();
        else controller.enqueue(chunk);
      },
    });
    return { stream, pulled: () => pulledChunks };
  };
});

describe('cookies', () => {
  const readCookieHeader = (header: string) =>
    Object.fromEntries(readCookies(new Request('https://words.example/', { headers: { cookie: header } })));

  describe('reading cookies', () => {
    it.each([
      ['one', 'a=1', { a: '1' }],
      ['several', 'a=1; b=2;c=3', { a: '1', b: '2', c: '3' }],
      ['the first of two with the same name', 'a=1; a=2', { a: '1' }],
      ['a value with equals signs', 'a=b=c==', { a: 'b=c==' }],
      ['an empty value', 'a=', { a: '' }],
      ['names and values between spaces', '  a = 1 ;  b=2  ', { a: '1', b: '2' }],
      ['names that differ only in case', 'a=1; A=2', { a: '1', A: '2' }],
      ['names of object properties', '__proto__=1', JSON.parse('{"__proto__":"1"}')],
      ['names and values between tabs', '\ta\t=\t1\t;\tb=2', { a: '1', b: '2' }],
      ['a cookie after one without a name', '=1; ; nothing; b=2', { b: '2' }],
    ])('finds %s', (_, header, cookies) => {
      expect(readCookieHeader(header)).toEqual(cookies);
    });

    it.each(['\u00a0', '\u1680', '\u2000', '\u2009', '\u202f', '\u3000', '\ufeff', '\v', '\f'])(
      'ignores a look-alike of a prefixed name: %j',
      (space) => {
        for (const name of [`${space}__Host-a`, `__Host-a${space}`]) {
          expect(Object.keys(readCookieHeader(`${name}=1; b=2`))).not.toContain('__Host-a');
          expect(readCookieHeader(`${name}=1; __Host-a=2`)).toMatchObject({ '__Host-a': '2' });
        }
      },
    );

    it.each([' ', '\t', '=', 'a', ';', ' ;', ' ='])(
      'reads a long header in linear time: many of %j',
      (text) => {
        // In quadratic time, this would take minutes.
        for (const long of [`a${text.repeat(1_000_000)}x=1`, `a=b${text.repeat(1_000_000)}x`])
          expect(readCookieHeader(`${long}; b=2`)).toMatchObject({ b: '2' });
      },
    );

    it('finds none without the header', () => {
      expect([...readCookies(new Request('https://words.example/'))]).toEqual([]);
    });

    it('accepts any header without throwing', () => {
      const cookieLikeText = fc.string({ unit: fc.constantFrom(...'ab=; ,"_') });
      fc.assert(
        fc.property(fc.oneof(fc.stringMatching(/^[\x20-\x7E]*$/), cookieLikeText), (header) => {
          const absent = Object.keys(readCookieHeader(header)).filter((name) => !header.includes(name));
          expect(absent).toEqual([]);
        }),
      );
    });
  });

  describe('setting cookies', () => {
    it('sets Secure, HttpOnly, SameSite=Lax and no Domain', () => {
      expect(setCookie('__Host-a', 'b', 600)).toBe(
        '__Host-a=b; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=600',
      );
    });

    it('sets a session cookie if no age is given', () => {
      expect(setCookie('__Host-a', 'b')).toBe('__Host-a=b; Path=/; Secure; HttpOnly; SameSite=Lax');
    });

    it('clears a cookie with the attributes that set it', () => {
      expect(clearCookie('__Host-a')).toBe('__Host-a=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0');
    });
  });
});

describe('CSRF protection', () => {
  const randomBytes = (length: number) => crypto.getRandomValues(new Uint8Array(length));
  const bind = (cookies: ReadonlyMap<string, string> = new Map()) => bindBrowser(cookies, randomBytes, 1800);
  const value = 'A-_9'.padEnd(22, 'x');

  /** The bindings and cookies of a browser that has opened this many pages, the oldest first. */
  const createBrowserWith = async (count: number) => {
    const bindings = await Promise.all(Array.from({ length: count }, () => bind()));
    const cookies = new Map<string, string>();
    for (const { csrf } of bindings) cookies.set(await deriveBindingCookieName(csrf), csrf);
    return { bindings, cookies };
  };

  describe('the binding cookie', () => {
    it('of a new browser has a random value and its own name, and lasts as long as the form', async () => {
      const { csrf, setCookies } = await bind();
      expect(csrf).toMatch(/^[\w-]{22}$/);
      expect(setCookies).toEqual([
        `${await deriveBindingCookieName(csrf)}=${csrf}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=1800`,
      ]);
      expect(await deriveBindingCookieName(csrf)).toMatch(/^__Host-csrf-[\w-]{8}$/);
      expect((await bind()).csrf).not.toBe(csrf);
    });

    it('is reused, and set again to last as long as the new form', async () => {
      const { bindings, cookies } = await createBrowserWith(1);
      const [first] = bindings;
      expect(await bind(cookies)).toEqual(first);
    });

    it('is the newest of several, each time, and the others are kept', async () => {
      const { bindings, cookies } = await createBrowserWith(30);
      expect(await bind(cookies)).toEqual(bindings.at(-1));
      expect(await bind(cookies)).toEqual(bindings.at(-1));
    });

    it('is one of at most 32: beyond that, the oldest are cleared, never the one in use', async () => {
      const { bindings, cookies } = await createBrowserWith(60);
      const { csrf, setCookies } = await bind(cookies);
      expect(csrf).toBe(bindings.at(-1)?.csrf);
      const names = await Promise.all(bindings.slice(0, 16).map((one) => deriveBindingCookieName(one.csrf)));
      expect(setCookies.slice(1)).toEqual(
        names.map((name) => `${name}=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0`),
      );
    });

    it('takes up less than 1.4 kB of a request for 30 tabs', async () => {
      const { cookies } = await createBrowserWith(30);
      const header = [...cookies].map(([name, one]) => `${name}=${one}`).join('; ');
      expect(header.length).toBeLessThan(1_400);
    });

    it.each([
      ['missing', new Map<string, string>()],
      ['named without a suffix', new Map([['__Host-csrf', value]])],
      ['named without the prefix', new Map([['csrf-12345678', value]])],
      ['empty', new Map([['__Host-csrf-12345678', '']])],
      ['too short', new Map([['__Host-csrf-12345678', value.slice(1)]])],
      ['too long', new Map([['__Host-csrf-12345678', `${value}x`]])],
      ['made of other characters', new Map([['__Host-csrf-12345678', `${value.slice(1)}"`]])],
      ['followed by a line break', new Map([['__Host-csrf-12345678', `${value}\n`]])],
    ])('is ignored if it is %s', async (_, cookies) => {
      expect((await bind(cookies)).csrf).not.toBe(value);
      expect(await checkBinding(cookies, value)).toBe('none');
    });

    it('is ignored under a name that does not match its value', async () => {
      const cookies = new Map([['__Host-csrf-12345678', value]]);
      expect((await bind(cookies)).csrf).not.toBe(value);
      expect(await checkBinding(cookies, value)).toBe('other');
    });
  });

  describe('a form', () => {
    it('is accepted only with its own cookie, whatever other cookies there are', () =>
      fc.assert(
        fc.asyncProperty(fc.integer({ min: 1, max: 40 }), fc.nat(), async (count, seed) => {
          const { bindings, cookies } = await createBrowserWith(count);
          const csrf = bindings[seed % count]?.csrf ?? '';
          expect(await checkBinding(cookies, csrf)).toBe('bound');
          cookies.delete(await deriveBindingCookieName(csrf));
          expect(await checkBinding(cookies, csrf)).toBe(count === 1 ? 'none' : 'other');
        }),
        { numRuns: 20 },
      ));
  });
});

describe('responses', () => {
  /** Returns all headers except `Set-Cookie`, which can occur more than once. */
  const headersOf = (response: Response) =>
    Object.fromEntries([...response.headers].filter(([name]) => name !== 'set-cookie'));

  const pageHeaders = {
    'cache-control': 'no-store',
    'content-type': 'text/html; charset=utf-8',
    'referrer-policy': 'same-origin',
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
  };
  const policy =
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'";

  describe('pages', () => {
    it('a page with a form allows form submission, and no external resources', async () => {
      const response = formPageResponse('<p>', ['a=1', 'b=2']);
      expect(response.status).toBe(200);
      expect(await response.text()).toBe('<p>');
      expect(headersOf(response)).toEqual({ ...pageHeaders, 'content-security-policy': policy });
      expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
    });

    it('an error page allows no form submission', async () => {
      const response = errorPageResponse('<p>', authorizationError('client.unknown'));
      expect(response.status).toBe(400);
      expect(await response.text()).toBe('<p>');
      expect(headersOf(response)).toEqual({
        ...pageHeaders,
        'content-security-policy': `${policy}; form-action 'none'`,
      });
    });

    it('an error page has Retry-After during an outage', () => {
      const response = errorPageResponse('<p>', requestError('storage.unavailable'));
      expect(response.status).toBe(503);
      expect(response.headers.get('retry-after')).toBe('10');
    });
  });

  it('a redirect is followed with GET, is not cached, and sends no Referer', async () => {
    const response = seeOther('https://app.example/cb?code=1', ['a=1', 'b=2']);
    expect(response.status).toBe(303);
    expect(await response.text()).toBe('');
    expect(headersOf(response)).toEqual({
      'cache-control': 'no-store',
      location: 'https://app.example/cb?code=1',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
    });
    expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
  });

  describe('responses of the token endpoint', () => {
    const jsonHeaders = {
      'cache-control': 'no-store',
      'content-type': 'application/json',
      pragma: 'no-cache',
      'x-content-type-options': 'nosniff',
    };

    it('tokens are JSON that is not cached', async () => {
      const response = tokenJson({ access_token: 'a' });
      expect(response.status).toBe(200);
      expect(await response.json()).toEqual({ access_token: 'a' });
      expect(headersOf(response)).toEqual({ ...jsonHeaders, ...corsHeaders });
    });

    it('introspection is JSON that is not cached, and that pages on other origins cannot read', async () => {
      const response = introspectionJson({ active: false });
      expect(response.status).toBe(200);
      expect(await response.json()).toEqual({ active: false });
      expect(headersOf(response)).toEqual(jsonHeaders);
    });

    it.each([
      [400, {}],
      [401, { 'www-authenticate': 'Basic realm="x"' }],
    ])('an error with %i has the headers of that status', async (status, more) => {
      const response = tokenError(tokenEndpointError('refresh.inactive'), status, 'Basic realm="x"');
      expect(response.status).toBe(status);
      expect(await response.json()).toEqual({
        error: 'invalid_grant',
        error_description: 'The refresh token is not valid.',
      });
      expect(headersOf(response)).toEqual({ ...jsonHeaders, ...more });
    });

    it('an outage has Retry-After', () => {
      const response = tokenError(requestError('storage.unavailable'), 503, 'Basic');
      expect(headersOf(response)).toEqual({ ...jsonHeaders, 'retry-after': '10' });
    });
  });

  describe('problem documents', () => {
    it.each([
      [apiError('token.expired'), 401, 'Unauthorized', { 'www-authenticate': 'Bearer' }],
      [apiError('token.scope'), 403, 'Forbidden', { 'www-authenticate': 'Bearer' }],
      [requestError('request.method'), 405, 'Method Not Allowed', {}],
      [requestError('request.host'), 421, 'Misdirected Request', {}],
      [requestError('unexpected'), 500, 'Internal Server Error', {}],
      [requestError('storage.unavailable'), 503, 'Service Unavailable', { 'retry-after': '10' }],
    ] as const)('%s gets status %i', async (rejection, status, title, more) => {
      const response = problemResponse(rejection, 'Bearer');
      expect(response.status).toBe(status);
      expect(await response.json()).toEqual({
        type: 'about:blank',
        title,
        status,
        detail: rejection.description,
      });
      expect(headersOf(response)).toEqual({
        'cache-control': 'no-store',
        'content-type': 'application/problem+json',
        'x-content-type-options': 'nosniff',
        ...more,
      });
    });
  });

  it('a problem document has no challenge if the endpoint has none', () => {
    expect(problemResponse(apiError('token.missing')).headers.has('www-authenticate')).toBe(false);
  });

  it('a public document can be cached for an hour', async () => {
    const response = publicDocument('{}', 'application/json');
    expect(response.status).toBe(200);
    expect(await response.text()).toBe('{}');
    expect(headersOf(response)).toEqual({
      'cache-control': 'public, max-age=3600',
      'content-type': 'application/json',
      'x-content-type-options': 'nosniff',
    });
  });

  it('the response to a refused method has an Allow header', () => {
    const response = withAllowHeader(
      ['GET', 'POST'],
      problemResponse(requestError('request.method'), 'Bearer'),
    );
    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe('GET, POST');
  });
});
