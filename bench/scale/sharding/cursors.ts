/**
 * Represents positions in the revocations of several databases as one number, because the storage interface
 * has one cursor. While only the first database has revocations, the cursor is that database's own; after
 * that it is a ticket, which only this isolate can read.
 */

export interface Cursors {
  /**
   * Returns the position for each database. For an unknown ticket, all are `undefined`, so everything is read
   * again and nothing is missed.
   */
  readPositions(cursor: number | undefined): readonly (number | undefined)[];
  createCursor(positions: readonly number[]): number;
}

/** Higher than any position in a database, so that no ticket is confused with one. */
const firstTicket = 2 ** 48;
/** An isolate needs its newest ticket. Concurrent requests may need a few earlier ones. */
const maxTickets = 100;

export const createCursors = (databases: number): Cursors => {
  const tickets = new Map<number, readonly number[]>();
  let next = firstTicket;
  const noPositions = Array.from({ length: databases }, () => undefined);
  return {
    readPositions(cursor) {
      if (cursor === undefined) return noPositions;
      if (cursor >= firstTicket) return tickets.get(cursor) ?? noPositions;
      return noPositions.map((_, database) => (database === 0 ? cursor : 0));
    },
    createCursor(positions) {
      const [first = 0, ...others] = positions;
      if (others.every((place) => place === 0) && next === firstTicket) return first;
      tickets.set(next, positions);
      tickets.delete(next - maxTickets);
      return next++;
    },
  };
};
