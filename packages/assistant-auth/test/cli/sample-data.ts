/** Writes users, grants and key records into the database of a test. */
import type { BrokerStorage } from 'assistant-auth';

const day = 86_400;

interface UserOptions {
  readonly subjectNamespace?: string;
  /** Default: the provider shows nothing for the person. */
  readonly label?: string;
}

/** Records a user with one active grant at the client `chatgpt`, and without an upstream token. */
export const recordUser = async (
  storage: BrokerStorage,
  userId: string,
  now: number,
  { subjectNamespace = 'https://provider.example', label }: UserOptions = {},
): Promise<void> => {
  await storage.recordSignIn({
    now,
    limits: { signIns: 20, period: 600, activeGrants: 200 },
    identity: { provider: 'github', subject: userId, ...(label !== undefined && { label }) },
    subjectNamespace,
    user: { kind: 'by-identity', newId: userId },
    grant: {
      ...{ id: `grant of ${userId}`, clientId: 'chatgpt', redirectUri: 'https://chat.example/callback' },
      ...{ scopes: ['score'], resource: 'https://words.example', refreshPolicy: 'stable', claims: {} },
    },
  });
  await storage.redeemCode({
    ...{ grantId: `grant of ${userId}`, clientId: 'chatgpt', now, replayGrace: 10 },
    ...{ codeExpiresAt: now + 60, accessExpiresAt: now + 3600 },
    ...{ refreshIdleExpiresAt: now + 60 * day, refreshAbsoluteExpiresAt: now + 365 * day },
  });
};

/** Simulates a cleanup run of a deployment with this ring. */
export const cleanUp = (storage: BrokerStorage, ring: string, now: number): Promise<void> => {
  const ringKeys = ring.split(' ').map((key) => key.split('.')[0] ?? '');
  const [sealingKey = ''] = ringKeys;
  return storage.cleanUp({ now, deleteAuditBefore: now - 90 * day, sealingKey, ringKeys });
};
