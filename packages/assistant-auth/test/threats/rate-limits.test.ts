/** Brute force, the addresses that limits count, and limits for each user and grant. */
import { describe, expect, it } from 'vitest';
import {
  type BrokerStorage,
  ConfigurationError,
  defaultRateLimits,
  ProviderError,
  type RateLimitResult,
} from '../../src/index.ts';
import { memoryStorage } from '../../src/storage/memory.ts';
import {
  type AccountBrowser,
  createAccountBrowser,
  readButtonValues,
  readHiddenField,
} from '../account-browser.ts';
import {
  appRequest,
  callApi,
  createTestBrowser,
  expectTokens,
  gptRequest,
  readRedirect,
  requestTokens,
  serverRequest,
} from '../browser.ts';
import { app, gpt, obtainCode, obtainTokens, redeem, refresh, server, type TestClient } from '../clients.ts';
import { type Deployment, deploy, gptRedirect, highUserLimits, issuer } from '../deployment.ts';
import {
  expectErrorPage,
  expectTokenError,
  expectTransactionEnded,
  invalidClientError,
  invalidRefreshTokenError,
} from '../expect-error.ts';
import { createProvider } from '../fake-provider.ts';
import { createSpyStorage } from '../spy-storage.ts';
import { postForm } from '../token-requests.ts';
import {
  attacker,
  buildAddressHeaders,
  deployWithClientAddress,
  failedClientLimit,
  sendWrongSecret,
  sendWrongSecrets,
} from '../wrong-secrets.ts';

describe('brute force', () => {
  const tooManyFailures = {
    status: 429,
    error: 'temporarily_unavailable',
    error_description: 'Too many failed attempts. Try again in a minute.',
  };

  it('L1.1 brute force: responds to wrong secrets with a full 429 and Retry-After after the first few', async () => {
    const storage = createSpyStorage();
    const deployment = deployWithClientAddress({ storage });
    for (let attempt = 0; attempt < failedClientLimit; attempt++)
      await expectTokenError(
        await sendWrongSecret(deployment, 'gpt', buildAddressHeaders(attacker)),
        invalidClientError,
      );
    for (let attempt = 0; attempt < 3; attempt++)
      await expectTokenError(
        await sendWrongSecret(deployment, 'gpt', buildAddressHeaders(attacker)),
        tooManyFailures,
      );
    expect(deployment.log.at(-1)).toEqual({
      event: 'refused',
      endpoint: 'token',
      requestId: expect.any(String),
      reason: 'authentication.limited',
      clientId: 'gpt',
      cause: 'ProtocolError: authentication.secret',
    });
    expect(storage.calls).toEqual([]);
  });

  it('L1.1 brute force: counts each client and each address block separately', async () => {
    const deployment = deployWithClientAddress();
    await sendWrongSecrets(deployment, failedClientLimit + 1, 'gpt');
    expect((await sendWrongSecret(deployment, 'server', buildAddressHeaders(attacker))).status).toBe(401);
    expect((await sendWrongSecret(deployment, 'gpt', buildAddressHeaders('198.51.100.67'))).status).toBe(401);
    expect((await sendWrongSecret(deployment, 'gpt', buildAddressHeaders(attacker))).status).toBe(429);
  });

  it('L1.1 brute force: does not reveal whether a client exists', async () => {
    const deployment = deployWithClientAddress();
    for (const client of ['gpt', 'nobody', 'somebody', 'x'.repeat(5000)])
      expect(await sendWrongSecrets(deployment, failedClientLimit + 2, client)).toEqual({
        401: failedClientLimit,
        429: 2,
      });
  });

  it('L1.1 brute force: allows a few more after a while', async () => {
    const deployment = deployWithClientAddress();
    await sendWrongSecrets(deployment, failedClientLimit + 1, 'gpt');
    deployment.advance(30);
    expect(await sendWrongSecrets(deployment, failedClientLimit, 'gpt')).toEqual({
      401: failedClientLimit / 2,
      429: failedClientLimit / 2,
    });
  });

  it('L1.1 brute force: counts the same at every endpoint that accepts a secret', async () => {
    const deployment = deployWithClientAddress();
    const wrongCredentials = { client_id: 'gpt', client_secret: 'wrong-gpt', token: 'x' };
    for (const path of ['/revoke', '/introspect'] as const) {
      for (let attempt = 0; attempt < failedClientLimit / 2; attempt++)
        expect(
          (await postForm(deployment, path, wrongCredentials, buildAddressHeaders(attacker))).status,
        ).toBe(401);
    }
    for (const path of ['/revoke', '/introspect'] as const)
      await expectTokenError(
        await postForm(deployment, path, wrongCredentials, buildAddressHeaders(attacker)),
        tooManyFailures,
      );
    expect((await sendWrongSecret(deployment, 'gpt', buildAddressHeaders(attacker))).status).toBe(429);
  });

  it('L1.1 brute force: counts Basic like the form', async () => {
    const deployment = deployWithClientAddress();
    const basic = { authorization: `Basic ${btoa('gpt:wrong')}`, ...buildAddressHeaders(attacker) };
    await sendWrongSecrets(deployment, failedClientLimit, 'gpt');
    await expectTokenError(
      await requestTokens(deployment, { grant_type: 'refresh_token' }, basic),
      tooManyFailures,
    );
  });

  /** A deployment that records the keys that its limiters count by. */
  const deployWithRecordedKeys = () => {
    const counted: string[] = [];
    const take = async (key: string): Promise<RateLimitResult> => {
      counted.push(key);
      return 'allowed';
    };
    const limiter = { take };
    const limits = { failedAuthentications: limiter, pageRequests: limiter, refreshesPerGrant: limiter };
    return { counted, limiter, deployment: deployWithClientAddress({ limits }) };
  };

  // A body can have 16 KiB, and a limiter keeps 10,000 keys.
  const long = 'x'.repeat(16_000);
  const assertion = `e30.${btoa(JSON.stringify({ sub: long.slice(0, 10_000) }))}.x`.replace(/=+/g, '');

  it.each<[string, Readonly<Record<string, string>>, Readonly<Record<string, string>>]>([
    ['a secret in the form', { client_id: long, client_secret: 'x' }, {}],
    ['no secret', { client_id: long }, {}],
    ['a secret in Basic', {}, { authorization: `Basic ${btoa(`${long}:wrong`)}` }],
    ['an encoded ID in Basic', {}, { authorization: `Basic ${btoa(`${'%78'.repeat(4000)}:wrong`)}` }],
    [
      'an assertion',
      {
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        client_assertion: assertion,
      },
      {},
    ],
  ])(
    'L15.1 memory of the limits: a claimed client ID of 16 kB with %s is counted by a short key',
    async (_, form, headers) => {
      const { counted, deployment } = deployWithRecordedKeys();
      const withAddress = {
        ...headers,
        ...buildAddressHeaders('2001:db8:ffff:ffff:ffff:ffff:ffff:ffff%eth0'),
      };
      await requestTokens(deployment, { grant_type: 'refresh_token', ...form }, withAddress);
      for (const path of ['/revoke', '/introspect'] as const)
        await postForm(deployment, path, { token: 'x', ...form }, withAddress);
      expect(counted).toEqual(Array(3).fill(`2001:db8:ffff:ffff::/64 ${'x'.repeat(200)}`));
    },
  );

  it('L15.2 memory of the limits: an address is counted by a short key, or not at all', async () => {
    const { counted, deployment } = deployWithRecordedKeys();
    const addresses = [
      `fe80::1%${long}`,
      `${'0'.repeat(8000)}:db8::1`,
      `2001:db8::${'1:'.repeat(5000)}`,
      `${'1'.repeat(16_000)}.2.3.4`,
      '255.255.255.255',
      long,
    ];
    for (const address of addresses) {
      const headers = buildAddressHeaders(address);
      await deployment.fetch(
        new Request(`${issuer}/authorize?${new URLSearchParams(appRequest)}`, { headers }),
      );
      await sendWrongSecret(deployment, 'gpt', headers);
    }
    expect(counted.filter((key) => key.length > 50)).toEqual([]);
    expect(counted).toContain('255.255.255.255');
    expect(counted).toContain('anywhere gpt');
  });

  it('L15.3 memory of the limits: grants, security events and users are counted by short keys', async () => {
    const { counted, limiter, deployment } = deployWithRecordedKeys();
    const { access_token, refresh_token } = await obtainTokens(deployment, gpt);
    await refresh(deployment, gpt, refresh_token);
    const body = new URLSearchParams({ logout_token: long });
    for (const path of [`/logout/${long}`, '/logout/google'])
      await deployment.broker.handle(new Request(issuer + path, { method: 'POST', body }));
    const headers = { authorization: `Bearer ${access_token}` };
    await deployment.broker.protect(new Request(`${issuer}/api`, { headers }), { limiter });
    expect(counted.filter((key) => key.length > 50)).toEqual([]);
    // One for the grant, and one for the user.
    expect(counted).toHaveLength(2);
  });

  it('L13.4 unencoded secret: counts one failure, although two forms of the secret are compared', async () => {
    const deployment = deployWithClientAddress();
    const basic = { authorization: `Basic ${btoa('gpt:wrong%41')}`, ...buildAddressHeaders(attacker) };
    const statuses: number[] = [];
    for (let attempt = 0; attempt <= failedClientLimit; attempt++)
      statuses.push((await requestTokens(deployment, { grant_type: 'refresh_token' }, basic)).status);
    expect(statuses).toEqual([...Array(failedClientLimit).fill(401), 429]);
  });

  it('L1.1 brute force: counts only failed authentication', async () => {
    const deployment = deployWithClientAddress();
    const formWithWrongCode = {
      ...gpt.codeRequest('x'),
      ...gpt.refreshRequest('x'),
      grant_type: 'authorization_code',
    };
    for (let attempt = 0; attempt < 3 * failedClientLimit; attempt++)
      expect((await requestTokens(deployment, formWithWrongCode, buildAddressHeaders(attacker))).status).toBe(
        400,
      );
    expect((await sendWrongSecret(deployment, 'gpt', buildAddressHeaders(attacker))).status).toBe(401);
  });

  it('L1.1 brute force: requests without a known address share one limit', async () => {
    const deployment = deploy();
    expect(
      await sendWrongSecrets(deployment, failedClientLimit + 5, 'gpt', (attempt) => `198.51.100.${attempt}`),
    ).toEqual({
      401: failedClientLimit,
      429: 5,
    });
  });

  it('L1.1 brute force: never refuses the right secret, even if the limiter refuses everything', async () => {
    const limited = { take: async () => 'limited' as const };
    const deployment = deployWithClientAddress({ limits: { failedAuthentications: limited } });
    const tokens = await obtainTokens(deployment, gpt);
    expect((await refresh(deployment, gpt, tokens.refresh_token)).status).toBe(200);
    await expectTokenError(
      await sendWrongSecret(deployment, 'gpt', buildAddressHeaders(attacker)),
      tooManyFailures,
    );
  });

  // From the address ranges that OpenAI and Anthropic publish for requests from ChatGPT and Claude.
  const chatGptAddress = '23.102.140.113';
  const claudeAddress = '160.79.104.10';

  it.each<[source: string, count: number, addressOf: (attempt: number) => string]>([
    ['from another address', 10_000, (attempt) => `198.51.${attempt >> 8}.${attempt & 255}`],
    ['from ChatGPT’s own address', 10_000, () => chatGptAddress],
    ['from the addresses around it', 1000, (attempt) => `23.102.140.${112 + (attempt % 16)}`],
  ])('W5.3 shared egress: wrong secrets %s, %d of them, do not lock out users of ChatGPT', async (...row) => {
    const [, count, addressOf] = row;
    const deployment = deployWithClientAddress();
    const code = await obtainCode(deployment, gpt);
    const { 401: unlimited = 0, 429: limited = 0 } = await sendWrongSecrets(
      deployment,
      count,
      'gpt',
      addressOf,
    );
    expect(unlimited + limited).toBe(count);
    const exchange = await requestTokens(
      deployment,
      gpt.codeRequest(code),
      buildAddressHeaders(chatGptAddress),
    );
    const { access_token, refresh_token } = await expectTokens(exchange);
    const refreshed = await requestTokens(
      deployment,
      gpt.refreshRequest(refresh_token),
      buildAddressHeaders(chatGptAddress),
    );
    expect(refreshed.status).toBe(200);
    expect((await callApi(deployment, access_token)).ok).toBe(true);
  });

  it.each<[string, TestClient]>([
    ['a public client', app],
    ['a confidential client', server],
  ])(
    'W5.3 shared egress: wrong secrets from Claude’s own address do not lock out its users: %s',
    async (_, testClient) => {
      const deployment = deployWithClientAddress();
      const code = await obtainCode(deployment, testClient);
      const { client_id = '' } = testClient.codeRequest(code);
      await sendWrongSecrets(deployment, 1000, client_id, () => claudeAddress);
      const { refresh_token } = await expectTokens(
        await requestTokens(deployment, testClient.codeRequest(code), buildAddressHeaders(claudeAddress)),
      );
      expect(
        (
          await requestTokens(
            deployment,
            testClient.refreshRequest(refresh_token),
            buildAddressHeaders(claudeAddress),
          )
        ).status,
      ).toBe(200);
    },
  );

  it('W5.3 shared egress: all users behind one address get and refresh tokens without a limit', async () => {
    const deployment = deployWithClientAddress({ limits: highUserLimits });
    for (let browser = 0; browser < 200; browser++) {
      const exchange = await requestTokens(
        deployment,
        gpt.codeRequest(await obtainCode(deployment, gpt)),
        buildAddressHeaders(chatGptAddress),
      );
      const { refresh_token } = await expectTokens(exchange);
      for (let attempt = 0; attempt < 3; attempt++) {
        const refreshed = await requestTokens(
          deployment,
          gpt.refreshRequest(refresh_token),
          buildAddressHeaders(chatGptAddress),
        );
        expect(refreshed.status).toBe(200);
      }
    }
  });

  it('W5.3 shared egress: redeems a code although the address can start no more sign-ins', async () => {
    const pageRequests = { take: async () => 'limited' as const };
    const deployment = deployWithClientAddress({ limits: { pageRequests } });
    const code = await obtainCode(deployment, gpt);
    expect(
      (await createTestBrowser(deployment, buildAddressHeaders(chatGptAddress)).openSignInPage(gptRequest))
        .response.status,
    ).toBe(429);
    expect(
      (await requestTokens(deployment, gpt.codeRequest(code), buildAddressHeaders(chatGptAddress))).status,
    ).toBe(200);
  });
});

describe('the address that a limit counts', () => {
  const signInPage = (deployment: Deployment, headers: Readonly<Record<string, string>>) =>
    deployment.fetch(new Request(`${issuer}/authorize?${new URLSearchParams(gptRequest)}`, { headers }));
  const signInLimit = defaultRateLimits.pageRequests.limit;

  /** Uses up the sign-in limit of an address block. */
  const useUpLimit = async (deployment: Deployment, addressOf: (attempt: number) => string) => {
    for (let attempt = 0; attempt < signInLimit; attempt++)
      expect((await signInPage(deployment, buildAddressHeaders(addressOf(attempt)))).status).toBe(200);
  };

  const expectTooMany = async (response: Response, deployment: Deployment, reason = 'address.limited') => {
    await expectErrorPage(
      response,
      deployment,
      'Too many sign-ins from your network. Try again in a minute.',
      429,
    );
    expect(deployment.log.at(-1)).toMatchObject({ event: 'refused', reason });
  };

  it('W5.1 IPv6 by /64: counts all addresses of a /64 as one, and no others', async () => {
    const deployment = deployWithClientAddress();
    const buildAddress = (attempt: number) =>
      `2001:db8:1:2:${attempt.toString(16)}:ffff::${attempt.toString(16)}`;
    await useUpLimit(deployment, buildAddress);
    await expectTooMany(await signInPage(deployment, buildAddressHeaders(buildAddress(0xfffe))), deployment);
    await expectTooMany(await signInPage(deployment, buildAddressHeaders('2001:0DB8:1:2::')), deployment);
    expect((await signInPage(deployment, buildAddressHeaders('2001:db8:1:3::1'))).status).toBe(200);
    expect((await signInPage(deployment, buildAddressHeaders('2001:db8::1:2:0:1'))).status).toBe(200);
  });

  it('W5.1 IPv6 by /64: counts wrong secrets of a /64 as one', async () => {
    const deployment = deployWithClientAddress();
    const buildAddress = (attempt: number) => `2001:db8:1:2::${attempt.toString(16)}`;
    expect(await sendWrongSecrets(deployment, failedClientLimit + 5, 'gpt', buildAddress)).toEqual({
      401: failedClientLimit,
      429: 5,
    });
    expect((await sendWrongSecret(deployment, 'gpt', buildAddressHeaders('2001:db8:1:3::1'))).status).toBe(
      401,
    );
  });

  it('W5.1 IPv6 by /64: counts each IPv4 address separately, even if it is written as IPv6', async () => {
    const deployment = deployWithClientAddress();
    await useUpLimit(deployment, (attempt) => (attempt % 2 === 0 ? '203.0.113.7' : '::ffff:203.0.113.7'));
    await expectTooMany(await signInPage(deployment, buildAddressHeaders('203.0.113.7')), deployment);
    expect((await signInPage(deployment, buildAddressHeaders('203.0.113.8'))).status).toBe(200);
  });

  const forgedNames = [
    'x-forwarded-for',
    'forwarded',
    'x-real-ip',
    'true-client-ip',
    'x-client-ip',
    'cf-connecting-ipv6',
    'cf-pseudo-ipv4',
    'fastly-client-ip',
    'via',
  ];

  it('W5.2 only the platform’s own header: no other header changes what is counted', async () => {
    const deployment = deployWithClientAddress();
    const forgeHeaders = (attempt: number) =>
      Object.fromEntries(forgedNames.map((name) => [name, `192.0.2.${attempt % 250}`]));
    for (let attempt = 0; attempt < signInLimit; attempt++)
      await signInPage(deployment, { ...forgeHeaders(attempt), ...buildAddressHeaders(attacker) });
    await expectTooMany(
      await signInPage(deployment, { ...forgeHeaders(1), ...buildAddressHeaders(attacker) }),
      deployment,
    );
    for (let attempt = 0; attempt <= failedClientLimit; attempt++)
      await sendWrongSecret(deployment, 'gpt', {
        ...forgeHeaders(attempt),
        ...buildAddressHeaders(attacker),
      });
    expect(
      (await sendWrongSecret(deployment, 'gpt', { ...forgeHeaders(99), ...buildAddressHeaders(attacker) }))
        .status,
    ).toBe(429);
  });

  it('W5.2 only the platform’s own header: a forged address uses up no other user’s allowance', async () => {
    const deployment = deployWithClientAddress();
    const victimAddress = '203.0.113.7';
    for (let attempt = 0; attempt <= signInLimit; attempt++)
      await signInPage(deployment, {
        ...buildAddressHeaders(attacker),
        'x-forwarded-for': victimAddress,
        forwarded: `for=${victimAddress}`,
      });
    expect((await signInPage(deployment, buildAddressHeaders(victimAddress))).status).toBe(200);
  });

  it('W5.2 only the platform’s own header: reads no header unless one is configured', async () => {
    const deployment = deploy();
    for (let attempt = 0; attempt <= signInLimit; attempt++)
      expect(
        (await signInPage(deployment, { ...buildAddressHeaders(attacker), 'x-forwarded-for': attacker }))
          .status,
      ).toBe(200);
  });

  it('W5.2 only the platform’s own header: a malformed address causes no limit', async () => {
    const deployment = deployWithClientAddress();
    for (let attempt = 0; attempt <= signInLimit; attempt++)
      expect((await signInPage(deployment, buildAddressHeaders('unknown'))).status).toBe(200);
  });

  it('limits every step of a sign-in in a browser, and allows it again later', async () => {
    let result: RateLimitResult = 'allowed';
    const limiter = { take: async () => result };
    const deployment = deployWithClientAddress({
      limits: { pageRequests: limiter, requestsPerSignIn: limiter },
    });
    const browser = createTestBrowser(deployment, buildAddressHeaders('203.0.113.7'));
    const expectLimitedOnce = async (
      step: () => Promise<Response>,
      reason = 'sign-in.limited',
    ): Promise<Response> => {
      result = 'limited';
      const response = await step();
      expect(response.headers.getSetCookie()).toEqual([]);
      await expectTooMany(response, deployment, reason);
      result = 'allowed';
      return step();
    };
    const response = await expectLimitedOnce(
      async () => (await browser.openSignInPage(gptRequest)).response,
      'address.limited',
    );
    expect(response.status).toBe(200);
    const { consent } = await browser.openSignInPage(gptRequest);
    const consentResponse = await expectLimitedOnce(() =>
      browser.submitConsent(consent, { choice: 'google' }),
    );
    const state = readRedirect(consentResponse).searchParams.get('state') ?? '';
    const callbackUrl = `${issuer}/callback/google?${new URLSearchParams({ state, code: 'subject-1' })}`;
    expect(
      readRedirect(await expectLimitedOnce(() => browser.visit(callbackUrl))).searchParams.has('code'),
    ).toBe(true);
  });
});

describe('limits of a user and of a grant', () => {
  const tooManySignIns = 'Too many sign-ins to this account. Try again in a few minutes.';
  const tooManyRefreshes = {
    status: 429,
    error: 'temporarily_unavailable',
    error_description: 'Too many requests for this grant. Try again in a minute.',
  };

  /**
   * A page with status 429 that redirects nowhere and sets no cookie; at the callback, it ends the login
   * transaction.
   */
  const expectLimited = async (response: Response, deployment: Deployment, retryAfter: number) => {
    const isCallback = deployment.log.at(-1)?.endpoint === 'callback';
    expect(response.status).toBe(429);
    expect(response.headers.get('retry-after')).toBe(`${retryAfter}`);
    expect(response.headers.has('location')).toBe(false);
    if (isCallback) expectTransactionEnded(response);
    expect(response.headers.getSetCookie()).toEqual([]);
    const html = await response.text();
    expect(html).toContain('<h1>Too many sign-ins</h1>');
    expect(html).toContain(tooManySignIns);
    expect(deployment.log.at(-1)).toMatchObject({ event: 'refused', reason: 'user.limited' });
  };

  const listGrants = async (deployment: Deployment, subject = 'ada') => {
    const userId = await deployment.storage.findUser({ provider: 'google', subject });
    return (await deployment.storage.readAccount(userId ?? ''))?.grants ?? [];
  };

  /** Ada is signed in at the account page, and a client's sign-in page offers to continue in that session. */
  const openConsentPage = async (deployment: Deployment) => {
    const ada = createAccountBrowser(deployment);
    await ada.signInToAccount('ada', 'google', { refresh: 'r-1' });
    const { response, consent } = await ada.openSignInPage(gptRequest);
    expect(readButtonValues(await response.text(), 'choice')).toContain('continue');
    return { ada, submit: () => ada.submitConsent(consent, { choice: 'continue' }) };
  };

  /** Opens a client's sign-in page, signs in at the provider, and returns the response of the callback. */
  const signInAt = async (
    accountBrowser: AccountBrowser,
    request: Readonly<Record<string, string>> = gptRequest,
    code = 'ada',
  ) => {
    const { consent } = await accountBrowser.openSignInPage(request);
    const state = readRedirect(
      await accountBrowser.submitConsent(consent, { choice: 'google' }),
    ).searchParams.get('state');
    return accountBrowser.visit(
      `${issuer}/callback/google?${new URLSearchParams({ state: state ?? '', code })}`,
    );
  };

  describe('sign-ins of a user', () => {
    it('W18.1 sign-ins of a user: the same consent form submitted 120 times creates at most 20 grants', async () => {
      const deployment = deploy();
      const { submit } = await openConsentPage(deployment);
      const statuses: number[] = [];
      for (let attempt = 0; attempt < 120; attempt++) statuses.push((await submit()).status);
      // The session at the account page is counted separately.
      expect(statuses).toEqual([...Array(20).fill(303), ...Array(100).fill(429)]);
      expect(await listGrants(deployment)).toHaveLength(21);
      await expectLimited(await submit(), deployment, 600);
    });

    it('W18.1 sign-ins of a user: 120 submissions at the same moment create at most 20 grants', async () => {
      const deployment = deploy();
      const { submit } = await openConsentPage(deployment);
      const responses = await Promise.all(Array.from({ length: 120 }, submit));
      expect(responses.filter(({ status }) => status === 303)).toHaveLength(20);
      expect(responses.filter(({ status }) => status === 429)).toHaveLength(100);
      expect(await listGrants(deployment)).toHaveLength(21);
    });

    it('W18.1 sign-ins of a user: someone with a stolen session cannot keep its owner from signing in', async () => {
      const deployment = deploy();
      const { submit } = await openConsentPage(deployment);
      const owner = createAccountBrowser(deployment);
      for (let minute = 0; minute < 25; minute++) {
        deployment.advance(60);
        for (let attempt = 0; attempt < 3; attempt++) await submit();
      }
      expect((await submit()).status).toBe(429);
      expect((await owner.signInToAccount()).status).toBe(303);
      await owner.post('/apps/disconnect', { all: '1' });
      deployment.advance(1);
      // The session was revoked, so the form shows the sign-in page again.
      expect((await submit()).status).toBe(200);
    });

    it('W18.1 sign-ins of a user: sign-ins at all clients and in all browsers count together', async () => {
      const deployment = deploy();
      const requests = [gptRequest, { ...appRequest, scope: 'words' }, serverRequest];
      for (let attempt = 0; attempt < 18; attempt++)
        expect((await signInAt(createAccountBrowser(deployment), requests[attempt % 3])).status).toBe(303);
      const ada = createAccountBrowser(deployment);
      for (let attempt = 0; attempt < 2; attempt++) expect((await ada.signInToAccount()).status).toBe(303);
      await expectLimited(await signInAt(createAccountBrowser(deployment)), deployment, 600);
      await expectLimited(await ada.signInToAccount(), deployment, 600);
      await expectLimited(await ada.reauthenticate(), deployment, 600);
      expect((await ada.openAccountPage()).kind).toBe('account');
      expect(
        readRedirect(await signInAt(createAccountBrowser(deployment), gptRequest, 'bob')).href,
      ).toContain(gptRedirect);
    });

    it('W18.1 sign-ins of a user: all identities of a user ID from the publisher count together', async () => {
      const deployment = deploy({
        resolveUser: async () => ({ kind: 'accepted', userId: 'their-7' }),
        limits: { signInsPerUser: { limit: 2, period: 60 } },
      });
      for (const subject of ['ada', 'bob'])
        expect((await signInAt(createAccountBrowser(deployment), gptRequest, subject)).status).toBe(303);
      await expectLimited(
        await signInAt(createAccountBrowser(deployment), gptRequest, 'eve'),
        deployment,
        60,
      );
      expect(await deployment.storage.findUser({ provider: 'google', subject: 'eve' })).toBeUndefined();
    });

    it('W18.2 nothing is consumed: the refused form works after the time in Retry-After', async () => {
      const deployment = deploy({ limits: { signInsPerUser: { limit: 3, period: 300 } } });
      const { ada, submit } = await openConsentPage(deployment);
      deployment.advance(100);
      for (const status of [303, 303, 303, 429]) expect((await submit()).status).toBe(status);
      await expectLimited(await submit(), deployment, 300);
      deployment.advance(300);
      const code = readRedirect(await submit()).searchParams.get('code') ?? '';
      expect((await redeem(deployment, gpt, code)).status).toBe(200);
      expect((await ada.openAccountPage()).kind).toBe('account');
    });

    it('W18.2 nothing is consumed: a refused callback stores no grant, and a reload does not redirect to the client', async () => {
      const storage = createSpyStorage();
      const deployment = deploy({ storage, limits: { signInsPerUser: { limit: 1, period: 300 } } });
      await obtainTokens(deployment, app);
      const accountBrowser = createAccountBrowser(deployment);
      const { consent } = await accountBrowser.openSignInPage(gptRequest);
      const state = readRedirect(
        await accountBrowser.submitConsent(consent, { choice: 'google' }),
      ).searchParams.get('state');
      const query = new URLSearchParams({ state: state ?? '', code: 'subject-1', refresh: 'new' });
      const url = `${issuer}/callback/google?${query}`;
      await expectLimited(await accountBrowser.visit(url), deployment, 300);
      expect(await listGrants(deployment, 'subject-1')).toHaveLength(1);
      const reloaded = await accountBrowser.visit(url);
      expect([reloaded.status, reloaded.headers.get('location')]).toEqual([429, null]);
      deployment.advance(300);
      expect(
        readRedirect(await signInAt(accountBrowser, gptRequest, 'subject-1')).searchParams.has('code'),
      ).toBe(true);
    });

    it('W18.2 nothing is consumed: a refused callback that arrives several times at once does not redirect to the client', async () => {
      const usedStates = new Set<string>();
      const google = createProvider('google', 'Google');
      const singleUseProvider: typeof google = {
        ...google,
        handleCallback: (callbackUrl, ...rest) => {
          const state = callbackUrl.searchParams.get('state') ?? '';
          if (usedStates.has(state)) throw new ProviderError('invalid', 'the code was used');
          usedStates.add(state);
          return google.handleCallback(callbackUrl, ...rest);
        },
      };
      const deployment = deploy({
        providers: [singleUseProvider],
        limits: { signInsPerUser: { limit: 1, period: 300 } },
      });
      await obtainTokens(deployment, app);
      const accountBrowser = createAccountBrowser(deployment);
      const { consent } = await accountBrowser.openSignInPage(gptRequest);
      const state = readRedirect(
        await accountBrowser.submitConsent(consent, { choice: 'google' }),
      ).searchParams.get('state');
      const url = `${issuer}/callback/google?${new URLSearchParams({ state: state ?? '', code: 'subject-1' })}`;
      const responses = await Promise.all([
        accountBrowser.visit(url),
        accountBrowser.visit(url),
        accountBrowser.visit(url),
      ]);
      for (const { status, headers } of responses)
        expect([status, headers.get('location'), headers.get('retry-after')]).toEqual([429, null, '300']);
    });

    it.each([
      { limit: 0, period: 600 },
      { limit: 1.5, period: 600 },
      { limit: Number.NaN, period: 600 },
      { limit: 20, period: 0 },
      { limit: 20, period: 3601 },
      { limit: 20, period: 0.5 },
      { limit: 20, period: Number.POSITIVE_INFINITY },
    ])('W18.1 sign-ins of a user: the broker does not start with the option %j', (signInsPerUser) => {
      const starting = () => deploy({ limits: { signInsPerUser } });
      expect(starting).toThrow(ConfigurationError);
      expect(starting).toThrow('limits.signInsPerUser must have a limit of at least 1');
    });
  });

  const refreshOften = async (
    deployment: Deployment,
    testClient: TestClient,
    token: string,
    count: number,
  ) => {
    const responses = await Promise.all(
      Array.from({ length: count }, () => refresh(deployment, testClient, token)),
    );
    return responses.map(({ status }) => status).toSorted();
  };

  describe('refreshes of a grant', () => {
    it.each([
      ['ChatGPT', gpt],
      ['a public client', app],
      ['a confidential client', server],
    ] as const)(
      'W18.3 refreshes of a grant: of 400 requests at once by %s, 30 succeed',
      async (_, testClient) => {
        const storage = createSpyStorage();
        const deployment = deploy({ storage });
        const { refresh_token } = await obtainTokens(deployment, testClient);
        const statuses = await refreshOften(deployment, testClient, refresh_token, 400);
        expect(statuses).toEqual([...Array(30).fill(200), ...Array(370).fill(429)]);
        expect(storage.calls.filter((name) => name === 'refresh')).toHaveLength(30);
        await expectTokenError(await refresh(deployment, testClient, refresh_token), tooManyRefreshes);
        expect(deployment.log.at(-1)).toMatchObject({ event: 'refused', reason: 'refresh.limited' });
      },
    );

    it('W18.3 refreshes of a grant: requests one after the other, each with the newest token, count as well', async () => {
      const deployment = deploy();
      let { refresh_token, access_token } = await obtainTokens(deployment, app);
      for (let attempt = 0; attempt < 30; attempt++)
        ({ refresh_token, access_token } = await expectTokens(await refresh(deployment, app, refresh_token)));
      await expectTokenError(await refresh(deployment, app, refresh_token), tooManyRefreshes);
      expect((await callApi(deployment, access_token)).ok).toBe(true);
      // The refused token was not consumed: it is still the current one.
      deployment.advance(60);
      expect((await refresh(deployment, app, refresh_token)).status).toBe(200);
    });

    it('W18.3 refreshes of a grant: other grants, even of the same user, are not affected', async () => {
      const deployment = deploy();
      const firstTokens = await obtainTokens(deployment, app);
      const otherTokens = await obtainTokens(deployment, app);
      await refreshOften(deployment, app, firstTokens.refresh_token, 40);
      expect((await refresh(deployment, app, firstTokens.refresh_token)).status).toBe(429);
      expect((await refresh(deployment, app, otherTokens.refresh_token)).status).toBe(200);
    });

    it('W18.3 refreshes of a grant: requests without a valid refresh token of the grant do not count', async () => {
      const keys: string[] = [];
      const take = async (key: string) => {
        keys.push(key);
        return 'allowed' as const;
      };
      const deployment = deploy({ limits: { refreshesPerGrant: { take } } });
      const { refresh_token } = await obtainTokens(deployment, app);
      const { access_token } = await obtainTokens(deployment, server);
      for (const token of ['x', access_token, `${refresh_token}x`, ''])
        expect((await refresh(deployment, app, token)).status).toBe(400);
      expect((await refresh(deployment, server, refresh_token)).status).toBe(400);
      expect(
        (await refresh(deployment, app, refresh_token, { resource: 'https://other.example' })).status,
      ).toBe(400);
      expect(keys).toEqual([]);
      expect((await refresh(deployment, app, refresh_token)).status).toBe(200);
      expect(keys).toHaveLength(1);
    });

    it.each(['recover', 'revoke'] as const)(
      'W18.6 theft at the limit: a replaced token revokes the grant although the attacker uses up its limit (%s)',
      async (lateRefresh) => {
        const deployment = deploy({ lateRefresh });
        const { refresh_token: stolen } = await obtainTokens(deployment, app);
        let { refresh_token, access_token } = await expectTokens(await refresh(deployment, app, stolen));
        for (let second = 0; second < 300; second++) {
          deployment.advance(1);
          const response = await refresh(deployment, app, refresh_token);
          if (response.status === 200) ({ refresh_token, access_token } = await expectTokens(response));
        }
        await refreshOften(deployment, app, refresh_token, 61);
        expect((await refresh(deployment, app, refresh_token)).status).toBe(429);
        await expectTokenError(await refresh(deployment, app, stolen), invalidRefreshTokenError);
        expect(deployment.log.at(-1)).toMatchObject({ reason: 'refresh.reused' });
        deployment.advance(10);
        expect((await callApi(deployment, access_token)).ok).toBe(false);
      },
    );

    it('W18.3 refreshes of a grant: beyond the limit, a revoked grant is refused as revoked', async () => {
      const deployment = deploy();
      const { refresh_token } = await obtainTokens(deployment, gpt);
      await refreshOften(deployment, gpt, refresh_token, 31);
      await deployment.storage.revoke({ kind: 'client', id: 'gpt' }, 'a test', deployment.now());
      await expectTokenError(await refresh(deployment, gpt, refresh_token), {
        ...invalidRefreshTokenError,
        status: 401,
      });
    });

    it('W18.3 refreshes of a grant: a limiter that fails refuses no request', async () => {
      const refreshesPerGrant = { take: () => Promise.reject(new Error('out of order')) };
      const deployment = deploy({ limits: { refreshesPerGrant } });
      const { refresh_token } = await obtainTokens(deployment, app);
      expect((await refresh(deployment, app, refresh_token)).status).toBe(200);
      expect(deployment.log).toContainEqual(expect.objectContaining({ event: 'limiter-failed' }));
    });
  });

  describe('grants of a user', () => {
    it('W18.4 active grants of a user: the 201st ends the least recently used one', async () => {
      const deployment = deploy({ limits: highUserLimits });
      const first = await obtainTokens(deployment, app);
      const second = await obtainTokens(deployment, server);
      deployment.advance(1);
      await refresh(deployment, app, first.refresh_token);
      const accountBrowser = createAccountBrowser(deployment);
      for (let attempt = 0; attempt < 3; attempt++) await accountBrowser.signInToAccount('subject-1');
      for (let attempt = 0; attempt < 198; attempt++) await obtainCode(deployment, gpt);
      expect((await callApi(deployment, second.access_token)).ok).toBe(true);
      await obtainCode(deployment, gpt);
      deployment.advance(10);
      expect((await callApi(deployment, second.access_token)).ok).toBe(false);
      expect((await refresh(deployment, server, second.refresh_token)).status).toBe(400);
      expect((await callApi(deployment, first.access_token)).ok).toBe(true);
      expect((await accountBrowser.openAccountPage()).kind).toBe('account');
    });

    it('W18.5 revocations of a user: an account that is deleted repeatedly leaves one revocation each time', async () => {
      const storage = memoryStorage();
      const deployment = deploy({ storage, limits: highUserLimits });
      for (let attempt = 0; attempt < 3; attempt++) {
        const accountBrowser = createAccountBrowser(deployment);
        await accountBrowser.signInToAccount('subject-1');
        for (let grant = 0; grant < 10; grant++) {
          const { refresh_token } = await obtainTokens(deployment, app);
          const body = new URLSearchParams({ client_id: 'app', token: refresh_token });
          await deployment.fetch(new Request(`${issuer}/revoke`, { method: 'POST', body }));
        }
        deployment.advance(1);
        expect((await accountBrowser.post('/delete', { confirm: 'yes' })).status).toBe(303);
      }
      const page = await storage.readRevocations(undefined, deployment.now(), 100);
      expect(page.kind === 'page' && page.revocations.map(({ kind }) => kind)).toEqual(Array(3).fill('user'));
    });

    it('W18.5 revocations of a user: ending 120 grants appends only one revocation', async () => {
      const storage = memoryStorage();
      const pages: number[] = [];
      const readRevocations: BrokerStorage['readRevocations'] = async (...args) => {
        const page = await storage.readRevocations(...args);
        if (page.kind === 'page') pages.push(page.revocations.length);
        return page;
      };
      const deployment = deploy({ storage: { ...storage, readRevocations }, limits: highUserLimits });
      const tokens: string[] = [];
      for (let attempt = 0; attempt < 120; attempt++)
        tokens.push((await obtainTokens(deployment, app)).access_token);
      const accountBrowser = createAccountBrowser(deployment);
      await accountBrowser.signInToAccount('subject-1');
      deployment.advance(1);
      expect((await accountBrowser.post('/apps/disconnect', { all: '1' })).status).toBe(303);
      deployment.advance(10);
      for (const token of tokens) expect((await callApi(deployment, token)).ok).toBe(false);
      expect(Math.max(...pages)).toBe(1);
      // A sign-in afterwards is not affected.
      const { access_token } = await obtainTokens(deployment, app);
      expect((await callApi(deployment, access_token)).ok).toBe(true);
    });
  });

  it('W18.1 sign-ins of a user: the sign-in page still opens after the limit was reached', async () => {
    const deployment = deploy({ limits: { signInsPerUser: { limit: 1, period: 600 } } });
    await obtainTokens(deployment, app);
    const accountBrowser = createAccountBrowser(deployment);
    const { response } = await accountBrowser.openSignInPage(gptRequest);
    expect(response.status).toBe(200);
    expect(readHiddenField(await response.text(), 'consent')).not.toBe('');
  });
});
