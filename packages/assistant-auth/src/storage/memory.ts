/**
 * Storage in memory, for tests and for single-process servers that may lose all data when they restart.
 * @module
 */
import type { CompleteStorage } from './broker-storage.ts';
import { createAccountMethods } from './memory/accounts.ts';
import { createClientMethods } from './memory/clients.ts';
import { createGrantMethods } from './memory/grants.ts';
import { createRevocationMethods } from './memory/revocations.ts';
import type { MemoryTables } from './memory/tables.ts';

/**
 * Creates storage in this process, without an audit log and without counts of refused requests. No method awaits anything, so each one is atomic.
 * When the process restarts, all users, grants and revocations are lost: everyone must sign in again, and
 * access tokens that were revoked are accepted again until they expire. To prevent that, use new sealing keys
 * after each restart.
 * @example
 * ```ts
 * import { createBroker, google, gptAction } from 'assistant-auth';
 * import { memoryStorage } from 'assistant-auth/memory';
 *
 * const broker = createBroker({
 *   issuer: 'http://localhost:8787',
 *   sealingKeys: env.SEALING_KEYS,
 *   storage: memoryStorage(),
 *   scopes: { score: 'see and increase your score' },
 *   clients: [
 *     gptAction({
 *       id: 'words-gpt',
 *       name: 'Words With Chat',
 *       secrets: [env.GPT_CLIENT_SECRET],
 *       scopes: ['score'],
 *     }),
 *   ],
 *   providers: [google({ clientId: env.GOOGLE_CLIENT_ID, clientSecret: env.GOOGLE_CLIENT_SECRET })],
 * });
 * ```
 */
export const memoryStorage = (): CompleteStorage => {
  const memory: MemoryTables = {
    users: new Map(),
    identities: new Map(),
    grants: new Map(),
    subjectNamespaces: new Map(),
    securityEvents: new Map(),
    clients: new Map(),
    clientAssertions: new Map(),
    revocations: [],
    lastSeq: 0,
  };
  return {
    ...createGrantMethods(memory),
    ...createClientMethods(memory),
    ...createAccountMethods(memory),
    ...createRevocationMethods(memory),
    // Nothing could read the counts.
    recordRefusals: async () => {},
  };
};
