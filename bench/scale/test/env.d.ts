/** What the test runner binds: databases to be divided among. */
// biome-ignore lint/style/noNamespace: the only name under which the runtime looks for its bindings.
declare namespace Cloudflare {
  interface Env {
    SHARD_0: D1Database;
    SHARD_1: D1Database;
    SHARD_2: D1Database;
    SHARD_3: D1Database;
  }
}
