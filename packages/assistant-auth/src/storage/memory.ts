/** Storage in memory, for tests and for single-process servers that can lose all data at a restart. */
import type { BrokerStorage } from './broker-storage.ts';
import { createAccountMethods } from './memory/accounts.ts';
import { createGrantMethods } from './memory/grants.ts';
import { createRevocationMethods } from './memory/revocations.ts';
import type { MemoryTables } from './memory/tables.ts';

/**
 * Creates storage in this process, without an audit log. No method awaits anything, so each one is atomic.
 */
export const memoryStorage = (): BrokerStorage => {
  const memory: MemoryTables = {
    users: new Map(),
    identities: new Map(),
    grants: new Map(),
    securityEvents: new Map(),
    revocations: [],
    lastSeq: 0,
  };
  return {
    ...createGrantMethods(memory),
    ...createAccountMethods(memory),
    ...createRevocationMethods(memory),
  };
};
