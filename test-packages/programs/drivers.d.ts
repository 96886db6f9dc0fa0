/**
 * Declares the drivers that are not installed in the workspace. The tests run the programs with the real
 * drivers, but do not check the drivers' own types.
 */
declare module 'bun:sqlite' {
  export class Database {
    constructor(file: string);
    exec(sql: string): unknown;
    prepare(sql: string): { all(parameters: Record<string, string | number | null>): unknown[] };
  }
}

declare module '@libsql/client' {
  export const createClient: (options: {
    readonly url: string;
  }) => import('assistant-auth/sqlite').LibsqlClient;
}
