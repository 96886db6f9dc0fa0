/** Storage in memory that records the reads of revocations, and that can be disconnected or delayed. */

import { type BrokerStorage, type RevocableToken, StorageUnavailable } from '../../src/index.ts';
import { memoryStorage } from '../../src/storage/memory.ts';
import { highLimits } from '../../src/testing/storage-contract/sample.ts';

/** How `readRevocations` was called. */
interface RevocationRead {
  readonly cursor: number | undefined;
  readonly now: number;
  readonly limit: number;
}

export const createControlledStorage = (changes: Partial<BrokerStorage> = {}) => {
  const memory: BrokerStorage = { ...memoryStorage(), ...changes };
  const revocationReads: RevocationRead[] = [];
  const isRevokedCalls: RevocableToken[] = [];
  let beforeResponse: () => Promise<void> = async () => undefined;
  const storage: BrokerStorage = {
    ...memory,
    async readRevocations(cursor, now, limit) {
      revocationReads.push({ cursor, now, limit });
      const page = memory.readRevocations(cursor, now, limit);
      await beforeResponse();
      return page;
    },
    async isRevoked(token, now) {
      isRevokedCalls.push(token);
      await beforeResponse();
      return memory.isRevoked(token, now);
    },
  };
  return {
    storage,
    revocationReads,
    isRevokedCalls,
    disconnect(error: Error = new StorageUnavailable('no response')) {
      beforeResponse = () => Promise.reject(error);
    },
    reconnect() {
      beforeResponse = async () => undefined;
    },
    /** Reads the next page at once, but delays its result until the returned function is called. */
    holdNextRead(): () => void {
      const { promise, resolve } = Promise.withResolvers<void>();
      beforeResponse = () => {
        beforeResponse = async () => undefined;
        return promise;
      };
      return resolve;
    },
  };
};

/** Signs in and redeems, so that there is something to revoke. */
export const grantTokens = async (
  storage: BrokerStorage,
  origin: RevocableToken,
): Promise<RevocableToken> => {
  const { grantId, userId, clientId, issuedAt: now } = origin;
  await storage.recordSignIn({
    ...{ now, limits: highLimits },
    identity: { provider: 'google', subject: userId },
    subjectNamespace: 'https://provider.example',
    user: { kind: 'resolved', id: userId },
    grant: {
      id: grantId,
      clientId,
      redirectUri: 'https://app.example/callback',
      scopes: ['words'],
      resource: 'https://words.example/api',
      refreshPolicy: 'none',
      claims: {},
    },
  });
  await storage.redeemCode({
    grantId,
    clientId,
    now,
    codeExpiresAt: now + 60,
    replayGrace: 10,
    accessExpiresAt: now + 1800,
    refreshIdleExpiresAt: now + 3600,
    refreshAbsoluteExpiresAt: now + 3600,
  });
  return origin;
};
