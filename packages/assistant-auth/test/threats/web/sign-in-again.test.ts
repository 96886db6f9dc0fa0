import { describe, expect, it } from 'vitest';
import { corsHeaders } from '../../../src/index.ts';
import { callApi, expectTokens, gptSignIn } from '../../browser.ts';
import { app, gpt, obtainTokens, redeem, refresh, server, type TestClient } from '../../clients.ts';
import { type Deployment, deploy, gptSecret, issuer } from '../../deployment.ts';

const callWith = (
  deployment: Deployment,
  headers: Readonly<Record<string, string>>,
  scopes: readonly string[] = [],
) => deployment.broker.protect(new Request(`${issuer}/api/scoring`, { headers }), { scopes });

const readError = async (protection: ReturnType<typeof callWith>): Promise<Response> => {
  const outcome = await protection;
  if (outcome.kind === 'granted') throw new Error('the API answered');
  return outcome.response;
};

const clientIdOf = ({ request }: TestClient): string => new URLSearchParams(request).get('client_id') ?? '';

const badToken = 'error="invalid_token", error_description="The access token is not valid."';

describe('W7', () => {
  it('W7.1 no token: the API asks for one with a bare challenge, which names no error', async () => {
    const response = await readError(callWith(deploy(), {}));
    expect(response.status).toBe(401);
    expect(await response.json()).toEqual({
      type: 'about:blank',
      title: 'Unauthorized',
      status: 401,
      detail: 'Sign in to use this API.',
    });
    expect(Object.fromEntries(response.headers)).toEqual({
      ...corsHeaders,
      'cache-control': 'no-store',
      'content-type': 'application/problem+json',
      'www-authenticate': `Bearer realm="${issuer}"`,
      'x-content-type-options': 'nosniff',
    });
  });

  const invalid: readonly (readonly [
    string,
    (deployment: Deployment, token: string) => Promise<void> | void,
  ])[] = [
    ['expired', (deployment) => deployment.advance(1800)],
    ['revoked', ({ storage, now }) => storage.revoke({ kind: 'client', id: 'gpt' }, 'test', now())],
  ];

  it.each(invalid)('W7.2 dead token: an %s one is a 401 with invalid_token', async (_, kill) => {
    const deployment = deploy();
    const { access_token } = await gptSignIn(deployment);
    await kill(deployment, access_token);
    const response = await readError(callApi(deployment, access_token));
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toBe(`Bearer realm="${issuer}", ${badToken}`);
  });

  it.each(['Bearer forged', 'Bearer %', 'Bearer', 'Basic Z3B0Og==', 'bearer a b', ''])(
    'W7.2 dead token: %j is a 401 with invalid_token',
    async (authorization) => {
      const response = await readError(callWith(deploy(), { authorization }));
      expect(response.status).toBe(401);
      expect(response.headers.get('www-authenticate')).toBe(`Bearer realm="${issuer}", ${badToken}`);
    },
  );

  it('W7.3 missing scope: is a 403 that names what is needed, because to sign in again alone would not help', async () => {
    const deployment = deploy();
    const { access_token } = await obtainTokens(deployment, {
      ...app,
      request: { ...app.request, scope: 'words' },
    });
    const authorization = `Bearer ${access_token}`;
    const response = await readError(callWith(deployment, { authorization }, ['words', 'score']));
    expect(response.status).toBe(403);
    expect(response.headers.get('www-authenticate')).toBe(
      `Bearer realm="${issuer}", error="insufficient_scope", ` +
        'error_description="The access token does not carry the scope that this needs.", scope="words score"',
    );
    expect((await callWith(deployment, { authorization }, ['words'])).kind).toBe('granted');
  });

  const ends: readonly (readonly [string, TestClient, number])[] = [
    ['ChatGPT 401, which alone makes it sign in again', gpt, 401],
    ['a public client 400', app, 400],
    ['a confidential client 400', server, 400],
  ];

  it.each(ends)('W7.4 dead refresh token: gives %s, and invalid_grant', async (_, testClient, status) => {
    const deployment = deploy();
    const { refresh_token } = await obtainTokens(deployment, testClient);
    await deployment.storage.revoke({ kind: 'client', id: clientIdOf(testClient) }, 'test', deployment.now());
    for (const token of [refresh_token, 'forged']) {
      const response = await refresh(deployment, testClient, token);
      expect(response.status).toBe(status);
      expect(await response.json()).toEqual({
        error: 'invalid_grant',
        error_description: 'The refresh token is not valid.',
      });
      expect(response.headers.has('www-authenticate')).toBe(status === 401);
    }
  });

  it('W7.4 dead refresh token: what is no dead token does not look like one', async () => {
    const deployment = deploy();
    const { refresh_token } = await obtainTokens(deployment, gpt);
    const answers = [
      await refresh(deployment, gpt, refresh_token, { scope: 'admin' }),
      await refresh(deployment, gpt, refresh_token, { resource: 'https://evil.example' }),
      await refresh(deployment, gpt, ''),
      await refresh(deployment, gpt, refresh_token, { grant_type: 'password' }),
      await redeem(deployment, gpt, 'forged'),
    ];
    const shapes = await Promise.all(
      answers.map(async (response) => {
        const { error }: { error: string } = await response.json();
        return [response.status, error];
      }),
    );
    expect(shapes).toEqual([
      [400, 'invalid_scope'],
      [400, 'invalid_target'],
      [400, 'invalid_request'],
      [400, 'unsupported_grant_type'],
      [400, 'invalid_grant'],
    ]);
    expect((await expectTokens(await refresh(deployment, gpt, refresh_token))).refresh_token).toBe(
      refresh_token,
    );
  });

  it('W7.5 wrong secret: is the client’s trouble, not the person’s', async () => {
    const deployment = deploy();
    const { refresh_token } = await obtainTokens(deployment, gpt);
    const response = await refresh(deployment, gpt, refresh_token, { client_secret: `${gptSecret}x` });
    expect([response.status, await response.json()]).toEqual([
      401,
      { error: 'invalid_client', error_description: 'The client could not be authenticated.' },
    ]);
    expect(response.headers.get('www-authenticate')).toBe(`Basic realm="${issuer}", charset="UTF-8"`);
  });
});
