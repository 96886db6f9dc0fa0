import { describe, expect, it } from 'vitest';
import { type Access, corsHeaders, type ProtectOptions, StorageUnavailable } from '../src/index.ts';
import { memoryStorage } from '../src/storage/memory.ts';
import { gpt, obtainTokens } from './clients.ts';
import { deploy, issuer } from './deployment.ts';
import { createSpyStorage } from './spy-storage.ts';

type Headers = Readonly<Record<string, string>>;

const ask = (
  { broker }: ReturnType<typeof deploy>,
  headers: Headers = {},
  requirement: ProtectOptions = {},
  url = `${issuer}/api/scoring`,
) => broker.protect(new Request(url, { headers }), requirement);

/** Asks, and expects a problem document. */
const expectRefused = async (
  asked: ReturnType<typeof ask>,
  status: number,
  [title, detail]: readonly [string, string],
  challenge?: string,
) => {
  const protection = await asked;
  if (protection.kind === 'granted') throw new Error('the API answered');
  const { response } = protection;
  expect(response.status).toBe(status);
  expect(Object.fromEntries(response.headers)).toEqual({
    ...corsHeaders,
    'cache-control': 'no-store',
    'content-type': 'application/problem+json',
    'x-content-type-options': 'nosniff',
    ...(challenge === undefined ? {} : { 'www-authenticate': challenge }),
    ...(status === 503 ? { 'retry-after': '10' } : {}),
  });
  expect(await response.json()).toEqual({ type: 'about:blank', title, status, detail });
};

const signIn = ['Unauthorized', 'Sign in to use this API.'] as const;
const invalid = ['Unauthorized', 'The access token is not valid.'] as const;
const invalidTokenChallenge = `Bearer realm="${issuer}", error="invalid_token", error_description="The access token is not valid."`;

describe('a call', () => {
  it('with a token says who calls and what they may do, and nothing else', async () => {
    const deployment = deploy({
      resolveUser: async () => ({ kind: 'accepted', userId: 'u1', claims: { plan: 'free' } }),
    });
    const { access_token } = await obtainTokens(deployment, gpt);
    const granted = await ask(deployment, { authorization: `Bearer ${access_token}` });
    const access: Access = {
      userId: 'u1',
      clientId: 'gpt',
      grantId: expect.stringMatching(/^[\w-]{22}$/),
      scopes: ['words', 'score'],
      claims: { plan: 'free' },
      expiresAt: deployment.now() + 1800,
    };
    expect(granted).toEqual({ kind: 'granted', access });
  });

  it('may write the scheme in any letters', async () => {
    const deployment = deploy();
    const { access_token } = await obtainTokens(deployment, gpt);
    for (const scheme of ['bearer', 'BEARER', 'Bearer '])
      expect(await ask(deployment, { authorization: `${scheme} ${access_token}` })).toHaveProperty(
        'kind',
        'granted',
      );
  });

  it('without a token is challenged without an error, and makes no line in the log', async () => {
    const deployment = deploy();
    const before = deployment.log.length;
    await expectRefused(ask(deployment), 401, signIn, `Bearer realm="${issuer}"`);
    expect(deployment.log).toHaveLength(before);
  });

  it('is told in the challenge which scopes are needed', async () => {
    const challenge = `Bearer realm="${issuer}", scope="words score"`;
    await expectRefused(ask(deploy(), {}, { scopes: ['words', 'score'] }), 401, signIn, challenge);
  });

  it('with a token that does not open is refused, and the log says why', async () => {
    const deployment = deploy();
    await expectRefused(ask(deployment, { authorization: 'Bearer x' }), 401, invalid, invalidTokenChallenge);
    expect(deployment.log.at(-1)).toEqual({
      event: 'refused',
      endpoint: 'protect',
      requestId: expect.stringMatching(/^[\w-]{22}$/),
      reason: 'token.unreadable',
      cause: 'malformed',
    });
  });

  it('without the scope that it needs is refused with 403, and told which', async () => {
    const deployment = deploy();
    const narrow = { ...gpt, request: { ...gpt.request, scope: 'words' } };
    const { access_token } = await obtainTokens(deployment, narrow);
    const headers = { authorization: `Bearer ${access_token}` };
    expect(await ask(deployment, headers, { scopes: ['words'] })).toHaveProperty('kind', 'granted');
    const detail = 'The access token does not carry the scope that this needs.';
    await expectRefused(
      ask(deployment, headers, { scopes: ['words', 'score'] }),
      403,
      ['Forbidden', detail],
      `Bearer realm="${issuer}", error="insufficient_scope", error_description="${detail}", scope="words score"`,
    );
  });

  it('with the token in the query or the body is a call without one', async () => {
    const deployment = deploy();
    const { access_token } = await obtainTokens(deployment, gpt);
    const query = ask(deployment, {}, {}, `${issuer}/api/scoring?access_token=${access_token}`);
    await expectRefused(query, 401, signIn, `Bearer realm="${issuer}"`);
    const body = new URLSearchParams({ access_token });
    const posted = deployment.broker.protect(new Request(`${issuer}/api`, { method: 'POST', body }));
    await expectRefused(posted, 401, signIn, `Bearer realm="${issuer}"`);
  });

  it('for another host is refused before its token is looked at', async () => {
    const storage = createSpyStorage();
    const deployment = deploy({ storage });
    const { access_token } = await obtainTokens(deployment, gpt);
    const before = storage.calls.length;
    const headers = { authorization: `Bearer ${access_token}` };
    for (const url of ['https://evil.example/api', 'http://words.example/api', 'https://words.example.evil/'])
      await expectRefused(ask(deployment, headers, {}, url), 421, [
        'Misdirected Request',
        'This server does not answer for that host.',
      ]);
    expect(storage.calls).toHaveLength(before);
  });

  it('is answered 503 while nothing is known of what was revoked', async () => {
    const inner = memoryStorage();
    const readRevocations = () => Promise.reject(new StorageUnavailable('out of reach'));
    const deployment = deploy({ storage: { ...inner, readRevocations } });
    const { access_token } = await obtainTokens(deployment, gpt);
    await expectRefused(ask(deployment, { authorization: `Bearer ${access_token}` }), 503, [
      'Service Unavailable',
      'The service is out of order for a moment. Try again soon.',
    ]);
  });

  it('for a resource that nobody configured is our error, told to the log alone', async () => {
    const deployment = deploy();
    const asked = ask(deployment, { authorization: 'Bearer x' }, { resource: 'https://typo.example' });
    await expectRefused(asked, 500, ['Internal Server Error', 'Something went wrong on our side.']);
    expect(deployment.log.at(-1)).toMatchObject({
      reason: 'unexpected',
      cause: 'Error: protect was asked for a resource that is not configured: https://typo.example',
    });
  });
});
