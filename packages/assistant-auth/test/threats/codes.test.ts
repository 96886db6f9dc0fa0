/** Attacks on authorization codes and PKCE. */
import { describe, expect, it } from 'vitest';
import { type StaticClientOptions, staticClient } from '../../src/index.ts';
import { encodeBase64url } from '../../src/oauth/secrets.ts';
import {
  callApi,
  challenge,
  createTestBrowser,
  expectTokens,
  gptRequest,
  type TokenBody,
  verifier,
} from '../browser.ts';
import { app, gpt, obtainCode, redeem, refresh, server, type TestClient, without } from '../clients.ts';
import { clients, deploy, gptSecret, issuer, serverSecret } from '../deployment.ts';
import {
  expectErrorRedirect,
  expectInvalidToken,
  expectTokenError,
  invalidClientError,
  invalidCodeError,
  invalidRefreshTokenError,
} from '../expect-error.ts';
import { createSpyStorage } from '../spy-storage.ts';

const expectActive = async (
  deployment: ReturnType<typeof deploy>,
  testClient: TestClient,
  { access_token, refresh_token }: TokenBody,
) => {
  expect(await callApi(deployment, access_token)).toMatchObject({ ok: true });
  expect((await refresh(deployment, testClient, refresh_token)).status).toBe(200);
};

describe('authorization codes', () => {
  const testClients: readonly (readonly [string, TestClient])[] = [
    ['ChatGPT', gpt],
    ['a public client', app],
    ['a confidential client', server],
  ];

  /** A deployment where the client's code was redeemed. */
  const redeemed = async (testClient: TestClient) => {
    const storage = createSpyStorage();
    const deployment = deploy({ storage });
    const code = await obtainCode(deployment, testClient);
    const tokens = await expectTokens(await redeem(deployment, testClient, code));
    return { storage, deployment, code, tokens };
  };

  describe.each(testClients)('%s', (_, testClient) => {
    it('C1.1 replay: a second redemption within 10 s is refused and revokes nothing', async () => {
      const { deployment, code, tokens } = await redeemed(testClient);
      for (const seconds of [0, 10]) {
        deployment.advance(seconds);
        await expectTokenError(await redeem(deployment, testClient, code), invalidCodeError);
        expect(deployment.log.at(-1)).toMatchObject({ reason: 'code.invalid' });
      }
      deployment.advance(10);
      await expectActive(deployment, testClient, tokens);
    });

    it('C2.1 at once: of 50 concurrent redemptions exactly one succeeds', async () => {
      const deployment = deploy();
      const code = await obtainCode(deployment, testClient);
      const responses = await Promise.all(
        Array.from({ length: 50 }, () => redeem(deployment, testClient, code)),
      );
      const [success, ...others] = responses.toSorted((one, other) => one.status - other.status);
      expect(success?.status).toBe(200);
      expect(others).toHaveLength(49);
      for (const response of others) await expectTokenError(response, invalidCodeError);
    });

    it('C2.2 winner: the tokens of the one redemption still work', async () => {
      const deployment = deploy();
      const code = await obtainCode(deployment, testClient);
      const responses = await Promise.all(
        Array.from({ length: 50 }, () => redeem(deployment, testClient, code)),
      );
      const success = responses.find(({ status }) => status === 200);
      if (success === undefined) throw new Error('no redemption succeeded');
      const tokens = await expectTokens(success);
      await expectActive(deployment, testClient, tokens);
      deployment.advance(11);
      await expectActive(deployment, testClient, tokens);
    });

    it.each([
      ['C3.1 late: a replay after 11 s revokes the grant', 11],
      ['C3.1 late: a replay after the code has expired revokes the grant', 61],
      ['C3.1 late: a replay after an hour and a cleanup revokes the grant', 3700],
    ])('%s', async (__, seconds) => {
      const { deployment, code, tokens } = await redeemed(testClient);
      deployment.advance(seconds - 1);
      await deployment.broker.cleanup();
      const { access_token } = await expectTokens(
        await refresh(deployment, testClient, tokens.refresh_token),
      );
      expect(await callApi(deployment, access_token)).toMatchObject({ ok: true });

      deployment.advance(1);
      await expectTokenError(await redeem(deployment, testClient, code), invalidCodeError);
      expect(deployment.log.at(-1)).toMatchObject({ reason: 'code.replayed' });
      const invalid = { ...invalidRefreshTokenError, status: testClient === gpt ? 401 : 400 };
      await expectTokenError(await refresh(deployment, testClient, tokens.refresh_token), invalid);
      deployment.advance(9);
      await expectInvalidToken(deployment, access_token);
    });

    it('C3.2 genuine: a replay that fails another check revokes nothing', async () => {
      const { storage, deployment, code, tokens } = await redeemed(testClient);
      deployment.advance(30);
      const otherCodes = [
        `${code.slice(0, -2)}${code.endsWith('AA') ? 'BB' : 'AA'}`,
        code.slice(0, -4),
        tokens.access_token,
        tokens.refresh_token,
      ];
      for (const otherCode of otherCodes)
        await expectTokenError(await redeem(deployment, testClient, otherCode), invalidCodeError);
      const changes = [
        { redirect_uri: 'https://evil.example/' },
        { code_verifier: 'x'.repeat(43) },
        { client_id: 'native', client_secret: '', code_verifier: 'x'.repeat(43) },
      ];
      for (const change of changes)
        await expectTokenError(await redeem(deployment, testClient, code, change), invalidCodeError);
      if (testClient !== app)
        await expectTokenError(
          await redeem(deployment, testClient, code, { client_secret: 'x' }),
          invalidClientError,
        );
      expect(storage.calls).toEqual(['readGrantStatus', 'recordSignIn', 'redeemCode']);
      await expectActive(deployment, testClient, tokens);
    });

    it('C4.1 another client: refuses a code that was issued to another client', async () => {
      const { storage, deployment } = await redeemed(testClient);
      const code = await obtainCode(deployment, testClient);
      const { client_id: owner } = testClient.request;
      const otherClients = [
        { client_id: 'gpt', client_secret: gptSecret },
        { client_id: 'server', client_secret: serverSecret },
        { client_id: 'app', client_secret: '' },
        { client_id: 'native', client_secret: '' },
      ].filter(({ client_id }) => client_id !== owner);
      const before = storage.calls.length;
      for (const otherClient of otherClients) {
        await expectTokenError(await redeem(deployment, testClient, code, otherClient), invalidCodeError);
        expect(deployment.log.at(-1)).toMatchObject({
          clientId: otherClient.client_id,
          reason: 'code.client',
        });
      }
      expect(otherClients).toHaveLength(3);
      expect(storage.calls).toHaveLength(before);
      expect((await redeem(deployment, testClient, code)).status).toBe(200);
    });

    it('C8.1 expired: accepts a code for 60 s, not a second longer', async () => {
      const deployment = deploy();
      const [inTime, late] = [
        await obtainCode(deployment, testClient),
        await obtainCode(deployment, testClient),
      ];
      deployment.advance(59);
      expect((await redeem(deployment, testClient, inTime)).status).toBe(200);
      deployment.advance(1);
      await expectTokenError(await redeem(deployment, testClient, late), invalidCodeError);
      expect(deployment.log.at(-1)).toMatchObject({ reason: 'code.expired' });
    });

    it('C9.1 failing request: does not use up the code, whatever was wrong', async () => {
      const storage = createSpyStorage();
      const deployment = deploy({ storage });
      const code = await obtainCode(deployment, testClient);
      const wrong = [
        { grant_type: 'refresh_token' },
        { grant_type: 'password' },
        { grant_type: '' },
        { client_id: 'nobody' },
        { client_secret: 'wrong' },
        { redirect_uri: 'https://evil.example/' },
        { code_verifier: 'short' },
        { resource: 'https://evil.example/api' },
        { code: '' },
      ];
      for (const changes of wrong) {
        const { status } = await redeem(deployment, testClient, code, changes);
        expect([400, 401]).toContain(status);
      }
      expect(storage.calls).toEqual(['readGrantStatus', 'recordSignIn']);
      expect((await redeem(deployment, testClient, code)).status).toBe(200);
    });
  });

  it('C10.1 leaks: no log line contains a code, whatever happens to it', async () => {
    const { deployment, code, tokens } = await redeemed(gpt);
    await redeem(deployment, gpt, code);
    await redeem(deployment, gpt, code, { redirect_uri: 'https://evil.example/' });
    await redeem(deployment, gpt, code, { client_secret: 'wrong' });
    await redeem(deployment, gpt, `${code}AAAA`);
    await refresh(deployment, gpt, code);
    await callApi(deployment, code);
    deployment.advance(11);
    await redeem(deployment, gpt, code);
    const log = JSON.stringify(deployment.log);
    expect(deployment.log.length).toBeGreaterThan(8);
    for (const secret of [code, tokens.access_token, tokens.refresh_token, gptSecret])
      expect(log).not.toContain(secret.slice(0, 60));
  });

  it('C10.1 leaks: no page or redirect lets the browser send a Referer to another site', async () => {
    const deployment = deploy();
    const browser = createTestBrowser(deployment);
    const { response, consent } = await browser.openSignInPage(gptRequest);
    expect(response.headers.get('referrer-policy')).toBe('same-origin');
    const consentResponse = await browser.submitConsent(consent, { choice: 'google' });
    const state = new URL(consentResponse.headers.get('location') ?? '').searchParams.get('state') ?? '';
    const callbackQuery = new URLSearchParams({ state, code: 'ada' });
    const callbackResponse = await browser.visit(`https://words.example/callback/google?${callbackQuery}`);
    for (const { status, headers } of [consentResponse, callbackResponse]) {
      expect([status, headers.get('referrer-policy')]).toEqual([303, 'no-referrer']);
      expect(headers.get('cache-control')).toBe('no-store');
    }
    expect(new URL(callbackResponse.headers.get('location') ?? '').searchParams.has('code')).toBe(true);
    // The URL of the page for a replayed callback contains the provider's code.
    const page = await browser.visit(`https://words.example/callback/google?${callbackQuery}`);
    expect([page.status, page.headers.get('referrer-policy')]).toEqual([400, 'same-origin']);
  });
});

describe('PKCE', () => {
  const unsupported = 'Only the code_challenge_method S256 is supported.';
  const malformed = 'The parameter code_challenge is malformed.';
  const missing = 'The parameter code_challenge is missing.';

  /** Sends an authorization request, and expects that the client gets the error and the browser no page. */
  const expectErrorAtClient = async (query: Readonly<Record<string, string>>, description: string) => {
    const storage = createSpyStorage();
    const { response } = await createTestBrowser(deploy({ storage })).openSignInPage(query);
    const { redirect_uri: to = '', state = '' } = query;
    expectErrorRedirect(response, { to, state, error: 'invalid_request', description });
    expect(storage.calls).toEqual([]);
  };

  /** Redeems a code with the wrong verifier, which does not use up the code. */
  const expectRefusedVerifier = async (
    testClient: TestClient,
    authorizationParameters: Readonly<Record<string, string>>,
    tokenParameters: Readonly<Record<string, string>>,
  ) => {
    const storage = createSpyStorage();
    const deployment = deploy({ storage });
    const code = await obtainCode(deployment, testClient, authorizationParameters);
    await expectTokenError(await redeem(deployment, testClient, code, tokenParameters), invalidCodeError);
    expect(deployment.log.at(-1)).toMatchObject({ endpoint: 'token', reason: 'code.pkce' });
    expect(storage.calls).toEqual(['readGrantStatus', 'recordSignIn']);
  };

  const challengeOf = async (text: string): Promise<string> =>
    encodeBase64url(new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))));

  const s256 = { code_challenge: challenge, code_challenge_method: 'S256' };
  const gptWithPkce = { ...gptRequest, ...s256 };

  it('C5.1 verifier alone: refuses a verifier for a code that was requested without a challenge', () =>
    expectRefusedVerifier(gpt, {}, { code_verifier: verifier }));

  it.each([
    ['C5.2 challenge alone: a public client must send its verifier', app, {}],
    ['C5.2 challenge alone: a confidential client must send its verifier', server, {}],
    ['C5.2 challenge alone: ChatGPT must send a verifier if it sent a challenge', gpt, s256],
  ])('%s', (_, testClient, authorizationParameters) =>
    expectRefusedVerifier(testClient, authorizationParameters, { code_verifier: '' }),
  );

  it('C5.3 plain: refuses the method plain, explicit or implied', async () => {
    for (const query of [app.request, server.request, gptWithPkce]) {
      await expectErrorAtClient({ ...query, code_challenge_method: 'plain' }, unsupported);
      await expectErrorAtClient(
        { ...query, code_challenge_method: 'plain', code_challenge: verifier },
        unsupported,
      );
      await expectErrorAtClient(without(query, 'code_challenge_method'), unsupported);
      await expectErrorAtClient({ ...query, code_challenge_method: '' }, unsupported);
    }
  });

  it('C5.3 plain: refuses the challenge itself as a verifier', () =>
    expectRefusedVerifier(app, {}, { code_verifier: challenge }));

  it('C5.4 unknown method: refuses other methods and other spellings', async () => {
    for (const code_challenge_method of ['S512', 's256', 'S256 ', 'SHA256', 'none', 'S256,plain']) {
      for (const query of [app.request, gptWithPkce])
        await expectErrorAtClient({ ...query, code_challenge_method }, unsupported);
    }
  });

  it('C5.5 empty challenge: is not treated as absent', async () => {
    for (const query of [app.request, server.request, gptWithPkce]) {
      await expectErrorAtClient({ ...query, code_challenge: '' }, malformed);
      await expectErrorAtClient(without(query, 'code_challenge'), malformed);
      await expectErrorAtClient(
        { ...without(query, 'code_challenge_method'), code_challenge: '' },
        unsupported,
      );
    }
  });

  it('C5.5 empty challenge: a malformed challenge is not treated as absent', async () => {
    for (const malformedChallenge of [
      challenge.slice(1),
      `${challenge}A`,
      `${challenge}=`,
      challenge.replace('-', '+'),
      ' ',
    ])
      await expectErrorAtClient({ ...app.request, code_challenge: malformedChallenge }, malformed);
  });

  it.each([
    ['C5.6 42 characters: refuses a verifier that is too short', 42],
    ['C5.7 129 characters: refuses a verifier that is too long', 129],
  ])('%s, even if it fits the challenge', async (_, length) => {
    const code_verifier = 'v'.repeat(length);
    const authorizationParameters = { code_challenge: await challengeOf(code_verifier) };
    await expectRefusedVerifier(app, authorizationParameters, { code_verifier });
  });

  it('accepts a verifier of 43 to 128 characters of the whole alphabet', async () => {
    for (const length of [43, 128]) {
      const code_verifier = 'vV0~._-'.repeat(20).slice(0, length);
      const deployment = deploy();
      const code = await obtainCode(deployment, app, { code_challenge: await challengeOf(code_verifier) });
      expect((await redeem(deployment, app, code, { code_verifier })).status).toBe(200);
    }
  });

  it('C6.1 public client: gets no code without PKCE', async () => {
    const requestWithoutChallenge = without(app.request, 'code_challenge', 'code_challenge_method');
    await expectErrorAtClient(requestWithoutChallenge, missing);
    await expectErrorAtClient(
      { ...requestWithoutChallenge, client_id: 'native', redirect_uri: 'http://127.0.0.1/callback' },
      missing,
    );
    await expectErrorAtClient(without(server.request, 'code_challenge', 'code_challenge_method'), missing);
  });

  it('C7.1 ChatGPT: works without PKCE', async () => {
    const deployment = deploy();
    const code = await obtainCode(deployment, gpt);
    expect((await redeem(deployment, gpt, code)).status).toBe(200);
  });

  it('C7.2 ChatGPT: enforces PKCE if it is used', async () => {
    const deployment = deploy();
    const code = await obtainCode(deployment, gpt, s256);
    for (const tokenParameters of [{}, { code_verifier: 'w'.repeat(43) }]) {
      await expectTokenError(await redeem(deployment, gpt, code, tokenParameters), invalidCodeError);
      expect(deployment.log.at(-1)).toMatchObject({ reason: 'code.pkce' });
    }
    expect((await redeem(deployment, gpt, code, { code_verifier: verifier })).status).toBe(200);
  });

  // A client that cannot use PKCE, as LibreChat's Actions.
  const chatRedirect = 'https://chat.example/api/actions/a1/oauth/callback';
  const chatOptions: StaticClientOptions = {
    ...{ id: 'chat', name: 'Chat', scopes: ['words', 'score'], redirectUris: [chatRedirect] },
    ...{ secrets: [serverSecret], pkce: 'optional', offlineAccess: 'always' },
  };
  const chat: TestClient = {
    request: {
      ...without(server.request, 'code_challenge', 'code_challenge_method'),
      ...{ client_id: 'chat', redirect_uri: chatRedirect },
    },
    codeRequest: (code) => ({
      ...without(server.codeRequest(code), 'code_verifier'),
      ...{ client_id: 'chat', redirect_uri: chatRedirect },
    }),
    refreshRequest: (token) => ({ ...server.refreshRequest(token), client_id: 'chat' }),
  };
  const deployWithChat = (changes: Parameters<typeof deploy>[0] = {}) =>
    deploy({ clients: [...clients, staticClient(chatOptions)], ...changes });
  const otherResource = `${issuer}/other`;

  it('C11.1 optional PKCE: works without PKCE for the default resource, requested or not', async () => {
    for (const resource of ['', `${issuer}/api`, 'HTTPS://words.example:443/api']) {
      const deployment = deployWithChat();
      const code = await obtainCode(deployment, chat, { resource });
      const tokens = await expectTokens(await redeem(deployment, chat, code));
      await expectActive(deployment, chat, tokens);
    }
  });

  it.each([
    ['a static client', chat],
    ['ChatGPT', gpt],
  ])('C11.2 another resource: %s gets no code without PKCE', async (_, testClient) => {
    for (const resource of [otherResource, 'HTTPS://WORDS.example:443/other']) {
      const storage = createSpyStorage();
      const deployment = deployWithChat({ storage });
      const query: Readonly<Record<string, string>> = { ...testClient.request, resource };
      const { response } = await createTestBrowser(deployment).openSignInPage(query);
      const { redirect_uri: to = '', state = '' } = query;
      expectErrorRedirect(response, { to, state, error: 'invalid_request', description: missing });
      expect(storage.calls).toEqual([]);
      expect(deployment.log.at(-1)).toMatchObject({ reason: 'pkce.missing' });
      const code = await obtainCode(deployment, testClient, { resource, ...s256 });
      await expectTokens(await redeem(deployment, testClient, code, { code_verifier: verifier }));
    }
  });

  it.each([
    ['a static client', chat],
    ['ChatGPT', gpt],
  ])(
    'C11.3 another resource later: %s gets no token for it with a code without PKCE',
    async (_, testClient) => {
      const deployment = deployWithChat();
      const resource = otherResource;
      const code = await obtainCode(deployment, testClient);
      expect((await redeem(deployment, testClient, code, { resource })).status).toBe(400);
      expect(deployment.log.at(-1)).toMatchObject({ reason: 'code.resource' });
      const { refresh_token } = await expectTokens(await redeem(deployment, testClient, code));
      expect((await refresh(deployment, testClient, refresh_token, { resource })).status).toBe(400);
      expect((await refresh(deployment, testClient, refresh_token)).status).toBe(200);
    },
  );

  it('C11.4 downgrade: a challenge that was sent is enforced', async () => {
    const deployment = deployWithChat();
    const code = await obtainCode(deployment, chat, s256);
    for (const tokenParameters of [{}, { code_verifier: '' }, { code_verifier: 'w'.repeat(43) }]) {
      await expectTokenError(await redeem(deployment, chat, code, tokenParameters), invalidCodeError);
      expect(deployment.log.at(-1)).toMatchObject({ reason: 'code.pkce' });
    }
    expect((await redeem(deployment, chat, code, { code_verifier: verifier })).status).toBe(200);
    const withoutChallenge = await obtainCode(deployment, chat);
    await expectTokenError(
      await redeem(deployment, chat, withoutChallenge, { code_verifier: verifier }),
      invalidCodeError,
    );
  });

  it.each<[string, object]>([
    ['no secrets', { secrets: undefined }],
    ['a private-use scheme', { redirectUris: ['com.example.app:/callback'] }],
    ['a private-use scheme besides https', { redirectUris: [chatRedirect, 'com.example.app:/callback'] }],
    ['an unknown value', { pkce: 'none' }],
    ['null', { pkce: null }],
  ])('C11.5 client types: PKCE cannot be optional with %s', (_, changes) => {
    expect(() => staticClient(Object.assign({ ...chatOptions }, changes))).toThrow(
      expect.objectContaining({ name: 'ConfigurationError', option: 'clients.chat.pkce' }),
    );
  });

  it.each([
    ['http://localhost/callback'],
    ['http://127.0.0.1:3080/api/actions/a1/oauth/callback'],
    ['http://[::1]/callback'],
  ])(
    'C11.6 loopback: PKCE can be optional with the redirect URI %s only if the issuer is on loopback',
    (uri) => {
      const local = staticClient({ ...chatOptions, redirectUris: [chatRedirect, uri] });
      expect(() => deploy({ clients: [local] })).toThrow(
        expect.objectContaining({ name: 'ConfigurationError', option: 'clients.chat.redirectUris' }),
      );
      deploy({ clients: [local], issuer: 'http://localhost:8787', resources: ['http://localhost:8787'] });
      const withPkce = staticClient({ ...chatOptions, pkce: 'required', redirectUris: [chatRedirect, uri] });
      deploy({ clients: [withPkce] });
    },
  );
});
