import { describe, expect, it } from 'vitest';
import type { Ledger } from '../../src/index.ts';
import { generateKey, parseKeyRing, sealedBeginnings } from '../../src/seal/index.ts';
import { memoryLedger } from '../../src/storage/memory.ts';
import { createResealing } from '../../src/tokens/key-rotation.ts';
import { createVault, openProviderToken, sealProviderToken } from '../../src/tokens/sealers.ts';
import { issuer } from '../deployment.ts';
import { signIn, t0 } from '../ledger/ledger-contract/sample.ts';

const randomBytes = (length: number) => crypto.getRandomValues(new Uint8Array(length));
const [older, old, fresh] = ['older-1', 'old-1', 'new-1'].map((id) => generateKey(id, randomBytes));

const deployed = (...keys: readonly (string | undefined)[]) => {
  const ring = parseKeyRing(keys.join(' '));
  return { ring, vault: createVault(ring, issuer, [], randomBytes) };
};

const before = deployed(old, older);
const long = deployed(older);
const after = deployed(fresh, old, older);

/** Stores a token of somebody's. */
const store = async (ledger: Ledger, { vault }: typeof before, subject: string): Promise<void> => {
  const identity = { provider: 'google', subject };
  const sealedRefreshToken = await sealProviderToken(vault, identity, `theirs-of-${subject}`);
  await ledger.recordSignIn(
    signIn({
      grantId: `grant-of-${subject}`,
      user: { kind: 'ours', newId: subject },
      identity: { ...identity, sealedRefreshToken },
    }),
  );
};

const numbered = (count: number): readonly string[] =>
  Array.from({ length: count }, (_, at) => `${1000 + at}`);

const sealedUnder = (ledger: Ledger, keyId: string) =>
  ledger.findTokens({ beginnings: sealedBeginnings(keyId), limit: 10_000 });

const countsOf = async (ledger: Ledger) =>
  Object.fromEntries(
    await Promise.all(
      ['older-1', 'old-1', 'new-1', 'lost-1'].map(async (id) => [id, (await sealedUnder(ledger, id)).length]),
    ),
  );

const now = () => t0 + 1;

describe('resealing', () => {
  it('reseals the tokens of every other key with the first key, which then opens them alone', async () => {
    const ledger = memoryLedger();
    await store(ledger, before, 'ada');
    await store(ledger, long, 'bob');
    await store(ledger, after, 'cyd');
    const [untouched] = await sealedUnder(ledger, 'new-1');
    await createResealing({ ledger, now, ...after })();
    const moved = await sealedUnder(ledger, 'new-1');
    expect(moved).toHaveLength(3);
    expect(moved).toContainEqual(untouched);
    const { vault } = deployed(fresh);
    for (const token of moved) {
      const opened = await openProviderToken(vault, token);
      expect(opened).toEqual({ kind: 'opened', value: `theirs-of-${token.subject}` });
    }
  });

  it('asks the ledger nothing while the ring has one key', async () => {
    const asked = () => Promise.reject(new Error('it was asked'));
    const ledger = { findTokens: asked, replaceTokens: asked };
    await createResealing({ ledger, now, ...deployed(fresh) })();
  });

  it('takes a hundred at a time until all are moved', async () => {
    const ledger = memoryLedger();
    for (const subject of numbered(250)) await store(ledger, before, subject);
    const reseal = createResealing({ ledger, now, ...after });
    const left = [];
    for (let turn = 0; turn < 4; turn++) {
      await reseal();
      left.push((await sealedUnder(ledger, 'old-1')).length);
    }
    expect(left).toEqual([150, 50, 0, 0]);
  });

  it('begins anew in each process, and still comes to the end', async () => {
    const ledger = memoryLedger();
    for (const subject of numbered(150)) await store(ledger, before, subject);
    for (let turn = 0; turn < 2; turn++) await createResealing({ ledger, now, ...after })();
    expect(await sealedUnder(ledger, 'old-1')).toEqual([]);
  });

  it('leaves what does not open, which keeps nobody waiting', async () => {
    const ledger = memoryLedger();
    const elsewhere = { vault: createVault(before.ring, 'https://old.example', [], randomBytes) };
    for (const subject of numbered(300)) await store(ledger, { ...before, ...elsewhere }, subject);
    await store(ledger, deployed(generateKey('lost-1', randomBytes)), 'lost');
    await store(ledger, before, 'zoe');
    const foreign = await sealedUnder(ledger, 'lost-1');
    await createResealing({ ledger, now, ...after })();
    expect(await countsOf(ledger)).toEqual({ 'older-1': 0, 'old-1': 300, 'new-1': 1, 'lost-1': 1 });
    expect(await sealedUnder(ledger, 'lost-1')).toEqual(foreign);
  });

  it('goes on behind a thousand that do not open', async () => {
    const ledger = memoryLedger();
    const elsewhere = { vault: createVault(before.ring, 'https://old.example', [], randomBytes) };
    for (const subject of numbered(1050)) await store(ledger, { ...before, ...elsewhere }, subject);
    await store(ledger, before, 'zoe');
    const reseal = createResealing({ ledger, now, ...after });
    await reseal();
    expect(await sealedUnder(ledger, 'new-1')).toEqual([]);
    await reseal();
    expect(await sealedUnder(ledger, 'new-1')).toMatchObject([{ subject: 'zoe' }]);
  });

  it('lets a sign-in win that comes while it works', async () => {
    const inner = memoryLedger();
    await store(inner, before, 'ada');
    const newer = { provider: 'google', subject: 'ada', sealedRefreshToken: 'newer' };
    const ledger = {
      findTokens: inner.findTokens,
      replaceTokens: async (...given: Parameters<Ledger['replaceTokens']>) => {
        await inner.storeToken(newer);
        await inner.replaceTokens(...given);
      },
    };
    await createResealing({ ledger, now, ...after })();
    expect(await inner.findTokens({ beginnings: ['newer'], limit: 1 })).toEqual([newer]);
  });
});
