import { describe, expect, it } from 'vitest';
import { gptAction } from '../../src/index.ts';
import { memoryStorage } from '../../src/storage/memory.ts';
import { expectTokens } from '../browser.ts';
import { app, gpt, obtainCode, redeem, server, without } from '../clients.ts';
import { deploy, gptSecret, issuer } from '../deployment.ts';
import { expectTokenError, invalidCodeError } from '../expect-error.ts';
import { createSpyStorage } from '../spy-storage.ts';

const other = `${issuer}/other`;
const otherCode = {
  status: 400,
  error: 'invalid_target',
  error_description: 'The code was issued for another resource.',
};

const call = ({ broker }: ReturnType<typeof deploy>, token: string, resource: string) =>
  broker.protect(new Request(issuer, { headers: { authorization: `Bearer ${token}` } }), { resource });

describe('a code', () => {
  it('becomes tokens for the resource that was asked for, and no other', async () => {
    const deployment = deploy();
    const code = await obtainCode(deployment, app, { resource: other });
    const { access_token } = await expectTokens(await redeem(deployment, app, code, { resource: other }));
    expect(await call(deployment, access_token, other)).toMatchObject({ kind: 'granted' });
    expect(await call(deployment, access_token, `${issuer}/api`)).toMatchObject({ kind: 'refused' });
  });

  it('needs no resource at the token endpoint, and lives on when a wrong one is sent', async () => {
    const storage = createSpyStorage();
    const deployment = deploy({ storage });
    const code = await obtainCode(deployment, app, { resource: other });
    for (const resource of [`${issuer}/api`, `${other}/`, 'https://evil.example', 'x'])
      await expectTokenError(await redeem(deployment, app, code, { resource }), otherCode);
    expect(storage.calls).toEqual(['readGrantStatus', 'recordSignIn']);
    const { access_token } = await expectTokens(await redeem(deployment, app, code));
    expect(await call(deployment, access_token, other)).toMatchObject({ kind: 'granted' });
  });

  it('is refused when its resource has gone meanwhile, and is not spent', async () => {
    const storage = memoryStorage();
    const code = await obtainCode(deploy({ storage }), app, { resource: other });
    const smaller = deploy({ storage, resources: [`${issuer}/api`] });
    await expectTokenError(await redeem(smaller, app, code), invalidCodeError);
    expect(smaller.log.at(-1)).toMatchObject({ reason: 'code.resource-removed' });
    expect((await redeem(deploy({ storage }), app, code)).status).toBe(200);
  });

  it('brings no scope that was withdrawn from its client meanwhile', async () => {
    const storage = memoryStorage();
    const registered = { id: 'gpt', name: 'Words GPT', secrets: [gptSecret] };
    const now = (scopes: readonly string[]) =>
      deploy({ storage, clients: [gptAction({ ...registered, scopes })] });
    const code = await obtainCode(deploy({ storage }), gpt);
    expect(await expectTokens(await redeem(now(['words']), gpt, code))).toMatchObject({ scope: 'words' });
    const other = await obtainCode(deploy({ storage }), gpt, { scope: 'score' });
    const deployment = now(['words']);
    await expectTokenError(await redeem(deployment, gpt, other), invalidCodeError);
    expect(deployment.log.at(-1)).toMatchObject({ reason: 'code.scopes-removed' });
  });

  it.each([
    ['a public client', app],
    ['a confidential client', server],
  ])('needs no redirect_uri from %s, whose verifier says more', async (_, testClient) => {
    const deployment = deploy();
    const code = await obtainCode(deployment, testClient);
    const anywhere = {
      ...testClient,
      codeRequest: (text: string) => without(testClient.codeRequest(text), 'redirect_uri'),
    };
    expect((await redeem(deployment, anywhere, code)).status).toBe(200);
  });

  it('needs redirect_uri from ChatGPT, which sends no verifier', async () => {
    const deployment = deploy();
    const code = await obtainCode(deployment, gpt);
    const anywhere = {
      ...gpt,
      codeRequest: (text: string) => without(gpt.codeRequest(text), 'redirect_uri'),
    };
    await expectTokenError(await redeem(deployment, anywhere, code), invalidCodeError);
    expect(deployment.log.at(-1)).toMatchObject({ reason: 'code.redirect' });
    expect((await redeem(deployment, gpt, code)).status).toBe(200);
  });

  it('of another deployment is refused, though the keys are the same', async () => {
    const storage = memoryStorage();
    const code = await obtainCode(deploy({ storage }), gpt);
    const elsewhere = deploy({ storage, issuer: 'https://elsewhere.example' });
    const answer = await redeem(elsewhere, gpt, code);
    expect([answer.status, await answer.json()]).toEqual([
      400,
      { error: 'invalid_grant', error_description: 'The authorization code is not valid.' },
    ]);
    expect(elsewhere.log.at(-1)).toMatchObject({ reason: 'code.unreadable', cause: 'forged' });
  });
});
