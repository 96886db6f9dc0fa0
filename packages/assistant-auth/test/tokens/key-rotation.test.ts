import { describe, expect, it } from 'vitest';
import type { BrokerStorage } from '../../src/index.ts';
import { generateKey, listSealedPrefixes, parseKeyRing } from '../../src/seal/index.ts';
import { memoryStorage } from '../../src/storage/memory.ts';
import { createKeyRotation } from '../../src/tokens/key-rotation.ts';
import { createSealers, openUpstreamToken, sealUpstreamToken } from '../../src/tokens/sealers.ts';
import { issuer } from '../deployment.ts';
import { signIn, t0 } from '../storage/storage-contract/sample.ts';

const randomBytes = (length: number) => crypto.getRandomValues(new Uint8Array(length));
const [older, old, fresh] = ['older-1', 'old-1', 'new-1'].map((id) => generateKey(id, randomBytes));

const deployed = (...keys: readonly (string | undefined)[]) => {
  const ring = parseKeyRing(keys.join(' '));
  return { ring, sealers: createSealers(ring, issuer, [], randomBytes) };
};

const before = deployed(old, older);
const long = deployed(older);
const after = deployed(fresh, old, older);

/** Stores a token of somebody's. */
const store = async (storage: BrokerStorage, { sealers }: typeof before, subject: string): Promise<void> => {
  const identity = { provider: 'google', subject };
  const sealedRefreshToken = await sealUpstreamToken(sealers, identity, `theirs-of-${subject}`);
  await storage.recordSignIn(
    signIn({
      grantId: `grant-of-${subject}`,
      user: { kind: 'by-identity', newId: subject },
      identity: { ...identity, sealedRefreshToken },
    }),
  );
};

const numbered = (count: number): readonly string[] =>
  Array.from({ length: count }, (_, at) => `${1000 + at}`);

const sealedUnder = (storage: BrokerStorage, keyId: string) =>
  storage.findUpstreamTokens({ prefixes: listSealedPrefixes(keyId), limit: 10_000 });

const countsOf = async (storage: BrokerStorage) =>
  Object.fromEntries(
    await Promise.all(
      ['older-1', 'old-1', 'new-1', 'lost-1'].map(async (id) => [
        id,
        (await sealedUnder(storage, id)).length,
      ]),
    ),
  );

const now = () => t0 + 1;

describe('resealing', () => {
  it('reseals the tokens of every other key with the first key, which then opens them alone', async () => {
    const storage = memoryStorage();
    await store(storage, before, 'ada');
    await store(storage, long, 'bob');
    await store(storage, after, 'cyd');
    const [untouched] = await sealedUnder(storage, 'new-1');
    await createKeyRotation({ storage, now, ...after })();
    const moved = await sealedUnder(storage, 'new-1');
    expect(moved).toHaveLength(3);
    expect(moved).toContainEqual(untouched);
    const { sealers } = deployed(fresh);
    for (const token of moved) {
      const opened = await openUpstreamToken(sealers, token);
      expect(opened).toEqual({ kind: 'opened', value: `theirs-of-${token.subject}` });
    }
  });

  it('asks storage nothing while the ring has one key', async () => {
    const asked = () => Promise.reject(new Error('it was asked'));
    const storage = { findUpstreamTokens: asked, replaceUpstreamTokens: asked };
    await createKeyRotation({ storage, now, ...deployed(fresh) })();
  });

  it('takes a hundred at a time until all are moved', async () => {
    const storage = memoryStorage();
    for (const subject of numbered(250)) await store(storage, before, subject);
    const reseal = createKeyRotation({ storage, now, ...after });
    const left = [];
    for (let turn = 0; turn < 4; turn++) {
      await reseal();
      left.push((await sealedUnder(storage, 'old-1')).length);
    }
    expect(left).toEqual([150, 50, 0, 0]);
  });

  it('begins anew in each process, and still comes to the end', async () => {
    const storage = memoryStorage();
    for (const subject of numbered(150)) await store(storage, before, subject);
    for (let turn = 0; turn < 2; turn++) await createKeyRotation({ storage, now, ...after })();
    expect(await sealedUnder(storage, 'old-1')).toEqual([]);
  });

  it('leaves what does not open, which keeps nobody waiting', async () => {
    const storage = memoryStorage();
    const elsewhere = { sealers: createSealers(before.ring, 'https://old.example', [], randomBytes) };
    for (const subject of numbered(300)) await store(storage, { ...before, ...elsewhere }, subject);
    await store(storage, deployed(generateKey('lost-1', randomBytes)), 'lost');
    await store(storage, before, 'zoe');
    const foreign = await sealedUnder(storage, 'lost-1');
    await createKeyRotation({ storage, now, ...after })();
    expect(await countsOf(storage)).toEqual({ 'older-1': 0, 'old-1': 300, 'new-1': 1, 'lost-1': 1 });
    expect(await sealedUnder(storage, 'lost-1')).toEqual(foreign);
  });

  it('goes on behind a thousand that do not open', async () => {
    const storage = memoryStorage();
    const elsewhere = { sealers: createSealers(before.ring, 'https://old.example', [], randomBytes) };
    for (const subject of numbered(1050)) await store(storage, { ...before, ...elsewhere }, subject);
    await store(storage, before, 'zoe');
    const reseal = createKeyRotation({ storage, now, ...after });
    await reseal();
    expect(await sealedUnder(storage, 'new-1')).toEqual([]);
    await reseal();
    expect(await sealedUnder(storage, 'new-1')).toMatchObject([{ subject: 'zoe' }]);
  });

  it('lets a sign-in win that comes while it works', async () => {
    const inner = memoryStorage();
    await store(inner, before, 'ada');
    const newer = { provider: 'google', subject: 'ada', sealedRefreshToken: 'newer' };
    const storage = {
      findUpstreamTokens: inner.findUpstreamTokens,
      replaceUpstreamTokens: async (...given: Parameters<BrokerStorage['replaceUpstreamTokens']>) => {
        await inner.storeUpstreamToken(newer);
        await inner.replaceUpstreamTokens(...given);
      },
    };
    await createKeyRotation({ storage, now, ...after })();
    expect(await inner.findUpstreamTokens({ prefixes: ['newer'], limit: 1 })).toEqual([newer]);
  });
});
