/** Opens a SQLite file with one of the drivers. */
import type { SqliteDatabase } from 'assistant-auth/sqlite';

/** @throws Error for an unknown driver */
export const openDatabase = async (driver: string | undefined, file: string): Promise<SqliteDatabase> => {
  switch (driver) {
    case 'node:sqlite': {
      const { DatabaseSync } = await import('node:sqlite');
      return new DatabaseSync(file);
    }
    case 'bun:sqlite': {
      const { Database } = await import('bun:sqlite');
      return new Database(file);
    }
    case 'libsql': {
      const { createClient } = await import('@libsql/client');
      return createClient({ url: `file:${file}` });
    }
    default:
      throw new Error(`unknown driver: ${driver}`);
  }
};
