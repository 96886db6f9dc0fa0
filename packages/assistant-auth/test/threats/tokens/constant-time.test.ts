/**
 * Comparing secrets. Time itself is not measured: that tells more about the machine. Instead: both sides are digested whole before
 * anything is decided, the digests are compared to the end, and what is done does not depend on how much was right.
 */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { gptAction, staticClient } from '../../../src/index.ts';
import { timingSafeEqual } from '../../../src/oauth/secrets.ts';
import { challenge } from '../../browser.ts';
import { app, gpt, obtainCode, redeem } from '../../clients.ts';
import { clients, type Deployment, deploy, gptSecret, serverSecret } from '../../deployment.ts';
import { continueToProvider, listBindingCookies, startAuthorization } from '../../flows.ts';

afterEach(() => void vi.restoreAllMocks());

/** Every text that WebCrypto is asked to digest while `work` is done. */
const digestedDuring = async (work: () => Promise<unknown>): Promise<readonly string[]> => {
  const digest = crypto.subtle.digest.bind(crypto.subtle);
  const texts: string[] = [];
  vi.spyOn(crypto.subtle, 'digest').mockImplementation((algorithm, bytes) => {
    texts.push(new TextDecoder().decode(bytes));
    return digest(algorithm, bytes);
  });
  await work();
  vi.restoreAllMocks();
  return texts;
};

/** Wrong in its first character, its last, its case, its length; and empty but for one letter. */
const nearly = (secret: string): readonly string[] => [
  `X${secret.slice(1)}`,
  `${secret.slice(0, -1)}X`,
  secret.toUpperCase(),
  secret.slice(0, -1),
  `${secret}X`,
  'X',
];

const guess = (deployment: Deployment, client_secret: string, client_id = 'gpt') =>
  redeem(deployment, gpt, 'no-code', { client_id, client_secret });

describe('T11', () => {
  it.each(nearly(gptSecret))(
    'T11.1 comparison: the secret %j is digested whole, and so is the right one',
    async (wrong) => {
      const deployment = deploy();
      expect(await digestedDuring(() => guess(deployment, wrong))).toEqual([wrong, gptSecret]);
      expect(await digestedDuring(() => guess(deployment, gptSecret))).toEqual([gptSecret, gptSecret]);
    },
  );

  it('T11.1 comparison: of two valid secrets both are compared, whichever fits', async () => {
    const options = { id: 'gpt', name: 'GPT', secrets: [gptSecret, serverSecret], scopes: ['words'] };
    for (const client of [
      gptAction(options),
      staticClient({ ...options, redirectUris: ['https://app.example/'] }),
    ]) {
      const deployment = deploy({ clients: [client] });
      for (const presented of [gptSecret, serverSecret, 'neither'])
        expect(await digestedDuring(() => guess(deployment, presented))).toEqual([
          ...[presented, gptSecret],
          ...[presented, serverSecret],
        ]);
    }
  });

  it('T11.1 comparison: a client that does not exist costs what a wrong secret costs', async () => {
    const unknown = await digestedDuring(() => guess(deploy({ clients }), 'wrong', 'nobody'));
    expect(unknown).toEqual(['wrong', '']);
  });

  it.each(nearly('dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk').filter(({ length }) => length >= 43))(
    'T11.1 comparison: what the verifier %j makes is held against the challenge like a secret',
    async (code_verifier) => {
      const deployment = deploy();
      const code = await obtainCode(deployment, app);
      const [presented, derived, right, ...more] = await digestedDuring(() =>
        redeem(deployment, app, code, { code_verifier }),
      );
      expect([presented, right, more]).toEqual([code_verifier, challenge, []]);
      expect(derived).toMatch(/^[\w-]{43}$/);
    },
  );

  it('T11.1 comparison: the browser’s own value is held against the form’s like a secret', async () => {
    const { browser, consent } = await startAuthorization();
    const [name = ''] = listBindingCookies(browser.cookies);
    const right = browser.cookies.get(name) ?? '';
    const wrong = `${right.slice(0, -1)}${right.endsWith('A') ? 'B' : 'A'}`;
    browser.cookies.set(name, wrong);
    // Once for the cookie's name, then both sides.
    const digested = await digestedDuring(() => browser.submitConsent(consent, { choice: 'google' }));
    expect(digested).toEqual([right, wrong, right]);
  });

  it('T11.1 comparison: so is the state of a login transaction', async () => {
    const { state, returnFromProvider } = await continueToProvider();
    // Once for the cookie's name, then both sides; at last for two names, when the login transaction is completed.
    const digested = await digestedDuring(() => returnFromProvider({ code: 'ada' }));
    expect(digested).toEqual([state, state, state, state, state]);
  });

  it('T11.1 comparison: a difference counts at each place of the digests', async () => {
    for (let place = 0; place < 32; place++) {
      const digests = [new Uint8Array(32), new Uint8Array(32).fill(1, place, place + 1)];
      const spy = vi.spyOn(crypto.subtle, 'digest');
      for (const { buffer } of digests) spy.mockResolvedValueOnce(buffer);
      expect(await timingSafeEqual('one', 'other')).toBe(false);
    }
  });

  it('T11.1 comparison: nothing in it can end early', () => {
    const endsEarly = (source: string) =>
      (source.match(/\breturn\b/g) ?? []).length !== 1 ||
      /\b(break|continue|throw|if|while|every|some|find\w*|\w*indexOf|includes|join|toString)\b|&&|\|\||\?[^?]/i.test(
        source.replaceAll('??', ''),
      );
    expect(endsEarly(String(timingSafeEqual))).toBe(false);
    // The pattern sees what it is meant to see.
    const hasty = [
      (a: string, b: string) => {
        for (let at = 0; at < a.length; at++) if (a[at] !== b[at]) return false;
        return true;
      },
      (a: string[], b: string[]) => {
        return a.every((byte, at) => byte === b[at]);
      },
    ];
    for (const one of hasty) expect(endsEarly(String(one))).toBe(true);
  });
});
