/** The bindings of the test runner. */
// biome-ignore lint/style/noNamespace: the Workers types declare the bindings in this namespace.
declare namespace Cloudflare {
  interface Env {
    DB: D1Database;
    /** A database in which no test creates tables. */
    UNMIGRATED: D1Database;
    MIGRATIONS: import('cloudflare:test').D1Migration[];
    /** The rate limits in the app's Wrangler file. Each one is also a binding with its name. */
    RATE_LIMITS: readonly {
      readonly name: string;
      readonly namespace_id: string;
      readonly simple: { readonly limit: number; readonly period: number };
    }[];
  }
}
