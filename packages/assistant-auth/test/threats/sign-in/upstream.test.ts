import { describe, expect, it } from 'vitest';
import type { BrokerOptions, ResolveUser, SignIn } from '../../../src/index.ts';
import { memoryStorage } from '../../../src/storage/memory.ts';
import { callApi, expectTokens, gptRequest, readRedirect } from '../../browser.ts';
import { gpt, redeem, refresh } from '../../clients.ts';
import { deploy, issuer } from '../../deployment.ts';
import {
  expectErrorPage,
  expectInvalidToken,
  expectTokenError,
  invalidRefreshTokenError,
  missingTransactionMessage,
} from '../../expect-error.ts';
import { continueToProvider, listTransactionCookies } from '../../flows.ts';
import { createIssuer, createOidcProvider, type IssuerOverrides } from '../../providers/hostile-issuer.ts';
import { jwtPrefix } from '../../providers/signing.ts';

/** A deployment whose provider is a real OpenID Connect relying party, and whose storage keeps what it recorded. */
const upstream = (changes: Partial<BrokerOptions> = {}) => {
  const acme = createIssuer();
  const signIns: SignIn[] = [];
  const memory = memoryStorage();
  const storage = {
    ...memory,
    recordSignIn: (signIn: SignIn) => {
      signIns.push(signIn);
      return memory.recordSignIn(signIn);
    },
  };
  const deployment = deploy({
    providers: [createOidcProvider(acme)],
    fetch: acme.io.fetch,
    storage,
    ...changes,
  });
  /** A person at Acme, whose ID token will carry the nonce of their login transaction. */
  const depart = async () => {
    const transaction = await continueToProvider(deployment, gptRequest, 'acme');
    const nonce = transaction.sent.searchParams.get('nonce');
    acme.override({ claims: { nonce } });
    return { ...transaction, nonce };
  };
  return { acme, signIns, deployment, depart };
};

const answerOf = (response: Response) => Object.fromEntries(readRedirect(response).searchParams);

/** The client is told `error` in words of ours; nothing is stored, and the login transaction is over. */
const expectNoSignIn = async (
  { signIns, depart }: ReturnType<typeof upstream>,
  answer: Readonly<Record<string, string>>,
  [error, error_description]: readonly [string, string],
) => {
  const { browser, returnFromProvider } = await depart();
  const response = await returnFromProvider(answer);
  expect(response.status).toBe(303);
  expect(answerOf(response)).toEqual({ error, error_description, state: gptRequest.state, iss: issuer });
  expect(listTransactionCookies(browser.cookies)).toEqual([]);
  expect(signIns).toEqual([]);
};

const denied = ['access_denied', 'The sign-in was refused or cancelled at the provider.'] as const;
const away = ['temporarily_unavailable', 'The sign-in provider did not answer. Try again later.'] as const;
const invalid = ['server_error', 'The sign-in provider gave an answer that could not be verified.'] as const;

describe('B12', () => {
  it.each([
    ['B12.1 provider error: access_denied', { error: 'access_denied', error_description: 'No!' }, denied],
    ['B12.1 provider error: access_denied beside a code', { error: 'access_denied', code: 'x' }, denied],
    ['B12.1 provider error: temporarily_unavailable', { error: 'temporarily_unavailable' }, away],
    [
      'B12.1 provider error: server_error',
      { error: 'server_error', error_uri: 'https://evil.example' },
      away,
    ],
    ['B12.1 provider error: invalid_scope', { error: 'invalid_scope' }, invalid],
    [
      'B12.1 provider error: a word of its own',
      { error: '<script>', error_description: '\r\nx: y' },
      invalid,
    ],
    ['B12.2 missing code: none', {}, invalid],
    ['B12.2 missing code: an empty one', { code: '' }, invalid],
  ])('%s is told to the client in our words, and signs nobody in', async (_, answer, told) => {
    await expectNoSignIn(upstream(), answer, told);
  });

  it('B12.1 provider error: under a state that nobody waits for is a page', async () => {
    const { deployment, depart } = upstream();
    const { browser } = await depart();
    const response = await browser.visit(`${issuer}/callback/acme?error=access_denied&state=unknown`);
    await expectErrorPage(response, deployment, missingTransactionMessage);
    expect(listTransactionCookies(browser.cookies)).toHaveLength(1);
  });
});

describe('B13', () => {
  const timedOut = () => Promise.reject(new DOMException('The operation timed out', 'TimeoutError'));

  it.each([
    ['B13.1 5xx', () => new Response('out of order', { status: 500 })],
    ['B13.1 5xx', () => new Response('out of order', { status: 503 })],
    ['B13.2 429', () => new Response('slow down', { status: 429 })],
    ['B13.3 time-out', timedOut],
  ])('%s of the provider signs nobody in, and leaves the grants that exist', async (_, token) => {
    const system = upstream();
    const { acme, deployment, depart, signIns } = system;
    const { returnFromProvider } = await depart();
    const { code = '' } = answerOf(await returnFromProvider({ code: 'code-1' }));
    const tokens = await expectTokens(await redeem(deployment, gpt, code));
    signIns.length = 0;

    const again = await depart();
    acme.override({ endpointOverrides: { token } });
    const response = await again.returnFromProvider({ code: 'code-2' });
    const [error, error_description] = away;
    expect(answerOf(response)).toEqual({ error, error_description, state: gptRequest.state, iss: issuer });
    expect(signIns).toEqual([]);
    const refreshed = await expectTokens(await refresh(deployment, gpt, tokens.refresh_token));
    for (const { access_token } of [tokens, refreshed])
      expect((await callApi(deployment, access_token)).kind).toBe('granted');
  });
});

describe('B13, at a refresh', () => {
  const json = (body: unknown, status: number) => () => Response.json(body, { status });
  const timedOut = () => Promise.reject(new DOMException('The operation timed out', 'TimeoutError'));
  const begin = async () => {
    const { acme, deployment, depart } = upstream();
    const { returnFromProvider } = await depart();
    const { code = '' } = answerOf(await returnFromProvider({ code: 'code-1' }));
    return { acme, deployment, tokens: await expectTokens(await redeem(deployment, gpt, code)) };
  };

  it.each([
    ['B13.1 5xx', json({ error: 'invalid_grant' }, 500)],
    ['B13.2 429', json({ error: 'invalid_grant' }, 429)],
    ['B13.3 time-out', timedOut],
    ['B13.3 time-out of the body', () => new Response(new ReadableStream({ pull: timedOut }))],
  ])('%s leaves the grant, whatever the body says', async (_, token) => {
    const { acme, deployment, tokens } = await begin();
    acme.override({ endpointOverrides: { token } });
    const refreshed = await expectTokens(await refresh(deployment, gpt, tokens.refresh_token));
    expect(deployment.log.filter(({ event }) => event === 'recheck-failed')).toHaveLength(1);
    expect((await callApi(deployment, refreshed.access_token)).kind).toBe('granted');
  });

  it('B13.4 invalid_grant ends it: the refresh, its access tokens, and for good', async () => {
    const { acme, deployment, tokens } = await begin();
    acme.override({ endpointOverrides: { token: json({ error: 'invalid_grant' }, 400) } });
    const invalid = { ...invalidRefreshTokenError, status: 401 };
    await expectTokenError(await refresh(deployment, gpt, tokens.refresh_token), invalid);
    acme.override({});
    await expectTokenError(await refresh(deployment, gpt, tokens.refresh_token), invalid);
    await expectInvalidToken(deployment, tokens.access_token);
  });
});

describe('B14', () => {
  const secrets = ['their-access-token', 'their-refresh-token', jwtPrefix, 'our_client.secret'];

  it('B14.1 never to clients: no answer on the way holds a token of the provider', async () => {
    const { deployment, depart } = upstream();
    const { returnFromProvider, sent } = await depart();
    const back = await returnFromProvider({ code: 'code-1' });
    const { code = '' } = answerOf(back);
    const redemption = await redeem(deployment, gpt, code);
    const { refresh_token } = await expectTokens(redemption.clone());
    const answers = [back, redemption, await refresh(deployment, gpt, refresh_token)];
    const texts = [sent.href, ...(await Promise.all(answers.map(wholeText))), JSON.stringify(deployment.log)];
    for (const secret of secrets) for (const text of texts) expect(text).not.toContain(secret);
    expect(answers.map(({ status }) => status)).toEqual([303, 200, 200]);
  });

  it('B14.2 sealed at rest: storage gets the refresh token sealed, another text each time, and no other', async () => {
    const { signIns, depart } = upstream();
    for (let time = 0; time < 2; time++) await (await depart()).returnFromProvider({ code: 'code-1' });
    const stored = JSON.stringify(signIns);
    for (const secret of secrets) expect(stored).not.toContain(secret);
    const sealed = signIns.map(({ identity }) => identity.sealedRefreshToken);
    expect(sealed).toEqual([expect.stringMatching(/^[\w-]{60,}$/), expect.stringMatching(/^[\w-]{60,}$/)]);
    expect(new Set(sealed).size).toBe(2);
  });

  it('B14.2 sealed at rest: a sign-in that brings none writes none over the stored one', async () => {
    const { acme, signIns, depart } = upstream();
    const { returnFromProvider, nonce } = await depart();
    acme.override({ claims: { nonce }, tokens: { refresh_token: undefined } });
    await returnFromProvider({ code: 'code-1' });
    expect(signIns.map(({ identity }) => Object.keys(identity))).toEqual([['provider', 'subject', 'label']]);
  });
});

/** Signs in at the issuer with the given deviations, and returns the parameters of the redirect to the client. */
const signIn = async (
  { acme, depart }: ReturnType<typeof upstream>,
  { claims, ...bends }: IssuerOverrides = {},
) => {
  // The deviations must be set before the sign-in starts, because the metadata is read only once.
  acme.override(bends);
  const { returnFromProvider, nonce } = await depart();
  acme.override({ ...bends, claims: { nonce, ...claims } });
  return answerOf(await returnFromProvider({ code: 'code-1' }));
};

describe('B19, a refresh token that is bound to a session', () => {
  const expired = () => Response.json({ error: 'invalid_grant' }, { status: 400 });

  /** Signs in, and refreshes 31 minutes later, when the session at the issuer has ended. */
  const refreshLater = async (bends: IssuerOverrides) => {
    const system = upstream();
    const { acme, deployment } = system;
    const { code = '' } = await signIn(system, bends);
    const { refresh_token } = await expectTokens(await redeem(deployment, gpt, code));
    deployment.advance(31 * 60);
    acme.asked();
    acme.override({ endpointOverrides: { token: expired } });
    const response = await refresh(deployment, gpt, refresh_token);
    return { ...system, response, refresh_token, asked: acme.asked() };
  };

  it.each<[string, IssuerOverrides]>([
    ['the issuer has no offline access', { metadata: { scopes_supported: ['openid'] } }],
    ['it was not granted', { tokens: { scope: 'openid email profile', refresh_expires_in: 1800 } }],
    ['it was not granted, in a list', { tokens: { scope: ['openid', 'email'] } }],
    ['its lifetime is half an hour', { tokens: { scope: 'offline_access', refresh_expires_in: 1800 } }],
  ])('B19.2 is not used for rechecks, so its expiry ends no grant: %s', async (_, bends) => {
    const { deployment, response, refresh_token, signIns, asked } = await refreshLater(bends);
    expect((await expectTokens(response)).refresh_token).toBe(refresh_token);
    expect(signIns[0]?.identity).not.toHaveProperty('sealedRefreshToken');
    expect(asked).toEqual([]);
    expect(deployment.log.filter(({ event }) => event === 'recheck-failed')).toEqual([]);
    deployment.advance(31 * 60);
    expect((await refresh(deployment, gpt, refresh_token)).status).toBe(200);
  });

  it.each<[string, IssuerOverrides]>([
    ['granted', { tokens: { scope: 'openid email profile offline_access' } }],
    ['granted as requested', {}],
    ['granted without expiry', { tokens: { scope: ['openid', 'offline_access'], refresh_expires_in: 0 } }],
  ])('B19.2 differs from one with offline access, whose rejection ends the grants: %s', async (_, bends) => {
    const { deployment, response, refresh_token, asked } = await refreshLater(bends);
    const invalid = { ...invalidRefreshTokenError, status: 401 };
    expect(asked).toEqual(['token']);
    await expectTokenError(response, invalid);
    await expectTokenError(await refresh(deployment, gpt, refresh_token), invalid);
  });
});

describe('B19, a publisher that admits people by the domain of their address', () => {
  const endpoint = { userinfo_endpoint: 'https://id.example/userinfo' };
  const bare: IssuerOverrides = {
    claims: { email: undefined, email_verified: undefined, name: undefined },
    metadata: endpoint,
    userInfo: { email: 'ada@example.com', email_verified: true, name: 'Ada Marlow' },
  };

  const guarded = () => {
    const asked: unknown[] = [];
    const resolveUser: ResolveUser = async ({ email, emailVerified, claims }) => {
      const { email: inClaims, email_verified: wordInClaims } = claims;
      asked.push([email, emailVerified, inClaims, wordInClaims]);
      const isOurs = emailVerified && email?.endsWith('@example.com') === true;
      return isOurs ? { kind: 'accepted' } : { kind: 'refused', reason: 'another domain' };
    };
    return { ...upstream({ resolveUser }), asked };
  };

  it('is given the address from UserInfo, also in the claims', async () => {
    const system = guarded();
    expect(await signIn(system, bare)).toHaveProperty('code');
    expect(system.asked).toEqual([['ada@example.com', true, 'ada@example.com', true]]);
    expect(system.signIns.map(({ identity }) => identity.label)).toEqual(['ada@example.com']);
    expect(JSON.stringify(system.deployment.log)).not.toContain('their-access-token');
  });

  it.each<[string, IssuerOverrides]>([
    ['B19.7 503', { endpointOverrides: { userinfo: () => new Response(null, { status: 503 }) } }],
    ['B19.7 429', { endpointOverrides: { userinfo: () => new Response(null, { status: 429 }) } }],
    [
      'B19.7 time-out',
      { endpointOverrides: { userinfo: () => Promise.reject(new DOMException('too slow', 'TimeoutError')) } },
    ],
  ])('%s of UserInfo is an outage for the client, and the publisher is not asked', async (_, bends) => {
    const system = guarded();
    const [error, error_description] = away;
    expect(await signIn(system, { ...bare, ...bends })).toMatchObject({ error, error_description });
    expect([system.asked, system.signIns]).toEqual([[], []]);
  });

  it('B19.3 another subject: nobody is signed in, and the publisher is not asked', async () => {
    const system = guarded();
    const [error, error_description] = invalid;
    const userInfo = { ...bare.userInfo, sub: 'person-2' };
    expect(await signIn(system, { ...bare, userInfo })).toMatchObject({ error, error_description });
    expect([system.asked, system.signIns]).toEqual([[], []]);
  });

  it('B19.5 another source: an address that UserInfo does not verify stays unverified', async () => {
    const system = guarded();
    const claims = { ...bare.claims, email_verified: true };
    const userInfo = { email: 'ada@example.com' };
    expect(await signIn(system, { ...bare, claims, userInfo })).toMatchObject({ error: 'access_denied' });
    expect(system.asked).toEqual([['ada@example.com', false, 'ada@example.com', undefined]]);
  });
});

it.each<[string, IssuerOverrides]>([
  ['a scope that is a list', { tokens: { scope: ['openid'] } }],
  ['an expires_in that is null', { tokens: { expires_in: null } }],
  ['a refresh token that is null', { tokens: { refresh_token: null } }],
  ['no token type', { tokens: { token_type: undefined } }],
  ['no access token', { tokens: { access_token: null } }],
])('a token response with %s signs the person in', async (_, bends) => {
  const system = upstream();
  expect(Object.keys(await signIn(system, bends))).toContain('code');
  expect(system.signIns).toHaveLength(1);
});

const wholeText = async (response: Response): Promise<string> =>
  JSON.stringify([...response.headers]) + (await response.clone().text());
