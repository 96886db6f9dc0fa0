/**
 * A process that signs users in, for tests that run several processes on one file or kill one. Writes one line
 * for each operation that the storage has acknowledged.
 */
import { writeSync } from 'node:fs';
import process from 'node:process';
import { sqliteStorage } from 'assistant-auth/sqlite';
import { openDatabase } from './open-database.ts';

const [driver, file = '', name = '', count = '0'] = process.argv.slice(2);
const storage = sqliteStorage(await openDatabase(driver, file));
const now = 1_800_000_000;

/** Synchronous, so that an operation without a line was not acknowledged. */
const acknowledge = (operation: string, grantId: string): void => {
  writeSync(1, `${operation} ${grantId}\n`);
};

const signIn = (grantId: string) =>
  storage.recordSignIn({
    ...{ now, limits: { signIns: 1000, period: 600, activeGrants: 1000 } },
    identity: { provider: 'google', subject: grantId },
    subjectNamespace: 'https://accounts.google.com',
    user: { kind: 'by-identity', newId: `user-${grantId}` },
    grant: {
      id: grantId,
      clientId: 'chatgpt',
      redirectUri: 'https://chat.example/callback',
      scopes: ['score'],
      resource: 'https://words.example',
      refreshPolicy: 'rotating',
      claims: {},
    },
  });

const redeemCode = (grantId: string) =>
  storage.redeemCode({
    ...{ grantId, clientId: 'chatgpt', now: now + 1, codeExpiresAt: now + 60, replayGrace: 10 },
    accessExpiresAt: now + 1800,
    refreshIdleExpiresAt: now + 86_400,
    refreshAbsoluteExpiresAt: now + 864_000,
  });

const refresh = (grantId: string) =>
  storage.refresh({
    ...{ grantId, clientId: 'chatgpt', generation: 0, now: now + 2, grace: 120, lateRefresh: 'recover' },
    accessExpiresAt: now + 1802,
    refreshIdleExpiresAt: now + 86_402,
    recheckLeaseDuration: 60,
  });

/** Every process signs in with these grant IDs and redeems their codes. Only one of them can redeem each. */
const redeemSharedCode = async (grantId: string): Promise<void> => {
  await signIn(grantId);
  const outcome = await redeemCode(grantId);
  if (outcome.kind === 'redeemed') acknowledge('redeemed', grantId);
};

const signInOnce = async (grantId: string, isRevoked: boolean): Promise<void> => {
  await signIn(grantId);
  acknowledge('signed-in', grantId);
  await redeemCode(grantId);
  acknowledge('redeemed', grantId);
  await refresh(grantId);
  acknowledge('refreshed', grantId);
  if (!isRevoked) return;
  await storage.revoke({ kind: 'grant', id: grantId }, 'signed out', now + 3);
  acknowledge('revoked', grantId);
};

for (let index = 0; index < Number(count); index++) {
  await redeemSharedCode(`shared-${index}`);
  await signInOnce(`${name}-${index}`, index % 5 === 0);
}
acknowledge('finished', name);
