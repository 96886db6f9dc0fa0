/** The ledger and an operator's questions, in the database of a place. */
import type { Ledger } from 'assistant-auth';
import { d1Ledger, d1Operator, type Operator, textD1 } from 'assistant-auth/d1';
import { isPlain, Refused } from '../app/command.ts';
import { executeAt } from './execute.ts';
import type { Place } from './place.ts';

interface Database {
  readonly ledger: Ledger;
  readonly operator: Operator;
}

export const databaseAt = (place: Place): Database => {
  const db = textD1(executeAt(place));
  return { ledger: d1Ledger(db), operator: d1Operator(db) };
};

/**
 * Says what the database said: a ledger hides it from clients, and its operator wants to read it.
 * @throws Refused with that, or else what was given
 */
export const saysDatabase = (error: unknown): never => {
  const { cause } = error instanceof Error ? error : {};
  throw isPlain(cause) ? new Refused(cause.message) : error;
};
