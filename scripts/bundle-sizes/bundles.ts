/** The bundles whose size is checked: what each one imports, its budget, and which modules it may contain. */
import { dirname, resolve } from 'node:path';
import { unstable_readConfig } from 'wrangler';
import { wranglerConfig } from '../app/paths.ts';
import { listEntryPoints, readPackage } from '../packages/package.ts';
import { budgets } from './budgets.ts';

/** A bundle and its rules. Paths of modules are relative to the repository. */
export interface BundleDefinition {
  readonly name: string;
  /** The maximum compressed size in bytes. */
  readonly budget: number;
  /** The source code of the entry point, and the folder that its imports are resolved from. */
  readonly entry: { readonly code: string; readonly folder: string };
  /** Conditions for `exports` of packages, besides `dev-source`, `import` and `default`. */
  readonly conditions: readonly string[];
  /** Modules that are replaced: the path of each replacement, by specifier. Default: none. */
  readonly alias?: Readonly<Record<string, string>>;
  /** The start of each path that is allowed. */
  readonly sources: readonly string[];
  /** Modules that must not be there, although `sources` contains their folder. */
  readonly excluded: RegExp;
  /** Modules that must be there. Without these, an empty bundle would meet all rules. */
  readonly required: readonly string[];
}

const auth = 'packages/assistant-auth/src/';
/** The code of the library and its dependency. No test code, and nothing of `lab`. */
const librarySources = [auth, 'node_modules/jose/'];

/** Google without its security events, and what it shares with every other OpenID Connect issuer. */
const googleModules =
  '(google|oidc|issuer|identity|config|http|oauth-client|oauth-requests|provider|recheck)\\.ts$';

/** Opt-in parts, and all providers except those whose modules are listed. */
const excludeFromCore = (providerModules: string): RegExp =>
  new RegExp(
    `^${auth}(account/|languages/|mcp-clients/|providers/(?!${providerModules})|clients/static|resource-server|storage/memory|storage/sqlite/(account|admin)|node/|testing/|cli/)`,
  );

const core: BundleDefinition = {
  name: 'core with Google and D1',
  budget: budgets.core,
  entry: {
    code:
      `export { createBroker, google, gptAction } from 'assistant-auth';\n` +
      `export { d1Storage } from 'assistant-auth/d1';`,
    folder: '.',
  },
  conditions: [],
  sources: librarySources,
  excluded: excludeFromCore(googleModules),
  required: [`${auth}broker.ts`, `${auth}providers/google.ts`, `${auth}storage/sqlite/d1.ts`],
};

/** The modules of `oauth2()`, on which GitHub is based. */
const oauth2Modules =
  '(github|oauth2|identity|config|option-rules|http|oauth-client|oauth-requests|provider|recheck)\\.ts$';

/** Without `jose`, because GitHub signs nothing. */
const coreWithGitHub: BundleDefinition = {
  ...core,
  name: 'core with GitHub and D1',
  budget: budgets.coreWithGitHub,
  entry: { ...core.entry, code: core.entry.code.replace('google', 'github') },
  sources: [auth],
  excluded: excludeFromCore(oauth2Modules),
  required: [`${auth}broker.ts`, `${auth}providers/github.ts`],
};

/**
 * No broker imports the first two in production: `memory` loses everything when the process ends. The third one
 * consists of texts, and each further language would add more, so it has its own budget.
 */
const otherEntryPoints = ['assistant-auth/testing', 'assistant-auth/memory', 'assistant-auth/languages'];

/**
 * Imported first. So all SQL is next to each other in the bundle, and gzip finds what the statements have in
 * common.
 */
const storageEntryPoints = ['d1', 'sqlite', 'account'].map((name) => `assistant-auth/${name}`);

const authPackage = readPackage('packages/assistant-auth');

const everything: BundleDefinition = {
  name: 'everything',
  budget: budgets.everything,
  entry: {
    code: [
      ...new Set([...storageEntryPoints, ...listEntryPoints(authPackage).map((entry) => entry.specifier)]),
    ]
      .filter((specifier) => !otherEntryPoints.includes(specifier))
      .map((specifier) => `export * from '${specifier}';`)
      .join('\n'),
    folder: '.',
  },
  conditions: [],
  sources: librarySources,
  excluded: new RegExp(`^${auth}(testing/|cli/|languages/|storage/memory)`),
  required: [
    ...['account/index', 'clients/introspection-client', 'clients/static', 'mcp-clients/index'],
    'resource-server',
    ...['seal/sealer', 'storage/sqlite/account-methods', 'storage/sqlite/d1'],
    ...['apple', 'github', 'google', 'google-events', 'microsoft', 'oauth2', 'oidc'].map(
      (name) => `providers/${name}`,
    ),
  ].map((name) => `${auth}${name}.ts`),
};

const languages: BundleDefinition = {
  name: 'languages',
  budget: budgets.languages,
  entry: { code: `export * from 'assistant-auth/languages';`, folder: '.' },
  conditions: [],
  sources: [`${auth}languages/`, `${auth}oauth/`, `${auth}ui/texts.ts`],
  excluded: /^$/,
  required: [`${auth}languages/german.ts`],
};

const resourceServer: BundleDefinition = {
  name: 'resource server',
  budget: budgets.resourceServer,
  entry: { code: `export { createResourceServer } from 'assistant-auth/resource-server';`, folder: '.' },
  conditions: [],
  sources: [auth],
  excluded: new RegExp(
    `^${auth}(account|authorization|clients|mcp-clients|providers|sign-in|storage/memory|storage/sqlite|token-endpoint|ui)(/|\\.ts$)`,
  ),
  required: [`${auth}resource-server.ts`, `${auth}protect.ts`],
};

const operations = 'packages/assistant-operations/src/';
/** Without Hono, which only `assistant-operations/hono` imports. */
const operationsLibraries = ['valibot', '@valibot/to-json-schema', '@modelcontextprotocol', 'zod'];

const allOperations: BundleDefinition = {
  name: 'operations over HTTP and MCP',
  budget: budgets.operations,
  entry: {
    code:
      `export * from 'assistant-operations';\n` + `export { mcpHandler } from 'assistant-operations/mcp';`,
    folder: 'apps/words',
  },
  conditions: ['workerd', 'worker', 'browser'],
  sources: [operations, ...operationsLibraries.map((name) => `node_modules/${name}/`)],
  excluded: /^$/,
  required: [`${operations}http/handler.ts`, `${operations}mcp/server.ts`],
};

const worker: BundleDefinition = {
  name: 'the game’s Worker',
  budget: budgets.worker,
  entry: { code: `export { default } from './worker.ts';`, folder: 'apps/words/src' },
  // Those of Wrangler.
  conditions: ['workerd', 'worker', 'browser'],
  alias: Object.fromEntries(
    Object.entries(unstable_readConfig({ config: wranglerConfig }).alias ?? {}).map(([specifier, path]) => [
      specifier,
      resolve(dirname(wranglerConfig), String(path)),
    ]),
  ),
  sources: [
    ...librarySources,
    ...['apps/words/src/', operations],
    ...operationsLibraries.map((name) => `node_modules/${name}/`),
  ],
  excluded: new RegExp(`^${auth}(testing|cli|node)/`),
  required: ['apps/words/src/worker.ts', `${auth}broker.ts`, `${operations}http/handler.ts`],
};

export const bundles: readonly BundleDefinition[] = [
  core,
  coreWithGitHub,
  everything,
  languages,
  resourceServer,
  allOperations,
  worker,
];
