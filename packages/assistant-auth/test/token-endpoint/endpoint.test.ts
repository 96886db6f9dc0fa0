import { describe, expect, it } from 'vitest';
import { corsHeaders, gptAction, StorageUnavailable, staticClient } from '../../src/index.ts';
import { memoryStorage } from '../../src/storage/memory.ts';
import { callApi, expectTokens } from '../browser.ts';
import { app, gpt, obtainCode, obtainTokens, redeem, refresh, server, type TestClient } from '../clients.ts';
import { deploy, gptSecret, issuer, serverSecret } from '../deployment.ts';
import { expectTokenError, invalidRefreshTokenError } from '../expect-error.ts';
import { createSpyStorage } from '../spy-storage.ts';

const token = /^[A-Za-z0-9_-]{100,}$/;

const post = (body: string, headers: Readonly<Record<string, string>> = {}): Request =>
  new Request(`${issuer}/token`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
    body,
  });

const bodyOf = (form: Readonly<Record<string, string>>): string => new URLSearchParams(form).toString();

describe('the answer', () => {
  it.each([
    ['ChatGPT', gpt, 'words score'],
    ['a public client', app, 'words score offline_access'],
    ['a confidential client', server, 'words score'],
  ])(
    'has for %s exactly the fields that it expects, and is kept by no cache',
    async (_, testClient, scope) => {
      const deployment = deploy();
      const response = await redeem(deployment, testClient, await obtainCode(deployment, testClient));
      expect(response.status).toBe(200);
      expect(Object.fromEntries(response.headers)).toEqual({
        ...corsHeaders,
        'cache-control': 'no-store',
        'content-type': 'application/json',
        pragma: 'no-cache',
        'x-content-type-options': 'nosniff',
      });
      expect(await response.json()).toEqual({
        access_token: expect.stringMatching(token),
        token_type: 'bearer',
        expires_in: 1800,
        refresh_token: expect.stringMatching(token),
        scope,
      });
      const { client_id: clientId } = testClient.request;
      expect(deployment.log.at(-1)).toEqual({
        event: 'tokens-issued',
        endpoint: 'token',
        requestId: expect.stringMatching(/^[\w-]{22}$/),
        clientId,
      });
    },
  );

  it('has no refresh token for a client that did not ask to stay connected', async () => {
    const online = { ...app, request: { ...app.request, scope: 'words' } };
    expect(await obtainTokens(deploy(), online)).toEqual({
      access_token: expect.stringMatching(token),
      token_type: 'bearer',
      expires_in: 1800,
      scope: 'words',
    });
  });

  it('says how long the token really lives', async () => {
    const deployment = deploy({ lifetimes: { access: 600 } });
    const { access_token, expires_in } = await obtainTokens(deployment, gpt);
    expect(expires_in).toBe(600);
    deployment.advance(599);
    expect(await callApi(deployment, access_token)).toMatchObject({ kind: 'granted' });
    deployment.advance(1);
    expect(await callApi(deployment, access_token)).toMatchObject({ kind: 'refused' });
  });
});

describe('a dead refresh token', () => {
  const registered = {
    gpt: gptAction({ id: 'gpt', name: 'GPT', secrets: [gptSecret], scopes: ['words', 'score'] }),
    polite: gptAction({
      id: 'gpt',
      name: 'GPT',
      secrets: [gptSecret],
      scopes: ['words', 'score'],
      refreshFailureStatus: 400,
    }),
    server: staticClient({
      id: 'server',
      name: 'Server',
      secrets: [serverSecret],
      redirectUris: ['https://server.example/cb'],
      offlineAccess: 'always',
      scopes: ['words', 'score'],
    }),
  };

  it.each([
    ['401 and a challenge for ChatGPT, which then signs the person in anew', 'gpt', gpt, 401],
    ['400 for ChatGPT where the publisher says so', 'polite', gpt, 400],
    ['400 for every other client', 'server', server, 400],
  ] as const)('is answered %s', async (_, kind, testClient, status) => {
    const deployment = deploy({ clients: [registered[kind]] });
    for (const invalid of ['x', 'A'.repeat(200), (await obtainTokens(deployment, testClient)).access_token])
      await expectTokenError(await refresh(deployment, testClient, invalid), {
        ...invalidRefreshTokenError,
        status,
      });
  });

  it('is the only thing that ChatGPT gets this 401 for', async () => {
    const deployment = deploy();
    const { refresh_token } = await obtainTokens(deployment, gpt);
    expect((await redeem(deployment, gpt, 'x')).status).toBe(400);
    expect((await refresh(deployment, gpt, refresh_token, { scope: 'admin' })).status).toBe(400);
    expect((await refresh(deployment, gpt, '')).status).toBe(400);
  });
});

describe('a request', () => {
  const refused = async (request: Request, status: number, error: string, error_description: string) => {
    const storage = createSpyStorage();
    const response = await deploy({ storage }).fetch(request);
    await expectTokenError(response, { status, error, error_description });
    expect(storage.calls).toEqual([]);
  };
  const form = gpt.codeRequest('x');

  it.each([
    ['no grant type', { grant_type: '' }, 'invalid_request', 'The parameter grant_type is missing.'],
    [
      'another grant type',
      { grant_type: 'client_credentials' },
      'unsupported_grant_type',
      'This grant type is not supported.',
    ],
    [
      'a password',
      { grant_type: 'password', username: 'ada', password: 'x' },
      'unsupported_grant_type',
      'This grant type is not supported.',
    ],
    ['no code', { code: '' }, 'invalid_request', 'The parameter code is missing.'],
    [
      'no refresh token',
      { grant_type: 'refresh_token' },
      'invalid_request',
      'The parameter refresh_token is missing.',
    ],
  ])('that has %s is refused', async (_, changes, error, description) => {
    await refused(post(bodyOf({ ...form, ...changes })), 400, error, description);
  });

  it.each([
    ...['grant_type', 'code', 'redirect_uri', 'code_verifier', 'refresh_token', 'scope'],
    ...['client_id', 'client_secret', 'client_assertion', 'client_assertion_type'],
  ])('with %s given twice is refused', async (name) => {
    const body = `${bodyOf({ ...form, [name]: 'a' })}&${name}=a`;
    await refused(post(body), 400, 'invalid_request', 'A parameter is given more than once.');
  });

  it('for several resources is refused', async () => {
    const body = `${bodyOf(form)}&resource=${issuer}/api&resource=${issuer}/other`;
    await refused(post(body), 400, 'invalid_target', 'Ask for one resource at a time.');
  });

  it('may name its one resource twice, and send what nobody knows', async () => {
    const deployment = deploy();
    const body = bodyOf(gpt.codeRequest(await obtainCode(deployment, gpt)));
    const resource = `&resource=${issuer}/api`;
    const response = await deployment.fetch(post(`${body}${resource}${resource}&x=1&x=2&audience=y`));
    expect(await expectTokens(response)).toHaveProperty('access_token');
  });

  it.each(['application/json', 'multipart/form-data; boundary=x', 'text/plain', ''])(
    'with a body of type "%s" is refused',
    async (type) => {
      const description = 'The body must be application/x-www-form-urlencoded.';
      await refused(post(bodyOf(form), { 'content-type': type }), 400, 'invalid_request', description);
    },
  );

  it.each(['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'])('by %s is refused', async (method) => {
    const response = await deploy().fetch(new Request(`${issuer}/token`, { method }));
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST']);
  });

  it('may say its character set', async () => {
    const deployment = deploy();
    const body = bodyOf(gpt.codeRequest(await obtainCode(deployment, gpt)));
    const headers = { 'content-type': 'Application/X-WWW-Form-URLencoded ; charset=UTF-8' };
    expect((await deployment.fetch(post(body, headers))).status).toBe(200);
  });
});

describe('when storage is unavailable', () => {
  const out: TestClient[] = [gpt, app, server];
  it.each(out)('says so, and loses neither code nor refresh token', async (testClient) => {
    const inner = memoryStorage();
    let broken = false;
    const orFail = async <Result>(work: () => Promise<Result>): Promise<Result> => {
      if (broken) throw new StorageUnavailable('out of reach');
      return work();
    };
    const deployment = deploy({
      storage: {
        ...inner,
        redeemCode: (redemption) => orFail(() => inner.redeemCode(redemption)),
        refresh: (use) => orFail(() => inner.refresh(use)),
      },
    });
    const code = await obtainCode(deployment, testClient);
    const expectOutage = async (response: Response) => {
      expect(response.status).toBe(503);
      expect(response.headers.get('retry-after')).toBe('10');
      expect(response.headers.get('cache-control')).toBe('no-store');
      expect(await response.json()).toEqual({
        error: 'temporarily_unavailable',
        error_description: 'The service is out of order for a moment. Try again soon.',
      });
    };
    broken = true;
    await expectOutage(await redeem(deployment, testClient, code));
    broken = false;
    const { refresh_token } = await expectTokens(await redeem(deployment, testClient, code));
    broken = true;
    await expectOutage(await refresh(deployment, testClient, refresh_token));
    broken = false;
    await expectTokens(await refresh(deployment, testClient, refresh_token));
  });
});
