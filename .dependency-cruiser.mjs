/**
 * Rules for imports between modules. ARCHITECTURE.md explains the layers; `npm run check` runs these rules.
 */
import { readFileSync } from 'node:fs';

const auth = '^packages/assistant-auth/src/';

/**
 * The folders and files of assistant-auth, and what each may import besides itself. Imports point downward
 * only.
 */
const layers = {
  'oauth/': [],
  'http/': ['oauth/'],
  'seal/': ['oauth/'],
  // `defaults.ts` has the timer with which storage in SQLite waits for a lock.
  'storage/': ['seal/', 'oauth/', 'defaults.ts'],
  'limits/': ['oauth/'],
  'clients/': ['limits/', 'oauth/'],
  'providers/': ['http/', 'oauth/'],
  'tokens/': ['storage/', 'seal/', 'oauth/'],
  'ui/': ['providers/', 'oauth/'],
};
const base = Object.keys(layers);
layers['context.ts'] = base;
// `defaults.ts` has the console, which gets the event of a log that threw.
layers['endpoint/'] = ['context.ts', 'defaults.ts', ...base];
layers['sign-in/'] = ['endpoint/', 'context.ts', ...base];

/** These do not import one another. */
const endpoints = [
  'authorization/',
  'account/',
  'mcp-clients/',
  'introspection.ts',
  'revocation.ts',
  'security-event-endpoints.ts',
];
for (const endpoint of endpoints) layers[endpoint] = ['sign-in/', 'endpoint/', 'context.ts', ...base];
layers['token-endpoint/'] = ['sign-in/', 'endpoint/', 'context.ts', ...base];
// It lists the grant types that the token endpoint supports.
layers['metadata.ts'] = ['token-endpoint/', 'endpoint/', 'context.ts', ...base];
layers['languages/'] = ['ui/', 'oauth/'];
layers['protect.ts'] = ['endpoint/', 'context.ts', ...base];

/** Entry points of their own. Nothing else imports them. */
const standalone = ['node/', 'cli/', 'testing/'];
// It logs the requests that it refuses itself.
layers['node/'] = ['broker.ts', 'endpoint/', 'defaults.ts', ...base];
layers['cli/'] = base;
layers['testing/'] = ['defaults.ts', ...base];

const pattern = (names) => `${auth}(${names.map((name) => name.replace('.', '\\.')).join('|')})`;

const layerRules = Object.entries(layers).map(([name, allowed]) => ({
  name: `assistant-auth-${name.replace(/\/$|\.ts$/, '')}`,
  comment: `${name} may import ${allowed.join(', ') || 'nothing else of assistant-auth'}`,
  severity: 'error',
  from: { path: pattern([name]) },
  to: { path: auth, pathNot: pattern([name, ...allowed]) },
}));

/** The source files of a package's entry points. */
const findEntryPoints = (folder) =>
  Object.values(JSON.parse(readFileSync(`${folder}/package.json`, 'utf8')).exports)
    .map((target) => target['dev-source'])
    .filter((source) => source !== undefined)
    .map((source) => `^${folder}/${source.slice(2).replaceAll('.', '\\.')}$`);

const packageSources = '^packages/assistant-(auth|operations)/src/';
const entryPoints = ['packages/assistant-auth', 'packages/assistant-operations'].flatMap(findEntryPoints);

/** @type {import('dependency-cruiser').IConfiguration} */
const configuration = {
  forbidden: [
    ...layerRules,
    {
      name: 'account-is-opt-in',
      comment:
        'Only assistant-auth/account imports the account page, so a bundle without that import does not contain it.',
      severity: 'error',
      from: { path: auth, pathNot: `${auth}account/` },
      to: { path: `${auth}account/` },
    },
    {
      name: 'account-methods-are-opt-in',
      comment:
        'Only the account page, the command and the tests for publishers import its methods of storage in SQL, so a bundle without them does not contain these methods.',
      severity: 'error',
      from: {
        path: auth,
        pathNot: pattern(['account/', 'cli/', 'testing/', 'storage/sqlite/account-methods.ts']),
      },
      to: { path: pattern(['storage/sqlite/account-methods.ts', 'storage/sqlite/accounts.ts']) },
    },
    {
      name: 'mcp-clients-are-opt-in',
      comment: 'Only assistant-auth/mcp-clients imports them.',
      severity: 'error',
      from: { path: auth, pathNot: `${auth}mcp-clients/` },
      to: { path: `${auth}mcp-clients/` },
    },
    {
      name: 'google-events-are-opt-in',
      comment:
        'Only assistant-auth/google-events imports how Google’s security events are read, so a bundle without that import does not contain it.',
      severity: 'error',
      from: { path: auth, pathNot: pattern(['providers/google-events.ts']) },
      to: { path: pattern(['providers/google-events.ts', 'providers/security-events/google.ts']) },
    },
    {
      name: 'languages-are-opt-in',
      comment:
        'Only assistant-auth/languages imports them, so a bundle without that import has only English texts.',
      severity: 'error',
      from: { path: auth, pathNot: `${auth}languages/` },
      to: { path: `${auth}languages/` },
    },
    ...standalone.map((name) => ({
      name: `${name.slice(0, -1)}-stands-alone`,
      comment: `Nothing else imports ${name}.`,
      severity: 'error',
      from: { path: auth, pathNot: pattern([name]) },
      to: { path: pattern([name]) },
    })),
    {
      name: 'assistant-auth-dependencies',
      comment: 'assistant-auth runs on any runtime with the Fetch API: one dependency, no platform, no app.',
      severity: 'error',
      from: { path: auth, pathNot: pattern(['node/', 'cli/']) },
      to: { pathNot: `${auth}|node_modules/jose/` },
    },
    {
      name: 'jose-in-providers',
      comment:
        'Only requests to providers, the fake provider and client assertions use this library. The broker implements the rules of its own endpoints.',
      severity: 'error',
      from: { path: auth, pathNot: pattern(['providers/', 'testing/', 'mcp-clients/']) },
      to: { path: 'node_modules/jose/' },
    },
    {
      name: 'operations-stand-alone',
      comment: 'assistant-operations and assistant-auth do not import each other.',
      severity: 'error',
      from: { path: '^packages/assistant-operations/src/' },
      to: { path: '^(packages|apps)/[^/]+/src/', pathNot: '^packages/assistant-operations/src/' },
    },
    {
      name: 'hono-is-opt-in',
      comment:
        'Only assistant-operations/hono imports Hono, which is an optional peer dependency, and the game does not.',
      severity: 'error',
      from: { path: '^(packages/assistant-operations|apps/words)/src/', pathNot: 'src/hono\\.ts$' },
      to: { path: ['node_modules/hono/', '^packages/assistant-operations/src/hono\\.ts$'] },
    },
    {
      name: 'mcp-sdk-is-opt-in',
      comment:
        'Only mcp/server.ts of assistant-operations imports the MCP SDK, and only mcp.ts imports that file, with import().',
      severity: 'error',
      from: { path: '^packages/assistant-operations/src/', pathNot: 'src/mcp(/server)?\\.ts$' },
      to: {
        path: ['node_modules/@modelcontextprotocol/', '^packages/assistant-operations/src/mcp/server\\.ts$'],
      },
    },
    {
      name: 'mcp-sdk-on-first-use',
      comment: 'mcp.ts does not evaluate the MCP SDK when it is imported.',
      severity: 'error',
      from: { path: '^packages/assistant-operations/src/mcp\\.ts$' },
      to: {
        path: ['node_modules/@modelcontextprotocol/', '^packages/assistant-operations/src/mcp/server\\.ts$'],
        dependencyTypesNot: ['dynamic-import', 'type-only'],
      },
    },
    {
      name: 'entry-points-only',
      comment: 'Other folders import a package through the entry points in its package.json.',
      severity: 'error',
      from: { path: '^(apps|examples|bench|packages/lab)/' },
      to: { path: packageSources, pathNot: entryPoints },
    },
    {
      name: 'entry-points-and-command-only',
      comment:
        'The commands of this repository and their tests also import the command assistant-auth, which is not an entry point: its functions are not a public API.',
      severity: 'error',
      from: { path: '^(scripts|conformance)/' },
      to: { path: packageSources, pathNot: [...entryPoints, pattern(['cli/'])] },
    },
    {
      name: 'game-is-pure',
      comment: 'The game imports no storage, no pages and no sign-in.',
      severity: 'error',
      from: { path: '^apps/words/src/game/' },
      to: { pathNot: '^apps/words/src/game/' },
    },
    {
      name: 'not-deployed',
      comment: 'Fake providers, emulated clients, scripts and tests are never part of a deployment.',
      severity: 'error',
      from: { path: '^(packages/assistant-(auth|operations)/src|apps/[^/]+/(src|pages))/' },
      to: { path: '^(packages/lab|scripts|conformance|bench)/|/test/|node_modules/(emulate|oidc-provider)/' },
    },
    {
      name: 'examples-use-packages-only',
      comment: 'An example must work when it is copied to another project.',
      severity: 'error',
      from: { path: '^examples/' },
      to: { path: '^(apps|packages/lab|scripts|conformance|bench|test-packages)/' },
    },
    {
      name: 'no-node-built-ins',
      comment: 'Deployed code must not use Node built-ins, although workerd provides them.',
      severity: 'error',
      from: {
        path: '^(packages/assistant-(auth|operations)|apps/[^/]+)/src/',
        pathNot: pattern(['node/', 'cli/']),
      },
      to: { dependencyTypes: ['core'] },
    },
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'not-to-unresolvable',
      severity: 'error',
      from: {},
      // libSQL and Fastify are installed only in the project that the tests of the packed packages create.
      to: { couldNotResolve: true, pathNot: '^(cloudflare:|@libsql/client$|fastify$)' },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.base.json' },
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['dev-source', 'import', 'types', 'default'],
    },
  },
};

export default configuration;
