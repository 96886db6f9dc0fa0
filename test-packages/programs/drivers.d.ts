/** The drivers that are not installed in the workspace. The tests check their real types. */
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
