import { describe, expect, it } from 'vitest';
import { defaultRateLimits, type RateLimitResult } from '../../src/index.ts';
import { createTestBrowser, gptRequest, readRedirect } from '../browser.ts';
import { type Deployment, deploy, issuer } from '../deployment.ts';
import { expectErrorPage } from '../expect-error.ts';
import {
  attacker,
  buildAddressHeaders,
  deployWithClientAddress,
  failedClientLimit,
  sendWrongSecret,
  sendWrongSecrets,
} from '../wrong-secrets.ts';

describe('W5', () => {
  const signInPage = (deployment: Deployment, headers: Readonly<Record<string, string>>) =>
    deployment.fetch(new Request(`${issuer}/authorize?${new URLSearchParams(gptRequest)}`, { headers }));
  const crowd = defaultRateLimits.signIns.limit;

  /** Spends what an address block may do with sign-ins. */
  const spend = async (deployment: Deployment, addressOf: (turn: number) => string) => {
    for (let turn = 0; turn < crowd; turn++)
      expect((await signInPage(deployment, buildAddressHeaders(addressOf(turn)))).status).toBe(200);
  };

  const expectTooMany = async (response: Response, deployment: Deployment) => {
    await expectErrorPage(
      response,
      deployment,
      'Too many people are signing in from your network. Wait a minute, then try again.',
      429,
    );
    expect(deployment.log.at(-1)).toMatchObject({ event: 'refused', reason: 'sign-in.limited' });
  };

  it('W5.1 IPv6 by /64: counts all addresses of a /64 as one, and no others', async () => {
    const deployment = deployWithClientAddress();
    const inBlock = (turn: number) => `2001:db8:1:2:${turn.toString(16)}:ffff::${turn.toString(16)}`;
    await spend(deployment, inBlock);
    await expectTooMany(await signInPage(deployment, buildAddressHeaders(inBlock(0xfffe))), deployment);
    await expectTooMany(await signInPage(deployment, buildAddressHeaders('2001:0DB8:1:2::')), deployment);
    expect((await signInPage(deployment, buildAddressHeaders('2001:db8:1:3::1'))).status).toBe(200);
    expect((await signInPage(deployment, buildAddressHeaders('2001:db8::1:2:0:1'))).status).toBe(200);
  });

  it('W5.1 IPv6 by /64: counts wrong secrets of a /64 as one', async () => {
    const deployment = deployWithClientAddress();
    const inBlock = (turn: number) => `2001:db8:1:2::${turn.toString(16)}`;
    expect(await sendWrongSecrets(deployment, failedClientLimit + 5, 'gpt', inBlock)).toEqual({
      401: failedClientLimit,
      429: 5,
    });
    expect((await sendWrongSecret(deployment, 'gpt', buildAddressHeaders('2001:db8:1:3::1'))).status).toBe(
      401,
    );
  });

  it('W5.1 IPv6 by /64: counts each IPv4 address by itself, also when written as IPv6', async () => {
    const deployment = deployWithClientAddress();
    await spend(deployment, (turn) => (turn % 2 === 0 ? '203.0.113.7' : '::ffff:203.0.113.7'));
    await expectTooMany(await signInPage(deployment, buildAddressHeaders('203.0.113.7')), deployment);
    expect((await signInPage(deployment, buildAddressHeaders('203.0.113.8'))).status).toBe(200);
  });

  const forgeries = [
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

  it('W5.2 only the platform’s own header: moves no count by any other header', async () => {
    const deployment = deployWithClientAddress();
    const forged = (turn: number) =>
      Object.fromEntries(forgeries.map((name) => [name, `192.0.2.${turn % 250}`]));
    for (let turn = 0; turn < crowd; turn++)
      await signInPage(deployment, { ...forged(turn), ...buildAddressHeaders(attacker) });
    await expectTooMany(
      await signInPage(deployment, { ...forged(1), ...buildAddressHeaders(attacker) }),
      deployment,
    );
    for (let turn = 0; turn <= failedClientLimit; turn++)
      await sendWrongSecret(deployment, 'gpt', { ...forged(turn), ...buildAddressHeaders(attacker) });
    expect(
      (await sendWrongSecret(deployment, 'gpt', { ...forged(99), ...buildAddressHeaders(attacker) })).status,
    ).toBe(429);
  });

  it('W5.2 only the platform’s own header: spends nobody’s allowance by naming them', async () => {
    const deployment = deployWithClientAddress();
    const victim = '203.0.113.7';
    for (let turn = 0; turn <= crowd; turn++)
      await signInPage(deployment, {
        ...buildAddressHeaders(attacker),
        'x-forwarded-for': victim,
        forwarded: `for=${victim}`,
      });
    expect((await signInPage(deployment, buildAddressHeaders(victim))).status).toBe(200);
  });

  it('W5.2 only the platform’s own header: reads none unless told which', async () => {
    const deployment = deploy();
    for (let turn = 0; turn <= crowd; turn++)
      expect(
        (await signInPage(deployment, { ...buildAddressHeaders(attacker), 'x-forwarded-for': attacker }))
          .status,
      ).toBe(200);
  });

  it('W5.2 only the platform’s own header: limits nobody by an address that is none', async () => {
    const deployment = deployWithClientAddress();
    for (let turn = 0; turn <= crowd; turn++)
      expect((await signInPage(deployment, buildAddressHeaders('unknown'))).status).toBe(200);
  });

  it('limits every step of a sign-in in a browser, and lets it be taken again later', async () => {
    let verdict: RateLimitResult = 'allowed';
    const deployment = deployWithClientAddress({ limits: { signIns: { take: async () => verdict } } });
    const browser = createTestBrowser(deployment, buildAddressHeaders('203.0.113.7'));
    const refusedOnce = async (step: () => Promise<Response>): Promise<Response> => {
      verdict = 'limited';
      const refused = await step();
      expect(refused.headers.getSetCookie()).toEqual([]);
      await expectTooMany(refused, deployment);
      verdict = 'allowed';
      return step();
    };
    const page = await refusedOnce(async () => (await browser.openSignInPage(gptRequest)).response);
    expect(page.status).toBe(200);
    const { consent } = await browser.openSignInPage(gptRequest);
    const chosen = await refusedOnce(() => browser.submitConsent(consent, { choice: 'google' }));
    const state = readRedirect(chosen).searchParams.get('state') ?? '';
    const back = `${issuer}/callback/google?${new URLSearchParams({ state, code: 'subject-1' })}`;
    expect(readRedirect(await refusedOnce(() => browser.visit(back))).searchParams.has('code')).toBe(true);
  });
});
