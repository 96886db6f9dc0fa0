/** What can be read by somebody who only sees what the broker hands out: nothing about who it is. */
import { describe, expect, it } from 'vitest';
import { callApi, expectTokens, readRedirect } from '../../browser.ts';
import { app, gpt, redeem, refresh, server, type TestClient } from '../../clients.ts';
import { type Deployment, deploy } from '../../deployment.ts';
import { startAuthorization } from '../../flows.ts';
import { collect, deployWithFormPost, sealedTypes } from './sealed.ts';

const userId = 'user-4711-of-the-publisher';
const subject = 'ada.lovelace';
const claims = { nick: 'countess', mail: 'ada@analytical.example' };
const providersToken = 'refresh-token-of-the-provider';
const about = [userId, subject, `${subject}@example.com`, ...Object.values(claims), providersToken];

const testClients: readonly (readonly [string, TestClient])[] = [
  ['ChatGPT', gpt],
  ['a public client', app],
  ['a confidential client', server],
];

/** The text as it stands, unescaped, and with all that could be base64 in it decoded, wherever it begins. */
const revocationReads = (text: string): readonly string[] => {
  const runs = [text, unescaped(text)].join(' ').match(/[\w+/-]{8,}/g) ?? [];
  const decoded = runs.flatMap((run) => [0, 1, 2, 3].map((skipped) => fromBase64(run.slice(skipped))));
  return [text, unescaped(text), ...decoded];
};

const unescaped = (text: string): string => decodeURIComponent(text.replaceAll(/%(?![0-9a-f]{2})/gi, '%25'));

const fromBase64 = (run: string): string => {
  // A single letter left over is part of no byte.
  const whole = run.length % 4 === 1 ? run.slice(0, -1) : run;
  return atob(whole.replaceAll('-', '+').replaceAll('_', '/'));
};

const tells = (texts: readonly string[], secrets: readonly string[]): readonly string[] =>
  secrets.filter((secret) => texts.flatMap(revocationReads).some((reading) => reading.includes(secret)));

const deployForAda = () => deploy({ resolveUser: async () => ({ kind: 'accepted', userId, claims }) });

/** Signs in, and gives every address, cookie, page and token response on the way. */
const everythingFor = async (deployment: Deployment, testClient: TestClient) => {
  const { browser, consent } = await startAuthorization(deployment, testClient.request);
  const chosen = await browser.submitConsent(consent, { choice: 'google' });
  const cookies = [...browser.cookies.values()];
  const state = readRedirect(chosen).searchParams.get('state') ?? '';
  const answer = new URLSearchParams({ state, code: subject, refresh: providersToken });
  const callback = await browser.visit(`${deployment.issuer}/callback/google?${answer}`);
  const code = readRedirect(callback).searchParams.get('code') ?? '';
  const tokens = await expectTokens(await redeem(deployment, testClient, code));
  const next = await expectTokens(await refresh(deployment, testClient, tokens.refresh_token));
  const texts = [
    ...[consent, ...cookies, readRedirect(chosen).href, readRedirect(callback).href],
    ...[JSON.stringify(tokens), JSON.stringify(next), ...callback.headers.getSetCookie()],
  ];
  return { texts, tokens };
};

describe('T10', () => {
  it.each(testClients)(
    'T10.1 readable: nothing that %s or a browser is given tells who it is',
    async (_, testClient) => {
      const deployment = deployForAda();
      const { texts, tokens } = await everythingFor(deployment, testClient);
      expect(tells(texts, about)).toEqual([]);
      // And yet it is all in there.
      expect(await callApi(deployment, tokens.access_token)).toMatchObject({ access: { userId, claims } });
    },
  );

  it.each(testClients)(
    'T10.1 readable: the tokens of %s do not even tell client, grant, scope or API',
    async (_, testClient) => {
      const deployment = deployForAda();
      const { tokens } = await everythingFor(deployment, testClient);
      const protection = await callApi(deployment, tokens.access_token);
      if (protection.kind === 'refused') throw new Error('the API refused');
      const { clientId, grantId } = protection.access;
      const client = String.fromCharCode(clientId.length) + clientId;
      const inner = [client, grantId, 'words', 'score', 'google', 'example', '/api'];
      expect(tells([tokens.access_token, tokens.refresh_token], [...about, ...inner])).toEqual([]);
    },
  );

  it.each(sealedTypes)(
    'T10.1 readable: two of the same in %s have nothing in common but the key’s id',
    async (kind) => {
      const { deployment } = deployWithFormPost();
      const [one, other] = [(await collect(deployment)).texts[kind], (await collect(deployment)).texts[kind]];
      const header = fromBase64(one).slice(0, 8);
      expect(header).toBe('\x01\x06test-1');
      expect(fromBase64(other).slice(0, 8)).toBe(header);
      const same = [...fromBase64(one).slice(8)].filter((byte, at) => byte === fromBase64(other)[at + 8]);
      expect(same.length).toBeLessThan(one.length / 16);
    },
  );

  it('T10.1 readable: this test would see through base64, escapes and any beginning', () => {
    const hidden = btoa(`xy${userId}`).replaceAll('=', '').replaceAll('+', '-').replaceAll('/', '_');
    for (const text of [userId, hidden, `?code=A${hidden}`, `AA${hidden}`, encodeURIComponent(`"${hidden}"`)])
      expect(tells([text], about)).toEqual([userId]);
    const mail = `${subject}@example.com`;
    expect(tells([encodeURIComponent(mail)], [mail])).toEqual([mail]);
  });
});
