import { describe, expect, it } from 'vitest';
import { encodeBase64url } from '../../src/oauth/secrets.ts';
import { challenge, createTestBrowser, gptRequest, verifier } from '../browser.ts';
import { app, gpt, obtainCode, redeem, server, type TestClient, without } from '../clients.ts';
import { deploy } from '../deployment.ts';
import { expectErrorRedirect, expectTokenError, invalidCodeError } from '../expect-error.ts';
import { createSpyStorage } from '../spy-storage.ts';

const unsupported = 'Only the code_challenge_method S256 is supported.';
const malformed = 'The code_challenge is malformed.';
const missing = 'This client must send a code_challenge.';

/** Asks for authorization; the client is told what was wrong, and the browser shown nothing. */
const expectSentBack = async (query: Readonly<Record<string, string>>, description: string) => {
  const storage = createSpyStorage();
  const { response } = await createTestBrowser(deploy({ storage })).openSignInPage(query);
  const { redirect_uri: to = '', state = '' } = query;
  expectErrorRedirect(response, { to, state, error: 'invalid_request', description });
  expect(storage.calls).toEqual([]);
};

/** Redeems a code with another verifier than it was asked for with; the code lives on. */
const expectRefusedVerifier = async (
  testClient: TestClient,
  asked: Readonly<Record<string, string>>,
  sent: Readonly<Record<string, string>>,
) => {
  const storage = createSpyStorage();
  const deployment = deploy({ storage });
  const code = await obtainCode(deployment, testClient, asked);
  await expectTokenError(await redeem(deployment, testClient, code, sent), invalidCodeError);
  expect(deployment.log.at(-1)).toMatchObject({ endpoint: 'token', reason: 'code.pkce' });
  expect(storage.calls).toEqual(['readGrantStatus', 'recordSignIn']);
};

const challengeOf = async (text: string): Promise<string> =>
  encodeBase64url(new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))));

const s256 = { code_challenge: challenge, code_challenge_method: 'S256' };
const gptWithPkce = { ...gptRequest, ...s256 };

describe('C5', () => {
  it('C5.1 verifier alone: refuses a verifier for a code that was asked for without a challenge', () =>
    expectRefusedVerifier(gpt, {}, { code_verifier: verifier }));

  it.each([
    ['C5.2 challenge alone: a public client must send its verifier', app, {}],
    ['C5.2 challenge alone: a confidential client must send its verifier', server, {}],
    ['C5.2 challenge alone: ChatGPT must send a verifier if it sent a challenge', gpt, s256],
  ])('%s', (_, testClient, asked) => expectRefusedVerifier(testClient, asked, { code_verifier: '' }));

  it('C5.3 plain: the method plain does not exist, named or implied', async () => {
    for (const query of [app.request, server.request, gptWithPkce]) {
      await expectSentBack({ ...query, code_challenge_method: 'plain' }, unsupported);
      await expectSentBack(
        { ...query, code_challenge_method: 'plain', code_challenge: verifier },
        unsupported,
      );
      await expectSentBack(without(query, 'code_challenge_method'), unsupported);
      await expectSentBack({ ...query, code_challenge_method: '' }, unsupported);
    }
  });

  it('C5.3 plain: the challenge itself is no verifier', () =>
    expectRefusedVerifier(app, {}, { code_verifier: challenge }));

  it('C5.4 unknown method: refuses other methods and other spellings', async () => {
    for (const code_challenge_method of ['S512', 's256', 'S256 ', 'SHA256', 'none', 'S256,plain']) {
      for (const query of [app.request, gptWithPkce])
        await expectSentBack({ ...query, code_challenge_method }, unsupported);
    }
  });

  it('C5.5 empty challenge: is not read as none', async () => {
    for (const query of [app.request, server.request, gptWithPkce]) {
      await expectSentBack({ ...query, code_challenge: '' }, malformed);
      await expectSentBack(without(query, 'code_challenge'), malformed);
      await expectSentBack({ ...without(query, 'code_challenge_method'), code_challenge: '' }, unsupported);
    }
  });

  it('C5.5 empty challenge: nor is a malformed one', async () => {
    for (const bad of [
      challenge.slice(1),
      `${challenge}A`,
      `${challenge}=`,
      challenge.replace('-', '+'),
      ' ',
    ])
      await expectSentBack({ ...app.request, code_challenge: bad }, malformed);
  });

  it.each([
    ['C5.6 42 characters: refuses a verifier that is too short', 42],
    ['C5.7 129 characters: refuses a verifier that is too long', 129],
  ])('%s, even if it fits the challenge', async (_, length) => {
    const code_verifier = 'v'.repeat(length);
    const asked = { code_challenge: await challengeOf(code_verifier) };
    await expectRefusedVerifier(app, asked, { code_verifier });
  });

  it('takes a verifier of 43 to 128 characters of its whole alphabet', async () => {
    for (const length of [43, 128]) {
      const code_verifier = 'vV0~._-'.repeat(20).slice(0, length);
      const deployment = deploy();
      const code = await obtainCode(deployment, app, { code_challenge: await challengeOf(code_verifier) });
      expect((await redeem(deployment, app, code, { code_verifier })).status).toBe(200);
    }
  });
});

it('C6.1 public client: gets no code without PKCE', async () => {
  const bare = without(app.request, 'code_challenge', 'code_challenge_method');
  await expectSentBack(bare, missing);
  await expectSentBack({ ...bare, client_id: 'native', redirect_uri: 'http://127.0.0.1/callback' }, missing);
  await expectSentBack(without(server.request, 'code_challenge', 'code_challenge_method'), missing);
});

describe('C7', () => {
  it('C7.1 ChatGPT: works without PKCE', async () => {
    const deployment = deploy();
    const code = await obtainCode(deployment, gpt);
    expect((await redeem(deployment, gpt, code)).status).toBe(200);
  });

  it('C7.2 ChatGPT: with PKCE it is enforced, and then works', async () => {
    const deployment = deploy();
    const code = await obtainCode(deployment, gpt, s256);
    for (const sent of [{}, { code_verifier: 'w'.repeat(43) }]) {
      await expectTokenError(await redeem(deployment, gpt, code, sent), invalidCodeError);
      expect(deployment.log.at(-1)).toMatchObject({ reason: 'code.pkce' });
    }
    expect((await redeem(deployment, gpt, code, { code_verifier: verifier })).status).toBe(200);
  });
});
