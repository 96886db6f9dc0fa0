/**
 * Storage in Cloudflare D1, and the operator's queries on it. The migrations in the package's folder
 * `migrations` create the tables.
 * @module
 */

import type { BrokerStorage } from '../broker-storage.ts';
import { createSqlAdmin } from './admin.ts';
import { createSqlStorage } from './sql-storage.ts';
import type { SqlDatabase } from './statements.ts';
import type { StorageAdmin } from './storage-admin.ts';

export type { AuditActor, AuditEventName, SqlDatabase, SqlResult, SqlStatement } from './statements.ts';
export type * from './storage-admin.ts';

/**
 * Creates storage in a D1 database to which this package's migrations were applied. Every method is one round
 * trip to the primary. Pass the binding itself, not a D1 session: its replicas may not have received a
 * revocation yet. `accountPages()` adds the methods of the account page to it, and `accountStorage` of
 * `assistant-auth/account` returns them.
 * @param db the D1 binding
 * @throws StorageUnavailable from every method if D1 fails, with D1's error as `cause`
 * @example
 * ```ts
 * import { createBroker, google, gptAction } from 'assistant-auth';
 * import { d1Storage } from 'assistant-auth/d1';
 *
 * const broker = createBroker({
 *   issuer: 'https://words.example',
 *   sealingKeys: env.SEALING_KEYS,
 *   storage: d1Storage(env.DB),
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
export const d1Storage: (db: SqlDatabase) => BrokerStorage = createSqlStorage;

/**
 * Creates the operator's queries on the storage's database. Every method is one round trip. Some read whole
 * tables, so do not call them for each request.
 * @param db the D1 binding
 * @throws StorageUnavailable from every method if D1 fails, with D1's error as `cause`
 * @example
 * ```ts
 * import { d1Admin } from 'assistant-auth/d1';
 *
 * const admin = d1Admin(env.DB);
 * const now = await admin.readClock();
 * for (const user of await admin.listUsers({ limit: 20, skip: 0 }, now)) {
 *   console.log(user.id, user.activeGrants);
 * }
 * ```
 */
export const d1Admin: (db: SqlDatabase) => StorageAdmin = createSqlAdmin;
