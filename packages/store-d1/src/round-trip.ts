/** The one way to D1: every statement of an operation at once, all or nothing. */
import { LedgerUnavailable } from '@words-with-chat/broker';

/**
 * Runs the statements in order, in one transaction and one round trip.
 * @returns one result per statement, in their order
 * @throws LedgerUnavailable for every failure; what D1 says may quote SQL, so it stays in `cause`
 */
export const roundTrip = async <Row>(
  db: D1Database,
  ...statements: D1PreparedStatement[]
): Promise<readonly D1Result<Row>[]> => {
  try {
    return await db.batch<Row>(statements);
  } catch (cause) {
    throw new LedgerUnavailable('D1 did not carry out the statements', { cause });
  }
};

/** Tells whether a statement changed anything. */
export const changedRows = (result: D1Result | undefined): boolean => (result?.meta.changes ?? 0) > 0;
