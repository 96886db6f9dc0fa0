/**
 * Clients that are not in the configuration, and client assertions, in SQL. An assertion is used once: the
 * batch of a request starts with an `INSERT` that violates the primary key if the assertion was used before,
 * so that the whole transaction is rolled back (RFC 7523 §3).
 */
import { type ClientAssertion, StorageUnavailable, type StoredClient } from '../broker-storage.ts';
import { runBatch, type SqlDatabase, type SqlResult, type SqlStatement } from './statements.ts';

/**
 * Creates the statement that stores the client of a sign-in if the statement directly before it in the batch
 * changed a row. It then changes a row itself, so that the next statement can check that, too.
 */
export const upsertClient = (
  db: SqlDatabase,
  { id, name, metadata, retainUntil }: StoredClient,
): SqlStatement =>
  db
    .prepare(
      `INSERT INTO clients (id, name, metadata, retain_until) SELECT ?1, ?2, ?3, ?4 WHERE changes() > 0
      ON CONFLICT (id) DO UPDATE SET
        name = excluded.name, metadata = excluded.metadata, retain_until = max(retain_until, excluded.retain_until)`,
    )
    .bind(id, name, metadata, retainUntil);

export const readClient = async (db: SqlDatabase, id: string): Promise<StoredClient | undefined> => {
  const [found] = await runBatch<StoredClient>(
    db,
    db.prepare('SELECT id, name, metadata, retain_until AS retainUntil FROM clients WHERE id = ?1').bind(id),
  );
  return found?.results[0];
};

export const deleteClient = async (db: SqlDatabase, id: string): Promise<void> => {
  await runBatch(db, db.prepare('DELETE FROM clients WHERE id = ?1').bind(id));
};

export const recordAssertion = async (
  db: SqlDatabase,
  assertion: ClientAssertion,
): Promise<'recorded' | 'replayed'> =>
  (await runBatchOnce(db, assertion)) === undefined ? 'replayed' : 'recorded';

/**
 * Runs the statements like `runBatch`, and records the client assertion in the same transaction.
 * @returns `undefined` if the assertion was used before: nothing was changed
 */
export const runBatchOnce = async <Row>(
  db: SqlDatabase,
  assertion: ClientAssertion | undefined,
  ...statements: SqlStatement[]
): Promise<readonly SqlResult<Row>[] | undefined> => {
  if (assertion === undefined) return runBatch<Row>(db, ...statements);
  const { clientId, jti, retainUntil } = assertion;
  const insert = db
    .prepare('INSERT INTO client_assertions (client_id, jti, retain_until) VALUES (?1, ?2, ?3)')
    .bind(clientId, jti, retainUntil);
  try {
    return (await runBatch<Row>(db, insert, ...statements)).slice(1);
  } catch (error) {
    // Drivers have different codes for this error, but the same message.
    if (error instanceof StorageUnavailable && String(error.cause).includes(assertionReplayed))
      return undefined;
    throw error;
  }
};

const assertionReplayed = 'UNIQUE constraint failed: client_assertions.';
