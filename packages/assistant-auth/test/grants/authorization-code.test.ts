import { describe, expect, it } from 'vitest';
import { gptAction } from '../../src/index.ts';
import { memoryLedger } from '../../src/storage/memory.ts';
import { deploy, gptSecret, issuer } from '../deployment.ts';
import { tokensOf } from '../person.ts';
import { app, codeFor, gpt, redeem, server, without } from '../players.ts';
import { badCode, expectTokenError } from '../refusals.ts';
import { watchLedger } from '../watched-ledger.ts';

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
    const code = await codeFor(deployment, app, { resource: other });
    const { access_token } = await tokensOf(await redeem(deployment, app, code, { resource: other }));
    expect(await call(deployment, access_token, other)).toMatchObject({ kind: 'granted' });
    expect(await call(deployment, access_token, `${issuer}/api`)).toMatchObject({ kind: 'refused' });
  });

  it('needs no resource at the token endpoint, and lives on when a wrong one is sent', async () => {
    const ledger = watchLedger();
    const deployment = deploy({ ledger });
    const code = await codeFor(deployment, app, { resource: other });
    for (const resource of [`${issuer}/api`, `${other}/`, 'https://evil.example', 'x'])
      await expectTokenError(await redeem(deployment, app, code, { resource }), otherCode);
    expect(ledger.calls).toEqual(['grantStatus', 'recordSignIn']);
    const { access_token } = await tokensOf(await redeem(deployment, app, code));
    expect(await call(deployment, access_token, other)).toMatchObject({ kind: 'granted' });
  });

  it('is refused when its resource has gone meanwhile, and is not spent', async () => {
    const ledger = memoryLedger();
    const code = await codeFor(deploy({ ledger }), app, { resource: other });
    const smaller = deploy({ ledger, resources: [`${issuer}/api`] });
    await expectTokenError(await redeem(smaller, app, code), badCode);
    expect(smaller.log.at(-1)).toMatchObject({ reason: 'code.resource-gone' });
    expect((await redeem(deploy({ ledger }), app, code)).status).toBe(200);
  });

  it('brings no scope that was withdrawn from its client meanwhile', async () => {
    const ledger = memoryLedger();
    const registered = { id: 'gpt', name: 'Words GPT', secrets: [gptSecret] };
    const now = (scopes: readonly string[]) =>
      deploy({ ledger, clients: [gptAction({ ...registered, scopes })] });
    const code = await codeFor(deploy({ ledger }), gpt);
    expect(await tokensOf(await redeem(now(['words']), gpt, code))).toMatchObject({ scope: 'words' });
    const other = await codeFor(deploy({ ledger }), gpt, { scope: 'score' });
    const deployment = now(['words']);
    await expectTokenError(await redeem(deployment, gpt, other), badCode);
    expect(deployment.log.at(-1)).toMatchObject({ reason: 'code.scopes-gone' });
  });

  it.each([
    ['a public client', app],
    ['a confidential client', server],
  ])('needs no redirect_uri from %s, whose verifier says more', async (_, player) => {
    const deployment = deploy();
    const code = await codeFor(deployment, player);
    const anywhere = {
      ...player,
      redemption: (text: string) => without(player.redemption(text), 'redirect_uri'),
    };
    expect((await redeem(deployment, anywhere, code)).status).toBe(200);
  });

  it('needs redirect_uri from ChatGPT, which sends no verifier', async () => {
    const deployment = deploy();
    const code = await codeFor(deployment, gpt);
    const anywhere = { ...gpt, redemption: (text: string) => without(gpt.redemption(text), 'redirect_uri') };
    await expectTokenError(await redeem(deployment, anywhere, code), badCode);
    expect(deployment.log.at(-1)).toMatchObject({ reason: 'code.redirect' });
    expect((await redeem(deployment, gpt, code)).status).toBe(200);
  });

  it('of another deployment is refused, though the keys are the same', async () => {
    const ledger = memoryLedger();
    const code = await codeFor(deploy({ ledger }), gpt);
    const elsewhere = deploy({ ledger, issuer: 'https://elsewhere.example' });
    const answer = await redeem(elsewhere, gpt, code);
    expect([answer.status, await answer.json()]).toEqual([
      400,
      { error: 'invalid_grant', error_description: 'The authorization code is not valid.' },
    ]);
    expect(elsewhere.log.at(-1)).toMatchObject({ reason: 'code.unreadable', cause: 'forged' });
  });
});
