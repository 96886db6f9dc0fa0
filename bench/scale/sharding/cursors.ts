/**
 * One number for a place in the revocations of several databases, because the port's cursor is one. While only the first
 * database has any it is that database's own number; from then on it is a ticket, which this isolate alone can read.
 */

export interface Cursors {
  /** Where to go on in each database; what is unknown begins at the beginning, which reads more and misses nothing. */
  readPositions(cursor: number | undefined): readonly (number | undefined)[];
  createCursor(positions: readonly number[]): number;
}

/** Above what a database counts to, so that no ticket is taken for a database's own number. */
const firstTicket = 2 ** 48;
/** An isolate needs its newest ticket; requests side by side may need a few before it. */
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
