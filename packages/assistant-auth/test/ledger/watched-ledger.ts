/** A ledger in memory that counts how it is asked about revocations, and can be cut off or made to wait. */

import { type Ledger, LedgerUnavailable, type TokenOrigin } from '../../src/index.ts';
import { memoryLedger } from '../../src/storage/memory.ts';
import { highLimits } from './ledger-contract/sample.ts';

/** How `revocationsSince` was called. */
interface Reading {
  readonly cursor: number | undefined;
  readonly now: number;
  readonly limit: number;
}

export const watchedLedger = (changes: Partial<Ledger> = {}) => {
  const inner: Ledger = { ...memoryLedger(), ...changes };
  const readings: Reading[] = [];
  const questions: TokenOrigin[] = [];
  let reach: () => Promise<void> = async () => undefined;
  const ledger: Ledger = {
    ...inner,
    async revocationsSince(cursor, now, limit) {
      readings.push({ cursor, now, limit });
      const page = inner.revocationsSince(cursor, now, limit);
      await reach();
      return page;
    },
    async isRevoked(token, now) {
      questions.push(token);
      await reach();
      return inner.isRevoked(token, now);
    },
  };
  return {
    ledger,
    readings,
    questions,
    cutOff(error: Error = new LedgerUnavailable('no answer')) {
      reach = () => Promise.reject(error);
    },
    reconnect() {
      reach = async () => undefined;
    },
    /** Keeps the next reading's answer back, which is what the ledger held at the time, until it is let go. */
    hold(): () => void {
      const { promise, resolve } = Promise.withResolvers<void>();
      reach = () => {
        reach = async () => undefined;
        return promise;
      };
      return resolve;
    },
  };
};

/** Signs in and redeems, so that there is something to revoke. */
export const grantTokens = async (ledger: Ledger, origin: TokenOrigin): Promise<TokenOrigin> => {
  const { grantId, userId, clientId, issuedAt: now } = origin;
  await ledger.recordSignIn({
    ...{ now, limits: highLimits },
    identity: { provider: 'google', subject: userId },
    user: { kind: 'theirs', id: userId },
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
  await ledger.redeemCode({
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
