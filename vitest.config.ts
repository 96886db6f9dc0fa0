import { cloudflareTest, readD1Migrations } from '@cloudflare/vitest-plugin';
import { defineConfig } from 'vitest/config';
import { unstable_readConfig } from 'wrangler';

const compatibilityDate = '2026-10-20';

/** Against tests that hang. On a busy machine any test may take its time. */
const timeouts = { testTimeout: 600_000, hookTimeout: 600_000 };

/** A library's tests, inside workerd: the runtime it is made for. */
const inWorkerd = (name: string, exclude: string[] = []) => ({
  plugins: [cloudflareTest({ miniflare: { compatibilityDate } })],
  test: { ...timeouts, name, include: [`packages/${name}/test/**/*.test.ts`], exclude },
});

const migrations = async () => [
  ...(await readD1Migrations('packages/assistant-auth/migrations')),
  ...(await readD1Migrations('apps/words/migrations')),
];

type RateLimit = { name: string; namespace_id: string; simple: { limit: number; period: 10 | 60 } };

/** What Cloudflare counts for the app, as its deployment asks for it. */
const { ratelimits }: { ratelimits: RateLimit[] } = unstable_readConfig({
  config: 'apps/words/wrangler.jsonc',
});

/** The same with a real D1, all migrations at hand, and Cloudflare's rate limiters. */
const withD1 = async (name: string, include: string, d1Databases = ['DB']) => ({
  plugins: [
    cloudflareTest({
      miniflare: {
        compatibilityDate,
        d1Databases,
        ratelimits: Object.fromEntries(ratelimits.map(({ name, ...counter }) => [name, counter])),
        bindings: { MIGRATIONS: await migrations(), RATE_LIMITS: ratelimits },
      },
    }),
  ],
  test: { ...timeouts, name, include: [include] },
});

/** Black-box tests against the system that the set-up starts. */
const conformance = (name: string, setup: string, exclude: string[] = []) => ({
  test: { ...timeouts, name, include: ['conformance/**/*.test.ts'], exclude, globalSetup: [setup] },
});

/** Tests in Node that start what they need themselves. */
const inNode = (name: string, include: string) => ({ test: { ...timeouts, name, include: [include] } });

export default defineConfig(async () => ({
  test: {
    projects: [
      inWorkerd('assistant-auth', ['packages/assistant-auth/test/storage/d1/**']),
      inWorkerd('assistant-operations'),
      await withD1('assistant-auth-d1', 'packages/assistant-auth/test/storage/d1/**/*.test.ts'),
      await withD1('words', 'apps/words/test/**/*.test.ts'),
      await withD1('scale', 'bench/scale/test/**/*.test.ts', ['SHARD_0', 'SHARD_1', 'SHARD_2', 'SHARD_3']),
      inNode('lab', 'packages/lab/test/**/*.test.ts'),
      inNode('deploy', 'deploy/**/*.test.ts'),
      inNode('examples', 'examples/*/test/**/*.test.ts'),
      conformance('conformance', 'conformance/on-workers.ts'),
      // Without what is the same for both: the commands, and the browser that the tests look through.
      conformance('conformance-pages', 'conformance/on-pages.ts', [
        'conformance/{commands,deploying}/**',
        'conformance/browser/chromium.test.ts',
      ]),
    ],
  },
}));
