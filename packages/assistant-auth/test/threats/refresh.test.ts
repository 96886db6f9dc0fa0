/** Attacks on refresh tokens. */
import { describe, expect, it } from 'vitest';
import { memoryStorage } from '../../src/storage/memory.ts';
import { callApi, expectTokens, type TokenBody } from '../browser.ts';
import { app, gpt, obtainTokens, redeem, refresh, server, type TestClient } from '../clients.ts';
import { type Deployment, deploy, gptSecret, highUserLimits, issuer, serverSecret } from '../deployment.ts';
import {
  expectInvalidToken,
  expectTokenError,
  invalidClientError,
  invalidRefreshTokenError,
} from '../expect-error.ts';
import { createSpyStorage } from '../spy-storage.ts';

const day = 86_400;
const rotatingClients: readonly (readonly [string, TestClient])[] = [
  ['a public client', app],
  ['a confidential client', server],
];
const testClients: typeof rotatingClients = [['ChatGPT', gpt], ...rotatingClients];

const expectRefreshed = async (
  deployment: Deployment,
  testClient: TestClient,
  token: string,
): Promise<TokenBody> => expectTokens(await refresh(deployment, testClient, token));

/** Expects that the token is refused, with the response after which this client starts a new sign-in. */
const expectInvalid = async (
  deployment: Deployment,
  testClient: TestClient,
  token: string,
  reason: string,
) => {
  const response = await refresh(deployment, testClient, token);
  await expectTokenError(response, { ...invalidRefreshTokenError, status: testClient === gpt ? 401 : 400 });
  expect(deployment.log.at(-1)).toMatchObject({ endpoint: 'token', reason: `refresh.${reason}` });
};

const revokeGrant = async (deployment: Deployment, { access_token }: TokenBody) => {
  const protection = await callApi(deployment, access_token);
  if (!protection.ok) throw new Error('the API refused');
  await deployment.storage.revoke({ kind: 'grant', id: protection.grant.id }, 'a test', deployment.now());
};

const runFiftyTimes = <Result>(work: () => Promise<Result>): Promise<readonly Result[]> =>
  Promise.all(Array.from({ length: 50 }, work));

describe('concurrent refreshes', () => {
  it.each(rotatingClients)(
    'F1.1 at once: 50 concurrent refreshes of %s leave one family',
    async (_, testClient) => {
      const deployment = deploy({ limits: highUserLimits });
      const first = await obtainTokens(deployment, testClient);
      const all = await runFiftyTimes(() => expectRefreshed(deployment, testClient, first.refresh_token));
      const [one, other] = all;
      if (one === undefined || other === undefined) throw new Error('nobody got tokens');
      for (const { access_token } of all)
        expect(await callApi(deployment, access_token)).toMatchObject({ ok: true });

      // All fifty have the same generation. After the successor of one of them was used, the others are
      // outdated.
      const next = await expectRefreshed(deployment, testClient, one.refresh_token);
      const current = await expectRefreshed(deployment, testClient, next.refresh_token);
      deployment.advance(121);
      await expectInvalid(deployment, testClient, other.refresh_token, 'reused');
      await expectInvalid(deployment, testClient, current.refresh_token, 'inactive');
    },
  );

  it('F1.1 at once: 50 concurrent refreshes of ChatGPT return the one stable token', async () => {
    const deployment = deploy({ limits: highUserLimits });
    const first = await obtainTokens(deployment, gpt);
    const all = await runFiftyTimes(() => expectRefreshed(deployment, gpt, first.refresh_token));
    expect(new Set(all.map(({ refresh_token }) => refresh_token))).toEqual(new Set([first.refresh_token]));
    expect(new Set(all.map(({ access_token }) => access_token)).size).toBe(50);
  });
});

describe.each(rotatingClients)('%s, without a grace period', (_, testClient) => {
  const deployWithout = (lateRefresh?: 'revoke') =>
    deploy({
      ...{ lifetimes: { refreshGrace: 0 }, limits: highUserLimits },
      ...(lateRefresh !== undefined && { lateRefresh }),
    });

  it.each([undefined, 'revoke'] as const)(
    'F13.1 parallel: of 20 concurrent refreshes one succeeds, and the reuse revokes the family (lateRefresh: %s)',
    async (lateRefresh) => {
      const deployment = deployWithout(lateRefresh);
      const first = await obtainTokens(deployment, testClient);
      const responses = await Promise.all(
        Array.from({ length: 20 }, () => refresh(deployment, testClient, first.refresh_token)),
      );
      const [winner, ...others] = responses.filter(({ status }) => status === 200);
      if (winner === undefined) throw new Error('nobody got tokens');
      expect(others).toEqual([]);
      expect(deployment.log).toContainEqual(expect.objectContaining({ reason: 'refresh.reused' }));
      const { access_token, refresh_token } = await expectTokens(winner);
      await expectInvalid(deployment, testClient, refresh_token, 'inactive');
      deployment.advance(10);
      await expectInvalidToken(deployment, access_token);
    },
  );

  it.each([
    ['in the same second', 0],
    ['a second later', 1],
    ['on a server whose clock is a minute behind', -60],
    ['two minutes later', 120],
  ])('F13.2 replaced: the token is no retry %s', async (_when, seconds) => {
    const deployment = deployWithout();
    const first = await obtainTokens(deployment, testClient);
    const second = await expectRefreshed(deployment, testClient, first.refresh_token);
    deployment.advance(seconds);
    await expectInvalid(deployment, testClient, first.refresh_token, 'reused');
    await expectInvalid(deployment, testClient, second.refresh_token, 'inactive');
  });

  it('F13.2 replaced: a client that refreshes once at a time stays signed in', async () => {
    const deployment = deployWithout();
    let tokens = await obtainTokens(deployment, testClient);
    for (const _time of [1, 2, 3, 4])
      tokens = await expectRefreshed(deployment, testClient, tokens.refresh_token);
    expect((await callApi(deployment, tokens.access_token)).ok).toBe(true);
  });
});

describe.each(rotatingClients)('%s, with another grace period', (_, testClient) => {
  it.each([1, 600])('F13.3 length: the previous token is a retry for %i s', async (refreshGrace) => {
    const deployment = deploy({ lifetimes: { refreshGrace }, lateRefresh: 'revoke' });
    const first = await obtainTokens(deployment, testClient);
    await expectRefreshed(deployment, testClient, first.refresh_token);
    deployment.advance(refreshGrace);
    await expectRefreshed(deployment, testClient, first.refresh_token);
    deployment.advance(1);
    await expectInvalid(deployment, testClient, first.refresh_token, 'reused');
  });
});

it('F13.3 length: a stable token is not replaced, so it can be used at any time', async () => {
  const deployment = deploy({ lifetimes: { refreshGrace: 0 }, limits: highUserLimits });
  const { refresh_token } = await obtainTokens(deployment, gpt);
  const all = await runFiftyTimes(() => expectRefreshed(deployment, gpt, refresh_token));
  expect(new Set(all.map((tokens) => tokens.refresh_token))).toEqual(new Set([refresh_token]));
});

describe.each(rotatingClients)('%s', (_, testClient) => {
  it('F2.1 retry: the previous token is accepted for 120 s after it was used', async () => {
    const deployment = deploy();
    const first = await obtainTokens(deployment, testClient);
    await expectRefreshed(deployment, testClient, first.refresh_token);
    deployment.advance(60);
    await expectRefreshed(deployment, testClient, first.refresh_token);
    deployment.advance(60);
    const retried = await expectRefreshed(deployment, testClient, first.refresh_token);
    expect(await callApi(deployment, retried.access_token)).toMatchObject({ ok: true });
    expect(retried.refresh_token).not.toBe(first.refresh_token);
    await expectRefreshed(deployment, testClient, retried.refresh_token);
  });

  it('F3.1 reuse: a token whose successor was used revokes the family, however long ago', async () => {
    for (const seconds of [0, 121, day]) {
      const deployment = deploy();
      const first = await obtainTokens(deployment, testClient);
      const second = await expectRefreshed(deployment, testClient, first.refresh_token);
      const third = await expectRefreshed(deployment, testClient, second.refresh_token);
      deployment.advance(seconds);
      await expectInvalid(deployment, testClient, first.refresh_token, 'reused');
      for (const { refresh_token } of [second, third])
        await expectInvalid(deployment, testClient, refresh_token, 'inactive');
      deployment.advance(10);
      await expectInvalidToken(deployment, third.access_token);
    }
  });

  it.each([121, 180, day, 29 * day])(
    'F3.2 lost response: a token whose successor was not used gets tokens after %i s',
    async (seconds) => {
      const deployment = deploy();
      const { client_id: clientId } = testClient.request;
      const first = await obtainTokens(deployment, testClient);
      await expectRefreshed(deployment, testClient, first.refresh_token);
      deployment.advance(seconds);
      const recovered = await expectRefreshed(deployment, testClient, first.refresh_token);
      expect(deployment.log).toContainEqual(expect.objectContaining({ event: 'late-refresh', clientId }));
      expect(await callApi(deployment, recovered.access_token)).toMatchObject({ ok: true });
      const next = await expectRefreshed(deployment, testClient, recovered.refresh_token);
      expect(await callApi(deployment, next.access_token)).toMatchObject({ ok: true });
    },
  );

  it('F3.2 lost response: the client recovers when its second response is lost, too', async () => {
    const deployment = deploy();
    const first = await obtainTokens(deployment, testClient);
    for (const seconds of [0, 180, 60, 600]) {
      deployment.advance(seconds);
      await expectRefreshed(deployment, testClient, first.refresh_token);
    }
    deployment.advance(180);
    const recovered = await expectRefreshed(deployment, testClient, first.refresh_token);
    const next = await expectRefreshed(deployment, testClient, recovered.refresh_token);
    expect((await callApi(deployment, next.access_token)).ok).toBe(true);
  });

  it('F3.2 lost response: a retry within the grace period is not late', async () => {
    const deployment = deploy();
    const first = await obtainTokens(deployment, testClient);
    await expectRefreshed(deployment, testClient, first.refresh_token);
    deployment.advance(120);
    await expectRefreshed(deployment, testClient, first.refresh_token);
    expect(deployment.log.filter(({ event }) => event === 'late-refresh')).toEqual([]);
  });

  it('F3.3 theft: the client that presents the replaced successor revokes the family', async () => {
    const deployment = deploy();
    const first = await obtainTokens(deployment, testClient);
    const clientTokens = await expectRefreshed(deployment, testClient, first.refresh_token);
    deployment.advance(600);
    // The thief's copy of the first token.
    const attackerTokens = await expectRefreshed(deployment, testClient, first.refresh_token);
    expect(await callApi(deployment, attackerTokens.access_token)).toMatchObject({ ok: true });
    deployment.advance(600);
    await expectInvalid(deployment, testClient, clientTokens.refresh_token, 'reused');
    await expectInvalid(deployment, testClient, attackerTokens.refresh_token, 'inactive');
    await expectInvalid(deployment, testClient, first.refresh_token, 'inactive');
    deployment.advance(10);
    for (const { access_token } of [clientTokens, attackerTokens])
      await expectInvalidToken(deployment, access_token);
  });

  it('F3.3 theft: the thief who refreshes after the client revokes the family', async () => {
    const deployment = deploy();
    const first = await obtainTokens(deployment, testClient);
    const clientTokens = await expectRefreshed(deployment, testClient, first.refresh_token);
    deployment.advance(600);
    const next = await expectRefreshed(deployment, testClient, clientTokens.refresh_token);
    await expectInvalid(deployment, testClient, first.refresh_token, 'reused');
    await expectInvalid(deployment, testClient, next.refresh_token, 'inactive');
  });

  it('F3.3 theft: of two parties that refresh at once, neither keeps access', async () => {
    const deployment = deploy();
    const first = await obtainTokens(deployment, testClient);
    const clientTokens = await expectRefreshed(deployment, testClient, first.refresh_token);
    deployment.advance(600);
    const responses = await Promise.all(
      [clientTokens, first].map(({ refresh_token }) => refresh(deployment, testClient, refresh_token)),
    );
    expect(responses.map(({ status }) => status).toSorted()).toEqual([200, 400]);
    const successes = await Promise.all(responses.filter(({ status }) => status === 200).map(expectTokens));
    deployment.advance(10);
    expect(successes).toHaveLength(1);
    for (const { access_token, refresh_token } of successes) {
      await expectInvalidToken(deployment, access_token);
      await expectInvalid(deployment, testClient, refresh_token, 'inactive');
    }
  });

  it('F3.4 lateRefresh revoke: the previous token revokes the family after 121 s, whatever was retried', async () => {
    const deployment = deploy({ lateRefresh: 'revoke' });
    const first = await obtainTokens(deployment, testClient);
    const second = await expectRefreshed(deployment, testClient, first.refresh_token);
    deployment.advance(100);
    const retried = await expectRefreshed(deployment, testClient, first.refresh_token);
    expect(await callApi(deployment, retried.access_token)).toMatchObject({ ok: true });
    deployment.advance(21);
    await expectInvalid(deployment, testClient, first.refresh_token, 'reused');
    for (const { refresh_token } of [first, second, retried])
      await expectInvalid(deployment, testClient, refresh_token, 'inactive');
    deployment.advance(10);
    for (const { access_token } of [first, second, retried])
      await expectInvalidToken(deployment, access_token);
  });
});

it('F2.1 retry: ChatGPT’s one token is accepted at any time', async () => {
  const deployment = deploy();
  const { refresh_token } = await obtainTokens(deployment, gpt);
  for (const seconds of [0, 121, day, 59 * day]) {
    deployment.advance(seconds);
    const { access_token, ...body } = await expectRefreshed(deployment, gpt, refresh_token);
    expect(body).toEqual({ token_type: 'bearer', expires_in: 1800, refresh_token, scope: 'words score' });
    expect(await callApi(deployment, access_token)).toMatchObject({ ok: true });
  }
});

describe.each(testClients)('%s', (_, testClient) => {
  it('F4.1 revoke first: a refresh that was checked before its grant was revoked gets nothing', async () => {
    const memory = memoryStorage();
    let onRefresh = async () => {};
    const storage = {
      ...memory,
      refresh: async (grantRefresh: Parameters<typeof memory.refresh>[0]) => {
        await onRefresh();
        return memory.refresh(grantRefresh);
      },
    };
    const deployment = deploy({ storage });
    const tokens = await obtainTokens(deployment, testClient);
    onRefresh = () => revokeGrant(deployment, tokens);
    await expectInvalid(deployment, testClient, tokens.refresh_token, 'inactive');
  });

  it('F4.1 at once: whichever wins, no token works 10 s after the revocation', async () => {
    const deployment = deploy();
    const tokens = await obtainTokens(deployment, testClient);
    const refreshes = Array.from({ length: 20 }, () => refresh(deployment, testClient, tokens.refresh_token));
    const [responses] = await Promise.all([Promise.all(refreshes), revokeGrant(deployment, tokens)]);
    await expectInvalid(deployment, testClient, tokens.refresh_token, 'inactive');
    const successes = await Promise.all(responses.filter(({ status }) => status === 200).map(expectTokens));
    deployment.advance(10);
    for (const { access_token, refresh_token } of [tokens, ...successes]) {
      await expectInvalidToken(deployment, access_token);
      await expectInvalid(deployment, testClient, refresh_token, 'inactive');
    }
  });

  it('F5.1 another client: refuses a token that was issued to another client, and revokes nothing', async () => {
    const storage = createSpyStorage();
    const deployment = deploy({ storage });
    const { refresh_token } = await obtainTokens(deployment, testClient);
    for (const [, otherClient] of testClients.filter(([, owner]) => owner !== testClient))
      await expectInvalid(deployment, otherClient, refresh_token, 'client');
    expect(storage.calls).not.toContain('refresh');
    expect(await expectRefreshed(deployment, testClient, refresh_token)).toHaveProperty('access_token');
  });

  it('F6.1 scope: refuses more than was granted, even a scope that the client could have requested', async () => {
    const storage = createSpyStorage();
    const deployment = deploy({ storage });
    const narrowClient = { ...testClient, request: { ...testClient.request, scope: 'words offline_access' } };
    const { refresh_token } = await obtainTokens(deployment, testClient === app ? narrowClient : testClient);
    const widerScope = testClient === app ? 'words score' : 'words Score';
    const requestedScope =
      testClient === gpt ? ['admin', 'admin offline_access'] : ['words score admin', 'admin', widerScope];
    for (const scope of requestedScope)
      await expectTokenError(await refresh(deployment, testClient, refresh_token, { scope }), {
        status: 400,
        error: 'invalid_scope',
        error_description: 'The requested scope exceeds the granted scope.',
      });
    expect(storage.calls).not.toContain('refresh');
    const narrowed = await expectTokens(
      await refresh(deployment, testClient, refresh_token, { scope: 'words' }),
    );
    expect(narrowed.scope).toBe('words');
    expect(await callApi(deployment, narrowed.access_token)).toMatchObject({ scopes: ['words'] });
    // A refresh with fewer scopes does not reduce the scopes of later ones (RFC 6749 §6).
    const { scope } = await expectRefreshed(deployment, testClient, narrowed.refresh_token);
    expect(scope).toBe(testClient === app ? 'words offline_access' : 'words score');
  });

  it('F6.2 resource: refuses a resource other than the granted one', async () => {
    const storage = createSpyStorage();
    const deployment = deploy({ storage });
    const { refresh_token } = await obtainTokens(deployment, testClient);
    for (const resource of [`${issuer}/other`, `${issuer}/api/`, issuer, 'https://evil.example/api'])
      await expectTokenError(await refresh(deployment, testClient, refresh_token, { resource }), {
        status: 400,
        error: 'invalid_target',
        error_description: 'The refresh token was issued for another resource.',
      });
    expect(storage.calls).not.toContain('refresh');
    const response = await refresh(deployment, testClient, refresh_token, { resource: `${issuer}/api` });
    const { access_token } = await expectTokens(response);
    const request = new Request(issuer, { headers: { authorization: `Bearer ${access_token}` } });
    expect(await deployment.broker.protect(request)).toMatchObject({ ok: true });
    expect(await deployment.broker.protect(request, { resource: `${issuer}/other` })).toMatchObject({
      ok: false,
      response: { status: 401 },
    });
  });

  it('F9.1 refresh as access: the API refuses a refresh token', async () => {
    const deployment = deploy();
    await expectInvalidToken(deployment, (await obtainTokens(deployment, testClient)).refresh_token);
  });

  it('F9.2 access as refresh: the token endpoint refuses an access token', async () => {
    const deployment = deploy();
    const { access_token, refresh_token } = await obtainTokens(deployment, testClient);
    await expectInvalid(deployment, testClient, access_token, 'unreadable');
    expect((await redeem(deployment, testClient, refresh_token)).status).toBe(400);
    await expectRefreshed(deployment, testClient, refresh_token);
  });
});

it.each([
  ['ChatGPT', gpt, [gptSecret.toUpperCase(), serverSecret]],
  ['a confidential client', server, [serverSecret.slice(1), gptSecret]],
] as const)('F7.1 no authentication: %s must authenticate to refresh', async (_, testClient, wrong) => {
  const storage = createSpyStorage();
  const deployment = deploy({ storage });
  const { refresh_token } = await obtainTokens(deployment, testClient);
  for (const client_secret of ['', ...wrong])
    await expectTokenError(
      await refresh(deployment, testClient, refresh_token, { client_secret }),
      invalidClientError,
    );
  expect(storage.calls).not.toContain('refresh');
  await expectRefreshed(deployment, testClient, refresh_token);
});

describe.each([
  ['ChatGPT', gpt, 60 * day, 365 * day],
  ['a public client', app, 30 * day, 180 * day],
  ['a confidential client', server, 30 * day, 180 * day],
] as const)('%s', (_, testClient, idle, absolute) => {
  it('F10.1 absolute: a token in daily use expires eventually', async () => {
    const deployment = deploy();
    let { refresh_token } = await obtainTokens(deployment, testClient);
    for (let age = day; age < absolute; age += day) {
      deployment.advance(day);
      ({ refresh_token } = await expectRefreshed(deployment, testClient, refresh_token));
    }
    deployment.advance(day - 1);
    ({ refresh_token } = await expectRefreshed(deployment, testClient, refresh_token));
    deployment.advance(1);
    await expectInvalid(deployment, testClient, refresh_token, 'expired');
  });

  it('F10.2 idle: an unused token expires, and every use extends its lifetime', async () => {
    const deployment = deploy();
    let { refresh_token } = await obtainTokens(deployment, testClient);
    for (const wait of [idle - 1, idle - 1]) {
      deployment.advance(wait);
      ({ refresh_token } = await expectRefreshed(deployment, testClient, refresh_token));
    }
    deployment.advance(idle);
    await expectInvalid(deployment, testClient, refresh_token, testClient === gpt ? 'inactive' : 'expired');
  });
});
