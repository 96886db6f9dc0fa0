/** The storage contract for the notice about a linked identity, which is shown until the user dismisses it. */

import type { CompleteStorage, SeenLink } from '../../storage/broker-storage.ts';
import { equal } from '../assertions.ts';
import { ada, adasIdentity, cat, catsIdentity, link, unlink } from './accounts.ts';
import { type CreateStorage, type StorageContractTest, test } from './contract-test.ts';
import { signIn, t0 } from './sample.ts';
import { createStorageWithSession } from './sessions.ts';

/** Arguments of `markLinkSeen` that do not match the link of `cat`. */
const otherSeenLinks: readonly [label: string, overrides: Partial<SeenLink>][] = [
  ['another identity of the user', ada],
  ['an unknown subject', { subject: '43' }],
  ['another provider', { provider: 'google' }],
  ['another user', { userId: 'user-2' }],
  ['an earlier link', { linkedAt: t0 + 4 }],
];

/** Returns the tests of `markLinkSeen`. */
export const seenLinkTests = (createStorage: CreateStorage): readonly StorageContractTest[] => {
  const seenLink: SeenLink = { userId: 'user-1', ...cat, linkedAt: t0 + 5 };
  const readIdentities = async (storage: CompleteStorage) =>
    (await storage.readAccount('user-1'))?.identities;
  return [
    test('marks a link as seen, and no other one', async () => {
      const storage = await createStorageWithSession(createStorage);
      const dog = { ...cat, subject: '44' };
      await link(storage);
      await link(storage, { identity: dog });
      await storage.markLinkSeen(seenLink);
      const identities = [
        adasIdentity,
        { ...catsIdentity, isNewlyLinked: false },
        { ...catsIdentity, ...dog },
      ];
      equal(await readIdentities(storage), identities);
      await storage.markLinkSeen(seenLink);
      equal(await readIdentities(storage), identities);
    }),

    test('keeps a link seen or newly linked if the identity signs in, or is linked again', async () => {
      const storage = await createStorageWithSession(createStorage);
      await link(storage);
      const repeat = async (grantId: string) => {
        await link(storage, { now: t0 + 6 });
        await storage.recordSignIn(signIn({ grantId, identity: cat, now: t0 + 7 }));
      };
      await repeat('grant-1');
      equal(await readIdentities(storage), [adasIdentity, { ...catsIdentity, lastSignInAt: t0 + 7 }]);
      await storage.markLinkSeen(seenLink);
      await repeat('grant-2');
      equal(await readIdentities(storage), [
        adasIdentity,
        { ...catsIdentity, lastSignInAt: t0 + 7, isNewlyLinked: false },
      ]);
    }),

    test('does not mark an identity that was unlinked and linked again as seen', async () => {
      const storage = await createStorageWithSession(createStorage);
      await link(storage);
      await unlink(storage, cat);
      await link(storage, { now: t0 + 11 });
      await storage.markLinkSeen(seenLink);
      equal(await readIdentities(storage), [
        adasIdentity,
        { ...catsIdentity, createdAt: t0 + 11, lastSignInAt: t0 + 11 },
      ]);
    }),

    ...otherSeenLinks.map(([label, overrides]) =>
      test(`marks no link as seen for ${label}`, async () => {
        const storage = await createStorageWithSession(createStorage);
        await link(storage);
        await storage.markLinkSeen({ ...seenLink, ...overrides });
        equal(await readIdentities(storage), [adasIdentity, catsIdentity]);
      }),
    ),
  ];
};
