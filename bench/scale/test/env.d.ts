/** The bindings of the test runner: the databases to distribute users to. */
// biome-ignore lint/style/noNamespace: the only name under which the runtime looks for its bindings.
declare namespace Cloudflare {
  interface Env {
    SHARD_0: D1Database;
    SHARD_1: D1Database;
    SHARD_2: D1Database;
    SHARD_3: D1Database;
  }
}
