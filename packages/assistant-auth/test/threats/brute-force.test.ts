import { describe, expect, it } from 'vitest';
import { callApi, createTestBrowser, expectTokens, gptRequest, requestTokens } from '../browser.ts';
import { app, gpt, obtainCode, obtainTokens, refresh, server, type TestClient } from '../clients.ts';
import { deploy, highUserLimits } from '../deployment.ts';
import { expectTokenError, invalidClientError } from '../expect-error.ts';
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

const tooManyFailures = {
  status: 429,
  error: 'temporarily_unavailable',
  error_description: 'Too many failed attempts. Try again in a minute.',
};
describe('L1', () => {
  it('L1.1 brute force: answers wrong secrets 429 after the first few, whole and with Retry-After', async () => {
    const storage = createSpyStorage();
    const deployment = deployWithClientAddress({ storage });
    for (let turn = 0; turn < failedClientLimit; turn++)
      await expectTokenError(
        await sendWrongSecret(deployment, 'gpt', buildAddressHeaders(attacker)),
        invalidClientError,
      );
    for (let turn = 0; turn < 3; turn++)
      await expectTokenError(
        await sendWrongSecret(deployment, 'gpt', buildAddressHeaders(attacker)),
        tooManyFailures,
      );
    expect(deployment.log.at(-1)).toEqual({
      event: 'refused',
      endpoint: 'token',
      requestId: expect.any(String),
      reason: 'authentication.limited',
      cause: 'ProtocolError: authentication.secret',
    });
    expect(storage.calls).toEqual([]);
  });

  it('L1.1 brute force: counts each client and each address block by itself', async () => {
    const deployment = deployWithClientAddress();
    await sendWrongSecrets(deployment, failedClientLimit + 1, 'gpt');
    expect((await sendWrongSecret(deployment, 'server', buildAddressHeaders(attacker))).status).toBe(401);
    expect((await sendWrongSecret(deployment, 'gpt', buildAddressHeaders('198.51.100.67'))).status).toBe(401);
    expect((await sendWrongSecret(deployment, 'gpt', buildAddressHeaders(attacker))).status).toBe(429);
  });

  it('L1.1 brute force: tells by no count whether a client exists', async () => {
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

  it('L1.1 brute force: counts alike wherever a secret can be tried', async () => {
    const deployment = deployWithClientAddress();
    const wrong = { client_id: 'gpt', client_secret: 'wrong-gpt', token: 'x' };
    for (const path of ['/revoke', '/introspect'] as const) {
      for (let turn = 0; turn < failedClientLimit / 2; turn++)
        expect((await postForm(deployment, path, wrong, buildAddressHeaders(attacker))).status).toBe(401);
    }
    for (const path of ['/revoke', '/introspect'] as const)
      await expectTokenError(
        await postForm(deployment, path, wrong, buildAddressHeaders(attacker)),
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

  it('L1.1 brute force: counts nothing but failed authentication', async () => {
    const deployment = deployWithClientAddress();
    const wrongCode = {
      ...gpt.codeRequest('x'),
      ...gpt.refreshRequest('x'),
      grant_type: 'authorization_code',
    };
    for (let turn = 0; turn < 3 * failedClientLimit; turn++)
      expect((await requestTokens(deployment, wrongCode, buildAddressHeaders(attacker))).status).toBe(400);
    expect((await sendWrongSecret(deployment, 'gpt', buildAddressHeaders(attacker))).status).toBe(401);
  });

  it('L1.1 brute force: is limited together where no address is known', async () => {
    const deployment = deploy();
    expect(
      await sendWrongSecrets(deployment, failedClientLimit + 5, 'gpt', (turn) => `198.51.100.${turn}`),
    ).toEqual({
      401: failedClientLimit,
      429: 5,
    });
  });

  it('L1.1 brute force: never shuts out the right secret, also if the limiter says no to all', async () => {
    const limited = { take: async () => 'limited' as const };
    const deployment = deployWithClientAddress({ limits: { failedAuthentications: limited } });
    const tokens = await obtainTokens(deployment, gpt);
    expect((await refresh(deployment, gpt, tokens.refresh_token)).status).toBe(200);
    await expectTokenError(
      await sendWrongSecret(deployment, 'gpt', buildAddressHeaders(attacker)),
      tooManyFailures,
    );
  });
});

describe('W5', () => {
  // Out of the ranges that OpenAI and Anthropic publish for requests of ChatGPT and Claude.
  const chatGpt = '23.102.140.113';
  const claude = '160.79.104.10';

  it.each<[where: string, times: number, addressOf: (turn: number) => string]>([
    ['from elsewhere', 10_000, (turn) => `198.51.${turn >> 8}.${turn & 255}`],
    ['from ChatGPT’s own address', 10_000, () => chatGpt],
    ['from the addresses around it', 1000, (turn) => `23.102.140.${112 + (turn % 16)}`],
  ])('W5.3 shared egress: wrong secrets %s, %d of them, lock no user of ChatGPT out', async (...row) => {
    const [, times, addressOf] = row;
    const deployment = deployWithClientAddress();
    const code = await obtainCode(deployment, gpt);
    const { 401: unlimited = 0, 429: limited = 0 } = await sendWrongSecrets(
      deployment,
      times,
      'gpt',
      addressOf,
    );
    expect(unlimited + limited).toBe(times);
    const exchange = await requestTokens(deployment, gpt.codeRequest(code), buildAddressHeaders(chatGpt));
    const { access_token, refresh_token } = await expectTokens(exchange);
    const refreshed = await requestTokens(
      deployment,
      gpt.refreshRequest(refresh_token),
      buildAddressHeaders(chatGpt),
    );
    expect(refreshed.status).toBe(200);
    expect((await callApi(deployment, access_token)).kind).toBe('granted');
  });

  it.each<[string, TestClient]>([
    ['a public client', app],
    ['a confidential client', server],
  ])(
    'W5.3 shared egress: wrong secrets from Claude’s own address lock no user of it out: %s',
    async (_, testClient) => {
      const deployment = deployWithClientAddress();
      const code = await obtainCode(deployment, testClient);
      const { client_id = '' } = testClient.codeRequest(code);
      await sendWrongSecrets(deployment, 1000, client_id, () => claude);
      const { refresh_token } = await expectTokens(
        await requestTokens(deployment, testClient.codeRequest(code), buildAddressHeaders(claude)),
      );
      expect(
        (
          await requestTokens(
            deployment,
            testClient.refreshRequest(refresh_token),
            buildAddressHeaders(claude),
          )
        ).status,
      ).toBe(200);
    },
  );

  it('W5.3 shared egress: everybody behind one address gets tokens, and new ones, without a limit', async () => {
    const deployment = deployWithClientAddress({ limits: highUserLimits });
    for (let browser = 0; browser < 200; browser++) {
      const exchange = await requestTokens(
        deployment,
        gpt.codeRequest(await obtainCode(deployment, gpt)),
        buildAddressHeaders(chatGpt),
      );
      const { refresh_token } = await expectTokens(exchange);
      for (let turn = 0; turn < 3; turn++) {
        const refreshed = await requestTokens(
          deployment,
          gpt.refreshRequest(refresh_token),
          buildAddressHeaders(chatGpt),
        );
        expect(refreshed.status).toBe(200);
      }
    }
  });

  it('W5.3 shared egress: gets a code redeemed although it may begin no more sign-ins', async () => {
    const signIns = { take: async () => 'limited' as const };
    const deployment = deployWithClientAddress({ limits: { signIns } });
    const code = await obtainCode(deployment, gpt);
    expect(
      (await createTestBrowser(deployment, buildAddressHeaders(chatGpt)).openSignInPage(gptRequest)).response
        .status,
    ).toBe(429);
    expect(
      (await requestTokens(deployment, gpt.codeRequest(code), buildAddressHeaders(chatGpt))).status,
    ).toBe(200);
  });
});
