import { describe, expect, it } from 'vitest';
import { postForm } from '../asking.ts';
import { deploy, highUserLimits } from '../deployment.ts';
import { attacker, from, guess, guessOften, onPlatform, plenty } from '../guessing.ts';
import { askForTokens, callApi, createPerson, gptRequest, tokensOf } from '../person.ts';
import { app, codeFor, gpt, type Player, refresh, server, tokensFor } from '../players.ts';
import { badClient, expectTokenError } from '../refusals.ts';
import { watchLedger } from '../watched-ledger.ts';

const tooManyFailures = {
  status: 429,
  error: 'temporarily_unavailable',
  error_description: 'Too many failed attempts. Try again in a minute.',
};
describe('L1', () => {
  it('L1.1 brute force: answers wrong secrets 429 after the first few, whole and with Retry-After', async () => {
    const ledger = watchLedger();
    const deployment = onPlatform({ ledger });
    for (let turn = 0; turn < plenty; turn++)
      await expectTokenError(await guess(deployment, 'gpt', from(attacker)), badClient);
    for (let turn = 0; turn < 3; turn++)
      await expectTokenError(await guess(deployment, 'gpt', from(attacker)), tooManyFailures);
    expect(deployment.log.at(-1)).toEqual({
      event: 'refused',
      endpoint: 'token',
      requestId: expect.any(String),
      reason: 'authentication.limited',
      cause: 'Refusal: authentication.secret',
    });
    expect(ledger.calls).toEqual([]);
  });

  it('L1.1 brute force: counts each client and each address block by itself', async () => {
    const deployment = onPlatform();
    await guessOften(deployment, plenty + 1, 'gpt');
    expect((await guess(deployment, 'server', from(attacker))).status).toBe(401);
    expect((await guess(deployment, 'gpt', from('198.51.100.67'))).status).toBe(401);
    expect((await guess(deployment, 'gpt', from(attacker))).status).toBe(429);
  });

  it('L1.1 brute force: tells by no count whether a client exists', async () => {
    const deployment = onPlatform();
    for (const client of ['gpt', 'nobody', 'somebody', 'x'.repeat(5000)])
      expect(await guessOften(deployment, plenty + 2, client)).toEqual({
        401: plenty,
        429: 2,
      });
  });

  it('L1.1 brute force: allows a few more after a while', async () => {
    const deployment = onPlatform();
    await guessOften(deployment, plenty + 1, 'gpt');
    deployment.advance(30);
    expect(await guessOften(deployment, plenty, 'gpt')).toEqual({
      401: plenty / 2,
      429: plenty / 2,
    });
  });

  it('L1.1 brute force: counts alike wherever a secret can be tried', async () => {
    const deployment = onPlatform();
    const wrong = { client_id: 'gpt', client_secret: 'wrong-gpt', token: 'x' };
    for (const path of ['/revoke', '/introspect'] as const) {
      for (let turn = 0; turn < plenty / 2; turn++)
        expect((await postForm(deployment, path, wrong, from(attacker))).status).toBe(401);
    }
    for (const path of ['/revoke', '/introspect'] as const)
      await expectTokenError(await postForm(deployment, path, wrong, from(attacker)), tooManyFailures);
    expect((await guess(deployment, 'gpt', from(attacker))).status).toBe(429);
  });

  it('L1.1 brute force: counts Basic like the form', async () => {
    const deployment = onPlatform();
    const basic = { authorization: `Basic ${btoa('gpt:wrong')}`, ...from(attacker) };
    await guessOften(deployment, plenty, 'gpt');
    await expectTokenError(
      await askForTokens(deployment, { grant_type: 'refresh_token' }, basic),
      tooManyFailures,
    );
  });

  it('L1.1 brute force: counts nothing but failed authentication', async () => {
    const deployment = onPlatform();
    const wrongCode = { ...gpt.redemption('x'), ...gpt.refreshment('x'), grant_type: 'authorization_code' };
    for (let turn = 0; turn < 3 * plenty; turn++)
      expect((await askForTokens(deployment, wrongCode, from(attacker))).status).toBe(400);
    expect((await guess(deployment, 'gpt', from(attacker))).status).toBe(401);
  });

  it('L1.1 brute force: is limited together where no address is known', async () => {
    const deployment = deploy();
    expect(await guessOften(deployment, plenty + 5, 'gpt', (turn) => `198.51.100.${turn}`)).toEqual({
      401: plenty,
      429: 5,
    });
  });

  it('L1.1 brute force: never shuts out the right secret, also if the limiter says no to all', async () => {
    const limited = { take: async () => 'limited' as const };
    const deployment = onPlatform({ limits: { failedClients: limited } });
    const tokens = await tokensFor(deployment, gpt);
    expect((await refresh(deployment, gpt, tokens.refresh_token)).status).toBe(200);
    await expectTokenError(await guess(deployment, 'gpt', from(attacker)), tooManyFailures);
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
    const deployment = onPlatform();
    const code = await codeFor(deployment, gpt);
    const { 401: unlimited = 0, 429: limited = 0 } = await guessOften(deployment, times, 'gpt', addressOf);
    expect(unlimited + limited).toBe(times);
    const exchange = await askForTokens(deployment, gpt.redemption(code), from(chatGpt));
    const { access_token, refresh_token } = await tokensOf(exchange);
    const refreshed = await askForTokens(deployment, gpt.refreshment(refresh_token), from(chatGpt));
    expect(refreshed.status).toBe(200);
    expect((await callApi(deployment, access_token)).kind).toBe('granted');
  });

  it.each<[string, Player]>([
    ['a public client', app],
    ['a confidential client', server],
  ])(
    'W5.3 shared egress: wrong secrets from Claude’s own address lock no user of it out: %s',
    async (_, player) => {
      const deployment = onPlatform();
      const code = await codeFor(deployment, player);
      const { client_id = '' } = player.redemption(code);
      await guessOften(deployment, 1000, client_id, () => claude);
      const { refresh_token } = await tokensOf(
        await askForTokens(deployment, player.redemption(code), from(claude)),
      );
      expect((await askForTokens(deployment, player.refreshment(refresh_token), from(claude))).status).toBe(
        200,
      );
    },
  );

  it('W5.3 shared egress: everybody behind one address gets tokens, and new ones, without a limit', async () => {
    const deployment = onPlatform({ limits: highUserLimits });
    for (let person = 0; person < 200; person++) {
      const exchange = await askForTokens(
        deployment,
        gpt.redemption(await codeFor(deployment, gpt)),
        from(chatGpt),
      );
      const { refresh_token } = await tokensOf(exchange);
      for (let turn = 0; turn < 3; turn++) {
        const refreshed = await askForTokens(deployment, gpt.refreshment(refresh_token), from(chatGpt));
        expect(refreshed.status).toBe(200);
      }
    }
  });

  it('W5.3 shared egress: gets a code redeemed although it may begin no more sign-ins', async () => {
    const signIns = { take: async () => 'limited' as const };
    const deployment = onPlatform({ limits: { signIns } });
    const code = await codeFor(deployment, gpt);
    expect((await createPerson(deployment, from(chatGpt)).open(gptRequest)).response.status).toBe(429);
    expect((await askForTokens(deployment, gpt.redemption(code), from(chatGpt))).status).toBe(200);
  });
});
