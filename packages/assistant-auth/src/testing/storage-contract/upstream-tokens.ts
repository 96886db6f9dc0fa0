/** The storage contract for upstream tokens: found by prefix, and replaced only if they have not changed. */

import type { BrokerStorage, StoredUpstreamToken } from '../../storage/broker-storage.ts';
import { equal, hasLength, matches } from '../assertions.ts';
import { type CreateStorage, type StorageContractTest, test } from './contract-test.ts';
import {
  adasUpstreamToken,
  buildTokenReplacement,
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

/** Returns the tests of `findUpstreamTokens` and `replaceUpstreamTokens`. */
export const storedTokenTests = (createStorage: CreateStorage): readonly StorageContractTest[] => [
  test('finds tokens by several prefixes of different lengths', async () => {
    const storage = await createStorageWithTokens(createStorage);
    const findTokens = async (...prefixes: string[]) =>
      (await storage.findUpstreamTokens({ prefixes, limit: 100 })).map(
        ({ sealedRefreshToken }) => sealedRefreshToken,
      );
    equal(await findTokens('old-'), ['old-2', 'old-1']);
    equal(await findTokens('old-', 'new-'), ['old-2', 'new-1', 'old-1']);
    equal(await findTokens('older-', 'new-'), ['new-1', 'older-1']);
    equal(await findTokens('ld-', 'OLD-', 'old-1x'), []);
    equal(await findTokens(), []);
  }),

  test('returns complete tokens in pages, each once', async () => {
    const storage = await createStorageWithTokens(createStorage);
    const query = { prefixes: ['old'], limit: 2 };
    const first = await storage.findUpstreamTokens(query);
    equal(first, [stored[0], stored[2]]);
    equal(await storage.findUpstreamTokens({ ...query, after: stored[2] }), [stored[3]]);
    equal(await storage.findUpstreamTokens({ ...query, after: stored[3] }), []);
  }),

  test('replaces several tokens at once', async () => {
    const storage = await createStorageWithTokens(createStorage);
    await storage.replaceUpstreamTokens(
      buildTokenReplacement(
        { provider: 'github', subject: 'ada', previous: 'old-2', sealedRefreshToken: 'new-2' },
        { provider: 'google', subject: 'ada', previous: 'old-1', sealedRefreshToken: 'new-3' },
      ),
    );
    equal(
      (await listTokens(storage)).map(({ sealedRefreshToken }) => sealedRefreshToken),
      ['new-2', 'new-1', 'new-3', 'older-1', 'ol'],
    );
  }),

  test('keeps a token that was stored meanwhile, and skips an identity that was deleted', async () => {
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
    equal(await listTokens(storage), before);
  }),

  test('does not replace a token that a running recheck uses, so that its result is recorded', async () => {
    const storage = await createStorage();
    await signInAndRedeem(storage, { refreshPolicy: 'stable', identity: adasUpstreamToken });
    const { sealedRefreshToken: previous, ...ada } = adasUpstreamToken;
    const replaceAt = (now: number) =>
      storage.replaceUpstreamTokens({
        ...buildTokenReplacement({ ...ada, previous, sealedRefreshToken: 'resealed' }),
        now,
      });
    const readStored = async () => (await storage.findUpstreamTokens({ prefixes: ['sealed'], limit: 9 }))[0];
    matches(await storage.refresh(grantRefresh(0, t0 + 100)), { recheck: adasUpstreamToken });
    // The lease is valid until 160. A server whose clock is ahead or a later statement may have acquired it.
    for (const now of [40, 100, 159]) {
      await replaceAt(t0 + now);
      equal(await readStored(), adasUpstreamToken);
    }
    const rotated = { ...adasUpstreamToken, sealedRefreshToken: 'sealed by rotation' };
    await storage.recordRecheck({ usedToken: adasUpstreamToken, recheckAfter: t0 + day, ...rotated });
    equal(await readStored(), rotated);
  }),

  ...(
    [
      ['expired', 160],
      ['too far in the future to be one', 39],
    ] as const
  ).map(([label, now]) =>
    test(`replaces a token if the lease is ${label}`, async () => {
      const storage = await createStorage();
      await signInAndRedeem(storage, { refreshPolicy: 'stable', identity: adasUpstreamToken });
      await storage.refresh(grantRefresh(0, t0 + 100));
      const { sealedRefreshToken: previous, ...ada } = adasUpstreamToken;
      const replacement = buildTokenReplacement({ ...ada, previous, sealedRefreshToken: 'resealed' });
      await storage.replaceUpstreamTokens({ ...replacement, now: t0 + now });
      hasLength(await storage.findUpstreamTokens({ prefixes: ['resealed'], limit: 9 }), 1);
    }),
  ),

  test('allows a recheck with the replaced token', async () => {
    const storage = await createStorage();
    await storage.recordSignIn(signIn({ identity: adasUpstreamToken }));
    const { sealedRefreshToken: previous, ...ada } = adasUpstreamToken;
    await storage.replaceUpstreamTokens(
      buildTokenReplacement({ ...ada, previous, sealedRefreshToken: 'sealed-2' }),
    );
    equal(await storage.revokeGrantsOfIdentity(adasUpstreamToken, 'revoked', t0 + 9), 'superseded');
    equal(
      await storage.revokeGrantsOfIdentity({ ...ada, sealedRefreshToken: 'sealed-2' }, 'revoked', t0 + 9),
      'revoked',
    );
  }),
];
