/** Adds users to the D1 of the tests, and simulates an unreachable D1. */
import { env } from 'cloudflare:workers';

/** Inserts the row of a user, as a sign-in does. */
export const addUser = async (id: string): Promise<string> => {
  await env.DB.prepare('INSERT INTO users (id, created_at) VALUES (?1, 1)').bind(id).run();
  return id;
};

/** Wraps a database so that it is unreachable: statements can be prepared, but fail when they run. */
export const makeUnreachable = (db: D1Database): D1Database =>
  new Proxy(db, {
    get: (_, name) => {
      if (name !== 'prepare') return () => Promise.reject(new Error('D1_ERROR: Network connection lost.'));
      return (query: string) => makeFailing(db.prepare(query));
    },
  });

const makeFailing = (statement: D1PreparedStatement): D1PreparedStatement =>
  new Proxy(statement, {
    get: (_, name) =>
      name === 'bind'
        ? (...values: unknown[]) => makeFailing(statement.bind(...values))
        : () => Promise.reject(new Error('D1_ERROR: Network connection lost.')),
  });
