/** The storage contract for upstream tokens: found by prefix, and replaced only if they have not changed. */

import type { BrokerStorage, StoredUpstreamToken } from '../../storage/broker-storage.ts';
import { expect } from './expect.ts';
import {
  adasUpstreamToken,
  buildTokenReplacement,
  type CreateStorage,
  type DeclareTest,
  day,
  grantRefresh,
  signIn,
  signInAndRedeem,
  t0,
} from './sample.ts';

const buildToken = (provider: string, subject: string, sealedRefreshToken: string): StoredUpstreamToken => ({
  provider,
  subject,
  sealedRefreshToken,
});

const stored = [
  buildToken('github', 'ada', 'old-2'),
  buildToken('github', 'bob', 'new-1'),
  buildToken('google', 'ada', 'old-1'),
  buildToken('google', 'bob', 'older-1'),
  buildToken('google', 'cyd', 'ol'),
] as const;

/** Storage with these tokens, and with an identity without a token. */
const createStorageWithTokens = async (createStorage: CreateStorage): Promise<BrokerStorage> => {
  const storage = await createStorage();
  for (const [index, identity] of [...stored, { provider: 'google', subject: 'dan' }].entries()) {
    const user = { kind: 'by-identity', newId: `user-${index}` } as const;
    await storage.recordSignIn(signIn({ grantId: `grant-${index}`, identity, user }));
  }
  return storage;
};

const listTokens = async (storage: BrokerStorage) =>
  storage.findUpstreamTokens({ prefixes: ['o', 'n'], limit: 100 });

export const storedTokenContract = (it: DeclareTest, createStorage: CreateStorage): void => {
  it('finds tokens by several prefixes of different lengths', async () => {
    const storage = await createStorageWithTokens(createStorage);
    const findTokens = async (...prefixes: string[]) =>
      (await storage.findUpstreamTokens({ prefixes, limit: 100 })).map(
        ({ sealedRefreshToken }) => sealedRefreshToken,
      );
    expect(await findTokens('old-')).toEqual(['old-2', 'old-1']);
    expect(await findTokens('old-', 'new-')).toEqual(['old-2', 'new-1', 'old-1']);
    expect(await findTokens('older-', 'new-')).toEqual(['new-1', 'older-1']);
    expect(await findTokens('ld-', 'OLD-', 'old-1x')).toEqual([]);
    expect(await findTokens()).toEqual([]);
  });

  it('returns complete tokens in pages, each once', async () => {
    const storage = await createStorageWithTokens(createStorage);
    const query = { prefixes: ['old'], limit: 2 };
    const first = await storage.findUpstreamTokens(query);
    expect(first).toEqual([stored[0], stored[2]]);
    expect(await storage.findUpstreamTokens({ ...query, after: stored[2] })).toEqual([stored[3]]);
    expect(await storage.findUpstreamTokens({ ...query, after: stored[3] })).toEqual([]);
  });

  it('replaces several tokens at once', async () => {
    const storage = await createStorageWithTokens(createStorage);
    await storage.replaceUpstreamTokens(
      buildTokenReplacement(
        { provider: 'github', subject: 'ada', previous: 'old-2', sealedRefreshToken: 'new-2' },
        { provider: 'google', subject: 'ada', previous: 'old-1', sealedRefreshToken: 'new-3' },
      ),
    );
    expect((await listTokens(storage)).map(({ sealedRefreshToken }) => sealedRefreshToken)).toEqual([
      'new-2',
      'new-1',
      'new-3',
      'older-1',
      'ol',
    ]);
  });

  it('keeps a token that was stored meanwhile, and skips an identity that was deleted', async () => {
    const storage = await createStorageWithTokens(createStorage);
    const before = await listTokens(storage);
    await storage.replaceUpstreamTokens(
      buildTokenReplacement(
        { provider: 'google', subject: 'ada', previous: 'old-0', sealedRefreshToken: 'new' },
        { provider: 'google', subject: 'dan', previous: '', sealedRefreshToken: 'new' },
        { provider: 'google', subject: 'eve', previous: 'old-1', sealedRefreshToken: 'new' },
      ),
    );
    await storage.replaceUpstreamTokens(buildTokenReplacement());
    expect(await listTokens(storage)).toEqual(before);
  });

  it('does not replace a token that a running recheck uses, so that its result is recorded', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage, { refreshPolicy: 'stable', identity: adasUpstreamToken });
    const { sealedRefreshToken: previous, ...ada } = adasUpstreamToken;
    const replaceAt = (now: number) =>
      storage.replaceUpstreamTokens({
        ...buildTokenReplacement({ ...ada, previous, sealedRefreshToken: 'resealed' }),
        now,
      });
    const readStored = async () => (await storage.findUpstreamTokens({ prefixes: ['sealed'], limit: 9 }))[0];
    expect(await storage.refresh(grantRefresh(0, t0 + 100))).toMatchObject({ recheck: adasUpstreamToken });
    // The lease is valid until 160. A server whose clock is ahead or a later statement may have acquired it.
    for (const now of [40, 100, 159]) {
      await replaceAt(t0 + now);
      expect(await readStored()).toEqual(adasUpstreamToken);
    }
    const rotated = { ...adasUpstreamToken, sealedRefreshToken: 'sealed by rotation' };
    await storage.recordRecheck({ usedToken: adasUpstreamToken, recheckAfter: t0 + day, ...rotated });
    expect(await readStored()).toEqual(rotated);
  });

  for (const [label, now] of [
    ['expired', 160],
    ['too far in the future to be one', 39],
  ] as const)
    it(`replaces a token if the lease is ${label}`, async () => {
      const storage = await createStorage();
      await signInAndRedeem(storage, { refreshPolicy: 'stable', identity: adasUpstreamToken });
      await storage.refresh(grantRefresh(0, t0 + 100));
      const { sealedRefreshToken: previous, ...ada } = adasUpstreamToken;
      const replacement = buildTokenReplacement({ ...ada, previous, sealedRefreshToken: 'resealed' });
      await storage.replaceUpstreamTokens({ ...replacement, now: t0 + now });
      expect(await storage.findUpstreamTokens({ prefixes: ['resealed'], limit: 9 })).toHaveLength(1);
    });

  it('allows a recheck with the replaced token', async () => {
    const storage = await createStorage();
    await storage.recordSignIn(signIn({ identity: adasUpstreamToken }));
    const { sealedRefreshToken: previous, ...ada } = adasUpstreamToken;
    await storage.replaceUpstreamTokens(
      buildTokenReplacement({ ...ada, previous, sealedRefreshToken: 'sealed-2' }),
    );
    expect(await storage.revokeGrantsOfIdentity(adasUpstreamToken, 'revoked', t0 + 9)).toBe('superseded');
    expect(
      await storage.revokeGrantsOfIdentity({ ...ada, sealedRefreshToken: 'sealed-2' }, 'revoked', t0 + 9),
    ).toBe('revoked');
  });
};
