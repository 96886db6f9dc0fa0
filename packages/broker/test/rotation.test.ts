/** Keys that change under a running deployment: what was sealed before and after, side by side, and what a burnt key ends. */
import { beforeEach, describe, expect, it } from 'vitest';
import { type Ledger, memoryLedger } from '../src/index.ts';
import { generateKey, parseKeyRing, sealedBeginnings } from '../src/seal/index.ts';
import { openProviderToken } from '../src/tokens/provider-token.ts';
import { createVault } from '../src/tokens/vault.ts';
import { createVisitor, type Visitor } from './account-visitor.ts';
import { type Deployment, deploy, issuer } from './deployment.ts';
import { callApi, gptSignIn, type TokenBody, tokensOf } from './person.ts';
import { app, codeFor, gpt, redeem, refresh, tokensFor } from './players.ts';

const draw = (id: string): string =>
  generateKey(id, (length) => crypto.getRandomValues(new Uint8Array(length)));
const [old, fresh] = [draw('2026-01-01'), draw('2026-11-24')];

let ledger: Ledger;
let deployment: Deployment;
let ada: Visitor;

/** Deploys with this ring, on the same storage; browsers stay open. */
const deployWith = (...keys: readonly string[]): void => {
  deployment = deploy({ ledger, sealingKeys: keys.join(' ') });
};

beforeEach(async () => {
  ledger = memoryLedger();
  deployWith(old);
  ada = createVisitor({ issuer, fetch: (request) => deployment.fetch(request) });
  await ada.enter('ada', 'google', { refresh: 'theirs' });
});

const kindOfCall = async ({ access_token }: TokenBody): Promise<string> =>
  (await callApi(deployment, access_token)).kind;

const sealedUnder = (id: string) => ledger.findTokens({ beginnings: sealedBeginnings(id), limit: 100 });

describe('after a rotation', () => {
  it('tokens, sessions and codes of before and after work side by side', async () => {
    const before = { stable: await gptSignIn(deployment), rotating: await tokensFor(deployment, app) };
    const code = await codeFor(deployment, gpt);
    deployWith(fresh, old);
    const after = await gptSignIn(deployment);
    for (const tokens of [before.stable, before.rotating, after])
      expect(await kindOfCall(tokens)).toBe('granted');
    for (const { refresh_token: token } of [before.stable, after])
      expect((await refresh(deployment, gpt, token)).status).toBe(200);
    expect((await redeem(deployment, gpt, code)).status).toBe(200);
    expect((await ada.see()).kind).toBe('account');
  });

  it('a rotating refresh token moves to the new key when it is used', async () => {
    const before = await tokensFor(deployment, app);
    deployWith(fresh, old);
    const after = await tokensOf(await refresh(deployment, app, before.refresh_token));
    deployWith(fresh);
    expect((await refresh(deployment, app, after.refresh_token)).status).toBe(200);
  });

  it('the sweep seals stored tokens anew, which the new key then opens alone', async () => {
    expect(await sealedUnder('2026-01-01')).toHaveLength(1);
    deployWith(fresh, old);
    await deployment.broker.sweep();
    expect(await sealedUnder('2026-01-01')).toEqual([]);
    const [stored] = await sealedUnder('2026-11-24');
    if (stored === undefined) throw new Error('no token is stored');
    const alone = createVault(parseKeyRing(fresh), issuer, [], (length) => new Uint8Array(length));
    expect(await openProviderToken(alone, stored)).toEqual({ kind: 'opened', value: 'theirs' });
  });
});

describe('a burnt key', () => {
  it('ends all that it sealed, and nothing else', async () => {
    const before = { stable: await gptSignIn(deployment), rotating: await tokensFor(deployment, app) };
    const code = await codeFor(deployment, gpt);
    deployWith(fresh, old);
    const after = await gptSignIn(deployment);
    deployWith(fresh);
    for (const tokens of Object.values(before)) expect(await kindOfCall(tokens)).toBe('refused');
    expect((await refresh(deployment, gpt, before.stable.refresh_token)).status).toBe(401);
    expect((await refresh(deployment, app, before.rotating.refresh_token)).status).toBe(400);
    expect((await redeem(deployment, gpt, code)).status).toBe(400);
    expect((await ada.see()).kind).toBe('sign-in');
    expect(await kindOfCall(after)).toBe('granted');
    expect((await refresh(deployment, gpt, after.refresh_token)).status).toBe(200);
  });

  it('leaves stored tokens that do not open, until a sign-in brings others', async () => {
    deployWith(fresh);
    await deployment.broker.sweep();
    expect(await sealedUnder('2026-01-01')).toHaveLength(1);
    await ada.enter('ada', 'google', { refresh: 'theirs anew' });
    expect(await sealedUnder('2026-01-01')).toEqual([]);
    expect(await sealedUnder('2026-11-24')).toHaveLength(1);
  });
});
