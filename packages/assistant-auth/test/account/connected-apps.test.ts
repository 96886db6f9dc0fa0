import { describe, expect, test } from 'vitest';
import {
  type AccountBrowser,
  createAccountBrowser,
  expectAccountRedirect,
  expectFormRejected,
  readButtonValues,
} from '../account-browser.ts';
import { createTestBrowser, gptRequest, gptSignIn } from '../browser.ts';
import { app, gpt, obtainCode, obtainTokens, redeem, refresh, server, type TestClient } from '../clients.ts';
import { type Deployment, deploy } from '../deployment.ts';
import { expectInvalidToken, expectTokenError, invalidRefreshTokenError } from '../expect-error.ts';

/** Signs `subject-1`, who everybody is that signs in at a client here, in at the account page. */
const visit = async (deployment: Deployment): Promise<AccountBrowser> => {
  const accountBrowser = createAccountBrowser(deployment);
  await accountBrowser.signInToAccount('subject-1');
  return accountBrowser;
};

const gptKey = 'gpt chat.openai.com';

describe('connected apps', () => {
  test('are shown once per client and host, with what they may do and when they did', async () => {
    const deployment = deploy();
    await obtainTokens(deployment, gpt);
    deployment.advance(86_400);
    const { refresh_token } = await obtainTokens(deployment, gpt);
    await obtainTokens(deployment, app);
    deployment.advance(86_400);
    await refresh(deployment, gpt, refresh_token);
    const { html } = await (await visit(deployment)).openAccountPage();
    expect(readButtonValues(html, 'app')).toEqual([gptKey, 'app app.example']);
    const [, card = ''] = html.split('Words GPT');
    expect(card).toContain('read the word lists');
    expect([...card.matchAll(/<time datetime="([^"]+)"/g)].slice(0, 2).map(([, at]) => at)).toEqual([
      expect.stringContaining('2027-01-15'),
      expect.stringContaining('2027-01-17'),
    ]);
  });

  test('are those whose code was redeemed, that have not ended, and whose tokens live', async () => {
    const deployment = deploy();
    await createTestBrowser(deployment).signIn(gptRequest, 'subject-1');
    const online = { ...app, request: { ...app.request, scope: 'words' } };
    await obtainTokens(deployment, online);
    const accountBrowser = await visit(deployment);
    expect(readButtonValues((await accountBrowser.openAccountPage()).html, 'app')).toEqual([
      'app app.example',
    ]);
    deployment.advance(1800);
    expect(readButtonValues((await accountBrowser.openAccountPage()).html, 'app')).toEqual([]);
    expect((await accountBrowser.openAccountPage()).html).toContain('No app is connected yet.');
  });

  test('are none that stayed away for so long that they must ask again', async () => {
    const deployment = deploy();
    await obtainTokens(deployment, app);
    deployment.advance(30 * 86_400 - 1);
    expect(readButtonValues((await (await visit(deployment)).openAccountPage()).html, 'app')).toEqual([
      'app app.example',
    ]);
    deployment.advance(1);
    expect(readButtonValues((await (await visit(deployment)).openAccountPage()).html, 'app')).toEqual([]);
  });

  test('are never the account page itself, nor anybody else’s', async () => {
    const deployment = deploy();
    await gptSignIn(deployment, 'somebody else');
    expect(readButtonValues((await (await visit(deployment)).openAccountPage()).html, 'app')).toEqual([]);
  });

  test('keep their id as a name when they are no longer registered', async () => {
    const deployment = deploy();
    await obtainTokens(deployment, server);
    const others = deploy({ storage: deployment.storage, clients: [] });
    const accountBrowser = createAccountBrowser(others);
    await accountBrowser.signInToAccount('subject-1');
    expect((await accountBrowser.openAccountPage()).html).toContain('>server<');
  });
});

describe('disconnecting an app', () => {
  test('ends its grants, all of them: refresh at once, the API within ten seconds; the others live', async () => {
    const deployment = deploy();
    const [first, second] = [await obtainTokens(deployment, gpt), await obtainTokens(deployment, gpt)];
    const other = await obtainTokens(deployment, server);
    const accountBrowser = await visit(deployment);
    const { html } = await expectAccountRedirect(
      accountBrowser,
      await accountBrowser.post('/apps/end', { app: gptKey }),
      'app-disconnected',
    );
    expect(readButtonValues(html, 'app')).toEqual(['server server.example']);
    for (const { access_token, refresh_token } of [first, second]) {
      const answer = await refresh(deployment, gpt, refresh_token);
      await expectTokenError(answer, { ...invalidRefreshTokenError, status: 401 });
      await expectInvalidToken(deployment, access_token);
    }
    expect((await refresh(deployment, server, other.refresh_token)).status).toBe(200);
    expect(deployment.log).toContainEqual(expect.objectContaining({ event: 'revoked', clientId: 'gpt' }));
  });

  test('leaves it no code to come back with, and another app its own', async () => {
    const deployment = deploy();
    await obtainTokens(deployment, gpt);
    const codes = [await obtainCode(deployment, gpt), await obtainCode(deployment, server)] as const;
    const accountBrowser = await visit(deployment);
    await expectAccountRedirect(
      accountBrowser,
      await accountBrowser.post('/apps/end', { app: gptKey }),
      'app-disconnected',
    );
    expect((await redeem(deployment, gpt, codes[0])).status).toBe(400);
    expect((await redeem(deployment, server, codes[1])).status).toBe(200);
    expect(readButtonValues((await accountBrowser.openAccountPage()).html, 'app')).toEqual([
      'server server.example',
    ]);
  });

  test('that has no more than a code is to disconnect nothing', async () => {
    const deployment = deploy();
    const code = await obtainCode(deployment, gpt);
    const accountBrowser = await visit(deployment);
    expect((await accountBrowser.post('/apps/end', { app: gptKey })).status).toBe(400);
    expect((await redeem(deployment, gpt, code)).status).toBe(200);
  });

  test.each([['nobody nowhere'], [''], ['account words.example'], ['gpt evil.example']])(
    'that is not there ends nothing: "%s"',
    async (key) => {
      const deployment = deploy();
      const { refresh_token } = await obtainTokens(deployment, gpt);
      const accountBrowser = await visit(deployment);
      const response = await accountBrowser.post('/apps/end', { app: key });
      await expectFormRejected(
        response,
        deployment,
        'There is no such thing in your account any longer. Open your account again.',
      );
      expect((await refresh(deployment, gpt, refresh_token)).status).toBe(200);
    },
  );
});

test('ending everything ends every app and every session, this one too', async () => {
  const deployment = deploy();
  const testClients: readonly TestClient[] = [gpt, app, server];
  const tokens = await Promise.all(testClients.map((testClient) => obtainTokens(deployment, testClient)));
  const elsewhere = await visit(deployment);
  const accountBrowser = await visit(deployment);
  const response = await accountBrowser.post('/apps/end', { all: '1' });
  const { kind, html } = await expectAccountRedirect(accountBrowser, response, 'signed-out-everywhere');
  expect(kind).toBe('sign-in');
  expect(html).toContain('signed out everywhere');
  expect((await elsewhere.openAccountPage()).kind).toBe('sign-in');
  for (const [at, testClient] of testClients.entries()) {
    const answer = await refresh(deployment, testClient, tokens[at]?.refresh_token ?? '');
    expect(answer.status).toBe(testClient === gpt ? 401 : 400);
    await expectInvalidToken(deployment, tokens[at]?.access_token ?? '');
  }
  // They are still somebody here, and may begin again.
  await accountBrowser.signInToAccount('subject-1');
  expect((await accountBrowser.openAccountPage()).kind).toBe('account');
});

test('a code that was not redeemed when its app was ended is worth nothing', async () => {
  const deployment = deploy();
  const back = await createTestBrowser(deployment).signIn(gptRequest, 'subject-1');
  const accountBrowser = await visit(deployment);
  await accountBrowser.post('/apps/end', { all: '1' });
  const answer = await redeem(deployment, gpt, back.searchParams.get('code') ?? '');
  expect(answer.status).toBe(400);
});
