import { cloudflareTest, readD1Migrations } from '@cloudflare/vitest-plugin';
import { defineConfig } from 'vitest/config';
import { unstable_readConfig } from 'wrangler';
import { sourceCondition } from './scripts/app/paths.ts';

const compatibilityDate = '2026-10-20';

/**
 * The timeouts are only for tests that hang: on a busy machine, any test may be slow. A test without
 * assertions fails, because it checks nothing.
 */
const everywhere = { testTimeout: 600_000, hookTimeout: 600_000, expect: { requireAssertions: true } };

/**
 * Test files in workerd share one isolate and its storage, because starting an isolate takes longer than most
 * files run. So a test must create the state that it needs. Spies are removed after each test.
 */
const sharedIsolate = { ...everywhere, isolate: false, restoreMocks: true, unstubGlobals: true };

/**
 * Resolves the packages to their sources. Vitest adds this to the conditions of each runtime. They must not
 * be repeated here: a project in workerd would then resolve `module` first.
 */
const ssr = { resolve: { conditions: [sourceCondition] } };

/** Tests of a library in workerd, the runtime that it is made for. */
const inWorkerd = (name: string, exclude: string[] = []) => ({
  ssr,
  plugins: [cloudflareTest({ miniflare: { compatibilityDate } })],
  test: { ...sharedIsolate, name, include: [`packages/${name}/test/**/*.test.ts`], exclude },
});

const migrations = async () => [
  ...(await readD1Migrations('packages/assistant-auth/migrations')),
  ...(await readD1Migrations('apps/words/migrations')),
];

type RateLimit = { name: string; namespace_id: string; simple: { limit: number; period: 10 | 60 } };

/** The rate limits and compatibility flags of the app, from the configuration of its deployment. */
const {
  ratelimits,
  compatibility_flags: compatibilityFlags,
}: { ratelimits: RateLimit[]; compatibility_flags: string[] } = unstable_readConfig({
  config: 'apps/words/wrangler.jsonc',
});

/**
 * Like `inWorkerd`, with a real D1 database, all migrations, and the app's compatibility flags and rate limiters.
 */
const withD1 = async (name: string, include: string) => ({
  ssr,
  plugins: [
    cloudflareTest({
      miniflare: {
        compatibilityDate,
        compatibilityFlags,
        d1Databases: ['DB', 'UNMIGRATED'],
        ratelimits: Object.fromEntries(ratelimits.map(({ name, ...counter }) => [name, counter])),
        bindings: { MIGRATIONS: await migrations(), RATE_LIMITS: ratelimits },
      },
    }),
  ],
  test: { ...sharedIsolate, name, include: [include] },
});

/** Black-box tests against the system that the setup file starts. */
const conformance = (name: string, setup: string, exclude: string[] = []) => ({
  ssr,
  // Vitest runs setup files in this environment.
  environments: { __vitest__: ssr },
  test: {
    ...everywhere,
    name,
    include: ['conformance/**/*.test.ts'],
    exclude: ['conformance/{mcp-tools,proxies}/**', ...exclude],
    globalSetup: [setup],
  },
});

/** Tests of the MCP endpoint with the tools of other projects, which are installed outside the workspace. */
const mcpTools = {
  ssr,
  environments: { __vitest__: ssr },
  test: {
    ...everywhere,
    name: 'mcp-tools',
    include: ['conformance/mcp-tools/*.test.ts'],
    globalSetup: ['conformance/on-workers.ts', 'conformance/mcp-tools/tools.ts'],
  },
};

/** Tests in Node that start what they need. */
const inNode = (name: string, ...include: string[]) => ({
  ssr,
  test: { ...everywhere, name, include },
});

/** The tests of what only runs on Node, or needs files or processes. */
const nodeTests = ['cli', 'node', 'storage/sqlite'].map(
  (folder) => `packages/assistant-auth/test/${folder}/**/*.test.ts`,
);

/** Tests of the packed packages on every runtime, and of the examples, in projects outside the workspace. */
const packed = {
  ssr,
  environments: { __vitest__: ssr },
  test: {
    ...everywhere,
    name: 'packages',
    include: ['test-packages/**/*.test.ts'],
    globalSetup: ['test-packages/project.ts'],
  },
};

export default defineConfig(async () => ({
  test: {
    // Two, even on a machine with two cores: the conformance tests mostly wait for the processes they start.
    maxWorkers: 2,
    projects: [
      inWorkerd('assistant-auth', ['packages/assistant-auth/test/storage/d1/**', ...nodeTests]),
      inWorkerd('assistant-operations'),
      await withD1('assistant-auth-d1', 'packages/assistant-auth/test/storage/d1/**/*.test.ts'),
      inNode('assistant-auth-node', ...nodeTests),
      await withD1('words', 'apps/words/test/**/*.test.ts'),
      await withD1('scale', 'bench/scale/test/**/*.test.ts'),
      // Not part of `npm test`, because it needs nginx and Caddy.
      inNode('proxies', 'conformance/proxies/**/*.test.ts'),
      inNode('lab', 'packages/lab/test/**/*.test.ts'),
      inNode('deploy', 'deploy/**/*.test.ts'),
      inNode('scripts', 'scripts/test/**/*.test.ts'),
      inNode('site', 'site/test/**/*.test.ts'),
      packed,
      conformance('conformance', 'conformance/on-workers.ts'),
      // Without tests that do not depend on the platform: commands, deployment and the page monitor.
      conformance('conformance-pages', 'conformance/on-pages.ts', [
        'conformance/{commands,deploying}/**',
        'conformance/browser/{chromium,vendor-clients}.test.ts',
      ]),
      mcpTools,
    ],
  },
}));
