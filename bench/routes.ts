/** How the scenarios and the Worker under test name what is called. */

/** The path of an operation of the game, which has no input. */
export const operationPath = '/api/words/animals';

/** The queries that select the game or the bare broker, whose endpoints have the same paths and ignore them. */
export const queries = { game: '?game', bare: '?bare' } as const;
