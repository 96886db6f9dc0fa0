/** Clients that are not in the configuration, and client assertions, in memory. */
import type { ClientAssertion, StoredClient } from '../broker-storage.ts';
import type { MemoryTables } from './tables.ts';

/** The methods of `BrokerStorage` for clients and client assertions. */
export const createClientMethods = (memory: MemoryTables) => ({
  readClient: async (id: string) => memory.clients.get(id),
  deleteClient: async (id: string) => {
    memory.clients.delete(id);
  },
  recordAssertion: async (assertion: ClientAssertion) => recordAssertion(memory, assertion),
});

/** Stores the client of a sign-in. */
export const storeClient = (
  { clients }: MemoryTables,
  { id, name, metadata, retainUntil }: StoredClient,
): void => {
  const storedUntil = clients.get(id)?.retainUntil ?? 0;
  clients.set(id, { id, name, metadata, retainUntil: Math.max(storedUntil, retainUntil) });
};

/** Records the use of a client assertion (RFC 7523 §3), unless it was used before. */
export const recordAssertion = (
  { clientAssertions }: MemoryTables,
  { clientId, jti, retainUntil }: ClientAssertion,
): 'recorded' | 'replayed' => {
  const key = JSON.stringify([clientId, jti]);
  if (clientAssertions.has(key)) return 'replayed';
  clientAssertions.set(key, retainUntil);
  return 'recorded';
};
