/** The fake provider alone: each endpoint over HTTP, and its options. */
import { assert, asyncProperty, constantFrom, string, webUrl } from 'fast-check';
import { createLocalJWKSet, decodeJwt, jwtVerify } from 'jose';
import { describe, expect, it } from 'vitest';
import { createFakeProvider, type FakeProviderOptions, readForms } from '../../src/testing/index.ts';
import { acme, callback } from './deployment.ts';

const time = 1_800_000_000;
/** RFC 7636 appendix B. */
const verifier = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk';
const challenge = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM';

type Form = Readonly<Record<string, string>>;
type TokenBody = Readonly<
  Partial<Record<'access_token' | 'refresh_token' | 'id_token' | 'scope' | 'error', string>>
>;

const scope = 'openid email profile offline_access';

const authorization: Form = {
  response_type: 'code',
  client_id: acme.clientId,
  redirect_uri: callback,
  scope,
  state: 'a state',
  nonce: 'a nonce',
  code_challenge: challenge,
  code_challenge_method: 'S256',
};
const credentials: Form = { client_id: acme.clientId, client_secret: acme.clientSecret };
const codeRequest: Form = {
  ...{ ...credentials, grant_type: 'authorization_code', redirect_uri: callback, code_verifier: verifier },
};

const without = (form: Form, ...names: readonly string[]): Form =>
  Object.fromEntries(Object.entries(form).filter(([name]) => !names.includes(name)));

const start = (options: Partial<FakeProviderOptions> = {}) => {
  let now = time;
  const provider = createFakeProvider({ ...acme, now: () => now, ...options });
  const { issuer } = { ...acme, ...options };
  const send = async (path: string, init?: RequestInit): Promise<Response> => {
    const response = await provider.handle(new Request(issuer + path, { redirect: 'manual', ...init }));
    if (response === undefined) throw new Error(`${path} is not an endpoint`);
    expect(response.headers.get('cache-control')).toBe('no-store');
    return response;
  };
  const post = (path: string, form: Form, headers: Form = {}) =>
    send(path, { method: 'POST', body: new URLSearchParams(form), headers });
  const choose = async (user: string, query = authorization): Promise<URL> => {
    const response = await post(`/authorize?${new URLSearchParams(query)}`, { user });
    expect(response.status).toBe(303);
    return new URL(response.headers.get('location') ?? '');
  };
  const obtainCode = async (query = authorization): Promise<string> =>
    (await choose('ada.marlow@example.com', query)).searchParams.get('code') ?? '';
  const requestTokens = async (form: Form, headers: Form = {}) => {
    const response = await post('/token', form, headers);
    const body: TokenBody = await response.json();
    return { status: response.status, headers: response.headers, body };
  };
  const signIn = async (query = authorization) =>
    (await requestTokens({ ...codeRequest, code: await obtainCode(query) })).body;
  return {
    ...{ provider, send, post, choose, obtainCode, requestTokens, signIn },
    advance(seconds: number) {
      now += seconds;
    },
  };
};

describe('the options', () => {
  it.each([
    ['https://login.acme.com'],
    ['https://example.com'],
    ['https://id.example.attacker.com'],
    ['https://xexample'],
    ['http://10.0.0.1'],
    ['http://127.0.0.1.nip.io'],
    ['ftp://id.example'],
    ['https://id.example/'],
    ['https://id.example/path/'],
    ['https://id.example?a=1'],
    ['https://id.example#a'],
    ['https://user@id.example'],
    ['https://ID.example'],
    ['id.example'],
    [''],
  ])('refuse the issuer %s', (issuer) => {
    expect(() => createFakeProvider({ ...acme, issuer })).toThrow(/^issuer must be /);
  });

  it.each([
    ['http://localhost:8787/fake-provider'],
    ['http://127.0.0.1:8787'],
    ['http://[::1]:8787'],
    ['https://localhost'],
    ['https://id.example'],
    ['https://id.test/a/b'],
    ['https://acme.localhost:8443'],
    ['http://id.invalid'],
  ])('accept the issuer %s', async (issuer) => {
    const metadata: { readonly issuer: string } = await (
      await start({ issuer }).send('/.well-known/openid-configuration')
    ).json();
    expect(metadata).toMatchObject({ issuer, token_endpoint: `${issuer}/token` });
  });

  it.each<[Partial<FakeProviderOptions>, string]>([
    [{ clientId: '' }, 'clientId must be printable ASCII without spaces, and not empty.'],
    [{ clientSecret: 'a b' }, 'clientSecret must be printable ASCII without spaces, and not empty.'],
    [{ users: [] }, 'users must contain at least one user, and unique email addresses.'],
    [
      { users: [1, 2].map((number) => ({ name: `User ${number}`, email: 'a@b.example' })) },
      'users must contain at least one user, and unique email addresses.',
    ],
    [{ redirectUris: ['/callback'] }, 'redirectUris must be absolute URLs.'],
  ])('refuse %j', (changes, message) => {
    expect(() => createFakeProvider({ ...acme, ...changes })).toThrow(message);
  });

  it('that do not exist are refused', () => {
    const misspelled = { ...acme, redirectURIs: [] };
    expect(() => createFakeProvider(misspelled)).toThrow('redirectURIs is not an option.');
  });
});

describe('requests', () => {
  const respondElsewhere: typeof fetch = async (input) => new Response(`sent to ${new Request(input).url}`);

  it('to other URLs are not handled', async () => {
    const { provider } = start({ issuer: 'http://localhost:8787/fake' });
    for (const url of [
      'http://localhost:8787/token',
      'http://localhost:8787/fake',
      'http://localhost:8787/fake/x',
    ])
      expect(await provider.handle(new Request(url))).toBeUndefined();
    for (const url of ['http://localhost:8788/fake/keys', 'http://localhost:8787/fakes/keys'])
      expect(await provider.handle(new Request(url))).toBeUndefined();
    expect((await provider.handle(new Request('http://localhost:8787/fake/keys?a=1')))?.status).toBe(200);
  });

  it('of `fetch` are sent elsewhere, unless they are to the issuer', async () => {
    const { provider } = start({ issuer: 'http://localhost:8787/fake', fetch: respondElsewhere });
    const read = async (url: string) => {
      const response = await provider.fetch(url);
      return [response.status, (await response.text()).slice(0, 7)];
    };
    expect(await read('http://localhost:8787/fake/keys')).toEqual([200, '{"keys"']);
    expect(await read('http://localhost:8787/fake/x')).toEqual([404, 'The fak']);
    expect(await read('http://localhost:8787/fake')).toEqual([404, 'The fak']);
    expect(await read('http://localhost:8787/fakes')).toEqual([200, 'sent to']);
    expect(await read('https://other.example/keys')).toEqual([200, 'sent to']);
  });

  it.each([
    ['/.well-known/openid-configuration', 'GET'],
    ['/keys', 'GET'],
    ['/authorize', 'GET, POST'],
    ['/token', 'POST'],
    ['/userinfo', 'GET, POST'],
  ])('to %s must have the method %s', async (path, allow) => {
    for (const method of ['PUT', 'DELETE', 'OPTIONS', 'HEAD']) {
      const response = await start().send(path, { method });
      expect([response.status, response.headers.get('allow')]).toEqual([405, allow]);
    }
  });

  it('with any content get a response', async () => {
    const { provider } = start();
    const paths = ['/.well-known/openid-configuration', '/keys', '/authorize', '/token', '/userinfo'];
    const methods = constantFrom('GET', 'POST');
    const types = constantFrom('application/x-www-form-urlencoded', 'application/json', 'text/plain');
    const request = asyncProperty(
      constantFrom(...paths),
      ...[methods, types, string(), string(), webUrl()],
      async (path, method, type, text, query, url) => {
        const search = new URLSearchParams({ client_id: acme.clientId, redirect_uri: url, state: query });
        const response = await provider.handle(
          new Request(`${acme.issuer}${path}?${search}`, {
            method,
            headers: { 'content-type': type, authorization: `Basic ${encodeURIComponent(text)}` },
            ...(method === 'POST' && { body: text }),
          }),
        );
        expect(response?.status).toBeLessThan(500);
      },
    );
    await expect(assert(request)).resolves.toBeUndefined();
  });
});

describe('the authorization endpoint', () => {
  const open = (changes: Form = {}, query = authorization, suffix = '') =>
    start().send(`/authorize?${new URLSearchParams({ ...query, ...changes })}${suffix}`);

  it('shows a page without scripts, with a button for each user and one to cancel', async () => {
    const response = await open();
    const html = await response.text();
    expect(response.status).toBe(200);
    expect(html).toContain('Acme (fake provider for testing)');
    expect(html).not.toContain('<script');
    expect(readForms(html)).toEqual([
      {
        ...{ action: '', method: 'POST', fields: [] },
        buttons: [
          { text: 'Ada Marlow ada.marlow@example.com', field: ['user', 'ada.marlow@example.com'] },
          { text: 'Bruno Castell bruno.castell@example.org', field: ['user', 'bruno.castell@example.org'] },
          { text: 'Chiyo Tanabe chiyo.tanabe@example.net', field: ['user', 'chiyo.tanabe@example.net'] },
          { text: 'Cancel', field: ['user', ''] },
        ],
      },
    ]);
    const nonce = /<style nonce="([\w-]{22})">/.exec(html)?.[1];
    expect(response.headers.get('content-security-policy')).toBe(
      `default-src 'none'; img-src data:; style-src 'nonce-${nonce}'; base-uri 'none'; frame-ancestors 'none'`,
    );
  });

  it('escapes names', async () => {
    const users = [{ name: '<b>"Ada"</b>', email: `"a&b'"@id.example` }];
    const { send } = start({ users, displayName: '<i>' });
    const html = await (await send(`/authorize?${new URLSearchParams(authorization)}`)).text();
    expect(html).not.toMatch(/<[bi]>/);
    expect(readForms(html)[0]?.buttons[0]?.field).toEqual(['user', `"a&b'"@id.example`]);
  });

  it.each<[string, Form, string]>([
    ['another client', { client_id: 'other' }, 'client_id is not a registered client.'],
    ['a real redirect URI', { redirect_uri: 'https://words.com/cb' }, 'redirect_uri is missing'],
    ['a redirect URI that is not a URL', { redirect_uri: '/cb' }, 'redirect_uri is missing'],
    [
      'a script as redirect URI',
      { redirect_uri: 'javascript://id.example/%0Aalert(1)' },
      'redirect_uri is missing',
    ],
    ['a fragment', { redirect_uri: `${callback}#a` }, 'redirect_uri is missing'],
  ])('refuses %s without a redirect', async (_, changes, message) => {
    const response = await open(changes);
    expect([response.status, response.headers.get('location')]).toEqual([400, null]);
    expect(await response.text()).toContain(message);
  });

  it('refuses repeated parameters and missing ones without a redirect', async () => {
    expect(await (await open({}, authorization, '&state=other')).text()).toContain(
      'state must not be repeated.',
    );
    expect((await open({}, without(authorization, 'redirect_uri'))).status).toBe(400);
    expect((await open({}, {})).status).toBe(400);
  });

  it.each<[Form, string]>([
    [{ response_type: 'token' }, 'unsupported_response_type'],
    [{ response_mode: 'form_post' }, 'invalid_request'],
    [{ code_challenge_method: 'plain' }, 'invalid_request'],
    [{ code_challenge: 'short' }, 'invalid_request'],
    [{ prompt: 'none' }, 'login_required'],
  ])('redirects with an error for %j', async (changes, error) => {
    const response = await open(changes);
    const { origin, pathname, searchParams } = new URL(response.headers.get('location') ?? '');
    expect([response.status, origin + pathname]).toEqual([303, callback]);
    expect(Object.fromEntries(searchParams)).toEqual({
      ...{ error, error_description: expect.any(String), iss: acme.issuer, state: 'a state' },
    });
  });

  it('accepts only the redirect URIs in the options, if there are any', async () => {
    const { send } = start({ redirectUris: ['https://words.com/cb?a=1'] });
    const request = async (uri: string) =>
      (await send(`/authorize?${new URLSearchParams({ ...authorization, redirect_uri: uri })}`)).status;
    expect(await request('https://words.com/cb?a=1')).toBe(200);
    expect(await request('https://words.com/cb')).toBe(400);
    expect(await request(callback)).toBe(400);
  });

  it('redirects with a code, or with access_denied after Cancel', async () => {
    const { choose } = start();
    const query = { ...authorization, redirect_uri: `${callback}?a=1` };
    expect(Object.fromEntries((await choose('ada.marlow@example.com', query)).searchParams)).toEqual({
      ...{ a: '1', code: expect.stringMatching(/^[\w-]{43}$/), iss: acme.issuer, state: 'a state' },
    });
    expect(Object.fromEntries((await choose('', without(query, 'state'))).searchParams)).toEqual({
      ...{ a: '1', error: 'access_denied', iss: acme.issuer },
    });
  });

  it('refuses an unknown user, and a choice that is not a form', async () => {
    const { post, send } = start();
    const path = `/authorize?${new URLSearchParams(authorization)}`;
    const body = '{"user":"ada.marlow@example.com"}';
    const headers = { 'content-type': 'application/json' };
    for (const response of [
      await post(path, { user: 'nobody@example.com' }),
      await post(path, {}),
      await send(path, { method: 'POST', headers, body }),
      await post('/authorize?', { user: 'ada.marlow@example.com' }),
    ])
      expect([response.status, response.headers.get('location')]).toEqual([400, null]);
  });
});

describe('the token endpoint', () => {
  it('issues an ID token that the published key verifies, with the claims of the user', async () => {
    const claims = { groups: ['staff'], email_verified: false };
    const users = [{ name: 'Ada Marlow', email: 'ada.marlow@example.com', claims }];
    const { send, signIn } = start({ users });
    const tokens = await signIn();
    expect(tokens).toEqual({
      access_token: expect.any(String),
      refresh_token: expect.any(String),
      id_token: expect.any(String),
      ...{ token_type: 'Bearer', expires_in: 3600, scope },
    });
    const keys = createLocalJWKSet(await (await send('/keys')).json());
    const currentDate = new Date(time * 1000);
    const { payload, protectedHeader } = await jwtVerify(String(tokens.id_token), keys, { currentDate });
    expect(protectedHeader.alg).toBe('ES256');
    expect(payload).toEqual({
      ...{ iss: acme.issuer, aud: acme.clientId, iat: time, exp: time + 3600, auth_time: time },
      ...{ sub: expect.stringMatching(/^[\w-]{22}$/), nonce: 'a nonce', name: 'Ada Marlow' },
      ...{ email: 'ada.marlow@example.com', email_verified: false, groups: ['staff'] },
    });
    const restarted = start({ users });
    expect(decodeJwt(String((await restarted.signIn()).id_token)).sub).toBe(payload.sub);
    expect(await (await restarted.send('/keys')).json()).not.toEqual(await (await send('/keys')).json());
  });

  it('issues only what the scopes request', async () => {
    const { signIn } = start();
    expect(await signIn({ ...authorization, scope: 'email' })).toEqual({
      ...{ access_token: expect.any(String), token_type: 'Bearer', expires_in: 3600, scope: 'email' },
    });
    const { id_token: idToken } = await signIn({ ...without(authorization, 'nonce'), scope: 'openid' });
    expect(Object.keys(decodeJwt(String(idToken))).toSorted()).toEqual([
      ...['aud', 'auth_time', 'exp', 'iat', 'iss', 'sub'],
    ]);
  });

  it('accepts the credentials in the form or as Basic', async () => {
    const { requestTokens, obtainCode } = start();
    const basic = (id: string, secret: string) => ({ authorization: `Basic ${btoa(`${id}:${secret}`)}` });
    const encoded = encodeURIComponent(acme.clientSecret);
    const request = async (headers: Form, form: Form = {}) => {
      const code = await obtainCode();
      const body = { ...without(codeRequest, 'client_id', 'client_secret'), ...form, code };
      const { status, headers: received, body: answer } = await requestTokens(body, headers);
      return [status, answer.error, received.get('www-authenticate')];
    };
    const invalid = [401, 'invalid_client', 'Basic realm="fake provider"'];
    expect(await request({}, credentials)).toEqual([200, undefined, null]);
    expect(await request(basic(acme.clientId, encoded))).toEqual([200, undefined, null]);
    expect(await request({})).toEqual(invalid);
    expect(await request({}, { ...credentials, client_secret: 'wrong' })).toEqual(invalid);
    expect(await request({}, { ...credentials, client_id: 'wrong' })).toEqual(invalid);
    expect(await request({}, { client_id: acme.clientId })).toEqual(invalid);
    expect(await request(basic(acme.clientId, 'wrong'))).toEqual(invalid);
    for (const authorizationHeader of ['Basic', 'Basic a', 'Basic ====', 'Basic YQ==', 'Bearer x', ''])
      expect(await request({ authorization: authorizationHeader })).toEqual(invalid);
    expect(await request(basic(acme.clientId, encoded), credentials)).toEqual([400, 'invalid_request', null]);
  });

  it.each<[string, Form, string]>([
    ['another verifier', { code_verifier: 'x'.repeat(43) }, 'invalid_grant'],
    ['another redirect URI', { redirect_uri: `${callback}2` }, 'invalid_grant'],
    ['another code', { code: 'other' }, 'invalid_grant'],
    ['another grant type', { grant_type: 'password' }, 'unsupported_grant_type'],
  ])('refuses %s', async (_, changes, error) => {
    const { requestTokens, obtainCode } = start();
    const { status, body } = await requestTokens({ ...codeRequest, code: await obtainCode(), ...changes });
    expect([status, body]).toEqual([400, { error, error_description: expect.any(String) }]);
  });

  it('refuses requests without a required parameter', async () => {
    const { requestTokens, obtainCode } = start();
    const missing = async (name: string, form: Form = codeRequest) =>
      (await requestTokens(without({ code: await obtainCode(), ...form }, name))).body.error;
    expect(await missing('code')).toBe('invalid_request');
    expect(await missing('grant_type')).toBe('invalid_request');
    expect(await missing('code_verifier')).toBe('invalid_grant');
    expect(await missing('redirect_uri')).toBe('invalid_grant');
    expect(await missing('', { ...credentials, grant_type: 'refresh_token' })).toBe('invalid_request');
  });

  it('refuses a verifier without a challenge, and accepts a code without either', async () => {
    const { requestTokens, obtainCode } = start();
    const query = without(authorization, 'code_challenge', 'code_challenge_method');
    const withVerifier = await requestTokens({ ...codeRequest, code: await obtainCode(query) });
    expect(withVerifier.body.error).toBe('invalid_grant');
    const form = without(codeRequest, 'code_verifier');
    expect((await requestTokens({ ...form, code: await obtainCode(query) })).status).toBe(200);
  });

  it('redeems a code only once, and only within a minute', async () => {
    const { requestTokens, obtainCode, advance } = start();
    const code = await obtainCode();
    const request = { ...codeRequest, code };
    expect((await requestTokens(request)).status).toBe(200);
    expect((await requestTokens(request)).body.error).toBe('invalid_grant');
    const [early, late] = [await obtainCode(), await obtainCode()];
    advance(59);
    expect((await requestTokens({ ...codeRequest, code: early })).status).toBe(200);
    advance(1);
    expect((await requestTokens({ ...codeRequest, code: late })).body.error).toBe('invalid_grant');
  });

  it('refuses bodies that are not a form, are too large, or repeat a parameter', async () => {
    const { send } = start();
    const type = 'application/x-www-form-urlencoded';
    const bodies: readonly (readonly [string, string])[] = [
      ['application/json', '{}'],
      [type, `a=${'x'.repeat(20_000)}`],
      [type, 'a=1&a=1'],
      [type, '%'],
    ];
    for (const [contentType, body] of bodies) {
      const headers = { 'content-type': contentType };
      const response = await send('/token', { method: 'POST', headers, body });
      expect(response.status).toBe(body === '%' ? 401 : 400);
      expect(await response.json()).toMatchObject({
        error: body === '%' ? 'invalid_client' : 'invalid_request',
      });
    }
  });

  it('refreshes with a refresh token that it issued, also after a restart, and never with another token', async () => {
    const { requestTokens, signIn, advance } = start();
    const tokens = await signIn();
    advance(400 * 86_400);
    const refresh = (token: unknown, changes: Form = {}, { requestTokens: request } = { requestTokens }) =>
      request({ ...credentials, grant_type: 'refresh_token', refresh_token: String(token), ...changes });
    const { status, body } = await refresh(tokens.refresh_token);
    expect([status, Object.keys(body).toSorted()]).toEqual([
      200,
      ['access_token', 'expires_in', 'id_token', 'scope', 'token_type'],
    ]);
    expect(decodeJwt(String(body.id_token))).toMatchObject({ auth_time: time, iat: time + 400 * 86_400 });
    expect(decodeJwt(String(body.id_token))).not.toHaveProperty('nonce');
    expect((await refresh(tokens.refresh_token, {}, start())).status).toBe(200);
    expect((await refresh(tokens.refresh_token, { scope: 'email' })).body.scope).toBe('email');
    expect((await refresh(tokens.refresh_token, { scope: 'email admin' })).body.error).toBe('invalid_scope');
    for (const token of [tokens.access_token, tokens.id_token, 'x', 'a.b.c', ''])
      expect((await refresh(token)).body.error).toBe('invalid_grant');
    const otherUsers = start({ users: [{ name: 'Bob', email: 'bob@example.com' }] });
    expect((await refresh(tokens.refresh_token, {}, otherUsers)).body.error).toBe('invalid_grant');
  });
});

describe('UserInfo', () => {
  const read = async ({ send }: ReturnType<typeof start>, token?: unknown, method = 'GET') => {
    const headers: Form = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const response = await send('/userinfo', { method, headers });
    return [response.status, response.headers.get('www-authenticate') ?? (await response.json())];
  };

  it('returns the claims that the scopes requested', async () => {
    const started = start();
    const { access_token: all } = await started.signIn();
    const { access_token: some } = await started.signIn({ ...authorization, scope: 'openid' });
    const sub = expect.stringMatching(/^[\w-]{22}$/);
    const claims = { sub, name: 'Ada Marlow', email: 'ada.marlow@example.com', email_verified: true };
    expect(await read(started, all)).toEqual([200, claims]);
    expect(await read(started, all, 'POST')).toEqual([200, claims]);
    expect(await read(started, some)).toEqual([200, { sub }]);
  });

  it('refuses tokens that are missing, not valid, expired, or for another purpose', async () => {
    const started = start();
    const tokens = await started.signIn();
    const invalid = [401, 'Bearer realm="fake provider", error="invalid_token"'];
    expect(await read(started)).toEqual([401, 'Bearer realm="fake provider"']);
    for (const token of ['x', 'a.b.c', '', tokens.refresh_token, tokens.id_token])
      expect(await read(started, token)).toEqual(invalid);
    started.advance(3600);
    expect(await read(started, tokens.access_token)).toEqual(invalid);
  });
});

describe('a revocation', () => {
  it('ends the tokens that were issued for the user before, and no others', async () => {
    const { provider, requestTokens, signIn, choose, send } = start();
    const refresh = async (tokens: TokenBody) => {
      const token = String(tokens.refresh_token);
      const form = { ...credentials, grant_type: 'refresh_token', refresh_token: token };
      return (await requestTokens(form)).body.error;
    };
    const before = await signIn();
    const code = (await choose('bruno.castell@example.org')).searchParams.get('code') ?? '';
    const other = (await requestTokens({ ...codeRequest, code })).body;
    await provider.revoke('ada.marlow@example.com');
    const after = await signIn();
    expect(await refresh(before)).toBe('invalid_grant');
    const headers = { authorization: `Bearer ${before.access_token}` };
    expect((await send('/userinfo', { headers })).status).toBe(401);
    expect([await refresh(after), await refresh(other)]).toEqual([undefined, undefined]);
    await provider.revoke(decodeJwt(String(other.id_token)).sub ?? '');
    expect([await refresh(after), await refresh(other)]).toEqual([undefined, 'invalid_grant']);
  });

  it('of an unknown user fails', async () => {
    await expect(start().provider.revoke('nobody@example.com')).rejects.toThrow(
      'The fake provider has no user with the email address or subject nobody@example.com.',
    );
  });
});
