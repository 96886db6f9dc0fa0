/**
 * The methods of the account page on storage in SQL. `createSqlStorage` does not import them, so a bundle
 * without the account page does not contain them.
 */

import { ConfigurationError } from '../../oauth/errors.ts';
import type { AccountStorage } from '../account-storage.ts';
import type { BrokerStorage, CompleteStorage } from '../broker-storage.ts';
import {
  deleteUser,
  findUser,
  linkIdentity,
  markLinkSeen,
  readAccount,
  readHistory,
  revokeGrants,
  unlinkIdentity,
  useSession,
} from './accounts.ts';
import { type SqlStorage, sqlDatabase } from './sql-storage.ts';
import type { SqlDatabase } from './statements.ts';
import { acquireRecheckLease } from './upstream-tokens.ts';

/**
 * Returns the storage with the methods of {@link AccountStorage}, for code that calls them itself, such as
 * `deleteUser`, or that wraps a storage and must see the calls of the account page, too. `accountPages()` calls
 * it with the option `storage` of `createBroker`.
 * @param storage a storage that has these methods, which is returned as it is, or that of `d1Storage` or
 *   `sqliteStorage`, or a copy of it with some methods replaced (`{ ...d1Storage(env.DB), … }`)
 * @throws ConfigurationError `storage` if it is neither
 * @example
 * ```ts
 * import { accountStorage } from 'assistant-auth/account';
 * import { d1Storage } from 'assistant-auth/d1';
 *
 * const storage = accountStorage(d1Storage(env.DB));
 * const now = Math.floor(Date.now() / 1000);
 * await storage.deleteUser({ userId: 'user-1', actor: 'operator', now });
 * ```
 */
export const accountStorage = (storage: BrokerStorage): CompleteStorage => {
  if (hasAccountMethods(storage)) return storage;
  // A method that a copy has replaced takes precedence.
  if (hasSqlDatabase(storage)) return { ...createSqlAccountMethods(storage[sqlDatabase]), ...storage };
  throw new ConfigurationError(
    'storage',
    `must have the methods of AccountStorage, because the account page calls them. Missing: ${listMissingMethods(storage).join(', ')}.`,
  );
};

const hasAccountMethods = (storage: BrokerStorage): storage is CompleteStorage =>
  listMissingMethods(storage).length === 0;

const listMissingMethods = (storage: BrokerStorage): readonly string[] =>
  Object.keys(accountMethods).filter((name) => !(name in storage));

/** Has the name of each method, because an interface does not exist at run time. */
const accountMethods: Readonly<Record<keyof AccountStorage, true>> = {
  useSession: true,
  acquireRecheckLease: true,
  readAccount: true,
  readHistory: true,
  findUser: true,
  linkIdentity: true,
  markLinkSeen: true,
  unlinkIdentity: true,
  revokeGrants: true,
  deleteUser: true,
};

const hasSqlDatabase = (storage: BrokerStorage): storage is SqlStorage => sqlDatabase in storage;

/** Every method is one batch. */
const createSqlAccountMethods = (db: SqlDatabase): AccountStorage => ({
  useSession: (activity) => useSession(db, activity),
  acquireRecheckLease: (request) => acquireRecheckLease(db, request),
  readAccount: (userId) => readAccount(db, userId),
  readHistory: (userId) => readHistory(db, userId),
  findUser: (identity) => findUser(db, identity),
  linkIdentity: (link) => linkIdentity(db, link),
  markLinkSeen: (link) => markLinkSeen(db, link),
  unlinkIdentity: (unlink) => unlinkIdentity(db, unlink),
  revokeGrants: (revocation) => revokeGrants(db, revocation),
  deleteUser: (deletion) => deleteUser(db, deletion),
});
