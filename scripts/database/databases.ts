/** Opens the storage and the operator's queries on the local or the deployed database. */
import type { BrokerStorage } from 'assistant-auth';
import { d1Admin, d1Storage, type StorageAdmin, textD1 } from 'assistant-auth/d1';
import { CommandError, isUserFacing } from '../app/command.ts';
import { createSqlExecutor } from './execute.ts';
import type { DatabaseLocation } from './location.ts';

interface Database {
  readonly storage: BrokerStorage;
  readonly operator: StorageAdmin;
}

export const openDatabase = (databaseLocation: DatabaseLocation): Database => {
  const db = textD1(createSqlExecutor(databaseLocation));
  return { storage: d1Storage(db), operator: d1Admin(db) };
};

/**
 * Rethrows the message of the database, which storage hides from clients but an operator needs.
 * @throws CommandError with that message, or the given error if it has none
 */
export const rethrowDatabaseError = (error: unknown): never => {
  const { cause } = error instanceof Error ? error : {};
  throw isUserFacing(cause) ? new CommandError(cause.message) : error;
};
