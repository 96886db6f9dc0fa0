/**
 * The maximum sizes of the bundles, in one table: `npm run check` compares all of them, and `npm run build`
 * and `npm run deploy` compare the Worker as Wrangler bundles it.
 */
import { gzipSync } from 'node:zlib';

/** In bytes, minified and compressed with gzip. */
export const budgets = {
  /** The broker with Google, a GPT's Action and D1, without the account page. */
  core: 52_000,
  /** The same with GitHub, which issues no ID tokens. */
  coreWithGitHub: 47_000,
  /** Everything that a deployed broker can import from `assistant-auth`, without languages. */
  everything: 90_000,
  /** The selection of a language, and the texts of those besides English. */
  languages: 6_000,
  /** An API in another process. */
  resourceServer: 8_000,
  /** The operations over HTTP, which take 10.4 kB, and as an MCP server, which adds at most 93 kB. */
  operations: 104_000,
  /** The game, with the MCP server. See docs/decisions/0036-mcp-sdk-on-first-use.md. */
  worker: 200_000,
} as const;

/** Returns the compressed size in bytes, as Cloudflare counts it. */
export const measureCompressed = (code: Uint8Array): number => gzipSync(code, { level: 9 }).length;

/** Formats a number of bytes. 1 kB is 1000 bytes. */
export const formatKilobytes = (bytes: number): string => `${(bytes / 1000).toFixed(1)} kB`;
