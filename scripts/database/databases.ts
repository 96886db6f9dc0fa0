/** The ledger and an operator's questions, in the database of a place. */
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
 * Says what the database said: a ledger hides it from clients, and its operator wants to read it.
 * @throws Refused with that, or else what was given
 */
export const rethrowDatabaseError = (error: unknown): never => {
  const { cause } = error instanceof Error ? error : {};
  throw isUserFacing(cause) ? new CommandError(cause.message) : error;
};
