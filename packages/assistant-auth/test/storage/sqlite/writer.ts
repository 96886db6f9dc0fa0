/**
 * A process that signs users in, for tests that run several processes on one file or kill one. Writes one line
 * for each operation that the storage has acknowledged.
 */
import { writeSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { sqliteStorage } from 'assistant-auth/sqlite';
import { grantRefresh, redemption, signIn, t0 } from '../../../src/testing/storage-contract/sample.ts';

const [file = '', name = '', count = '0'] = process.argv.slice(2);
const storage = sqliteStorage(new DatabaseSync(file));

/** Synchronous, so that a line that is missing was not acknowledged. */
const acknowledge = (operation: string, grantId: string): void => {
  writeSync(1, `${operation} ${grantId}\n`);
};

/** Every process tries to redeem these codes; only one of them can. */
const redeemSharedCode = async (grantId: string): Promise<void> => {
  const outcome = await storage.redeemCode(redemption({ grantId }));
  if (outcome.kind === 'redeemed') acknowledge('redeemed-shared', grantId);
};

const signInOnce = async (index: number): Promise<void> => {
  const grantId = `${name}-${index}`;
  const user = { kind: 'by-identity', newId: `user-${grantId}` } as const;
  await storage.recordSignIn(signIn({ grantId, identity: { subject: grantId }, user }));
  acknowledge('signed-in', grantId);
  await storage.redeemCode(redemption({ grantId }));
  acknowledge('redeemed', grantId);
  await storage.refresh({ ...grantRefresh(0, t0 + 2), grantId });
  acknowledge('refreshed', grantId);
  if (index % 5 === 0) {
    await storage.revoke({ kind: 'grant', id: grantId }, 'signed out', t0 + 3);
    acknowledge('revoked', grantId);
  }
};

for (let index = 0; index < Number(count); index++) {
  await redeemSharedCode(`shared-${index}`);
  await signInOnce(index);
}
acknowledge('finished', name);
