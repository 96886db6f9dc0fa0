/** What the test runner binds. */
// biome-ignore lint/style/noNamespace: the only name under which the runtime looks for its bindings.
declare namespace Cloudflare {
  interface Env {
    DB: D1Database;
    /** A database in which no test creates tables. */
    UNMIGRATED: D1Database;
    MIGRATIONS: import('cloudflare:test').D1Migration[];
    /** What the app's Wrangler file asks Cloudflare to count; the counters are bound under their names. */
    RATE_LIMITS: readonly {
      readonly name: string;
      readonly namespace_id: string;
      readonly simple: { readonly limit: number; readonly period: number };
    }[];
  }
}
