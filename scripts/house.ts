/** The house's arrows: who may import whom. ARCHITECTURE.md draws the same. `npm run check` holds the code against it. */
import type { IForbiddenRuleType, IRegularForbiddenRuleType } from 'dependency-cruiser';

type From = IForbiddenRuleType['from'];
type To = IRegularForbiddenRuleType['to'];

const broker = '^packages/assistant-auth/src/';

/** Rooms of the broker, and the rooms each may import besides itself. Nothing else is allowed. */
const folderDependencies: Readonly<Record<string, readonly string[]>> = {
  protocol: [],
  seal: ['protocol'],
  http: ['protocol'],
  pages: ['protocol'],
  clients: ['protocol'],
  providers: ['protocol'],
  limits: ['protocol'],
  storage: ['protocol'],
  tokens: ['ledger', 'protocol', 'seal'],
  vouching: ['providers', 'tokens', 'ledger', 'protocol'],
  grants: ['clients', 'providers', 'vouching', 'tokens', 'ledger', 'limits', 'protocol'],
  doors: ['clients', 'providers', 'tokens', 'ledger', 'limits', 'pages', 'http', 'protocol'],
  'sign-in': ['clients', 'providers', 'tokens', 'ledger', 'limits', 'http', 'protocol'],
  endpoints: [
    ...[
      'sign-in',
      'doors',
      'grants',
      'vouching',
      'clients',
      'providers',
      'tokens',
      'ledger',
      'limits',
      'pages',
      'http',
      'protocol',
    ],
  ],
};

const folderRules: readonly IRegularForbiddenRuleType[] = Object.entries(folderDependencies).map(
  ([folder, allowedImports]) => ({
    name: `broker-${folder}`,
    comment: `packages/assistant-auth/src/${folder} may import ${allowedImports.join(', ') || 'nothing of ours'}`,
    severity: 'error',
    from: { path: `${broker}${folder}/` },
    to: {
      path: '^(packages|apps)/[^/]+/src/',
      pathNot: `${broker}(${[folder, ...allowedImports].join('|')})/`,
    },
  }),
);

const store = '^packages/assistant-auth/src/storage/sqlite/';

/** Rooms of the store, and the rooms each may import besides itself and what lies beside them. */
const storeFolderDependencies: Readonly<Record<string, readonly string[]>> = {
  'provider-tokens': [],
  grants: ['provider-tokens'],
  people: ['grants', 'provider-tokens'],
};

const storeRules: readonly IRegularForbiddenRuleType[] = Object.entries(storeFolderDependencies).map(
  ([folder, allowedImports]) => ({
    name: `store-d1-${folder}`,
    comment: `packages/assistant-auth/src/storage/sqlite/${folder} may import of the other rooms ${allowedImports.join(' and ') || 'none'}`,
    severity: 'error',
    from: { path: `${store}${folder}/` },
    to: { path: `${store}[^/]+/`, pathNot: `${store}(${[folder, ...allowedImports].join('|')})/` },
  }),
);

const forbid = (name: string, comment: string, from: From, to: To): IRegularForbiddenRuleType => ({
  name,
  comment,
  severity: 'error',
  from,
  to,
});

export const dependencyRules = {
  forbidden: [
    ...folderRules,
    ...storeRules,
    forbid('no-circle', 'a house has no stairs that end where they began', {}, { circular: true }),
    forbid(
      'broker-stands-alone',
      'the broker runs on any Fetch runtime: two dependencies, no platform, no app',
      { path: broker },
      { pathNot: `${broker}|oauth4webapi|node_modules/jose/` },
    ),
    forbid(
      'provider-leg-only',
      'oauth4webapi and jose serve the providers, nobody else',
      { path: broker, pathNot: `${broker}providers/` },
      { path: 'oauth4webapi|node_modules/jose/' },
    ),
    forbid(
      'store-d1-knows-the-broker',
      'the store implements the broker’s port and knows nothing else',
      { path: store },
      { pathNot: `${store}|${broker}index.ts` },
    ),
    forbid(
      'operations-stand-alone',
      'an operation is not the broker’s business, nor the other way round',
      { path: '^packages/assistant-operations/src/' },
      { path: '^(packages|apps)/[^/]+/src/', pathNot: '^packages/assistant-operations/src/' },
    ),
    forbid(
      'faces-only',
      'a package is entered through its face',
      { path: '^(apps|examples|scripts|conformance|bench|packages/lab)/' },
      {
        path: '^packages/(broker|store-d1|operations)/src/',
        pathNot: '/src/(index|resource-server|seal/index).ts$',
      },
    ),
    forbid(
      'game-is-pure',
      'the game knows no storage, no pages, no sign-in',
      { path: '^apps/words/src/game/' },
      { pathNot: '^apps/words/src/game/' },
    ),
    forbid(
      'lab-stays-outside',
      'stand-ins and demo clients cannot reach a deployment',
      { path: '^(packages/(broker|store-d1|operations)|apps)/' },
      { path: '^(packages/lab|scripts|conformance|bench)/|emulate|oidc-provider' },
    ),
    forbid(
      'examples-are-copied',
      'an example stands on the packages alone, as it will where it is copied to',
      { path: '^examples/[^/]+/(src|functions)/' },
      { path: '^(apps|packages/lab|scripts|conformance|bench)/' },
    ),
    forbid(
      'no-node-in-what-is-deployed',
      'workerd offers Node built-ins unasked; what is deployed does without',
      { path: '^(packages/(broker|store-d1|operations)|apps)/.*src/' },
      { dependencyTypes: ['core'] },
    ),
    forbid(
      'resolvable',
      'an import that leads nowhere',
      {},
      { couldNotResolve: true, pathNot: '^cloudflare:' },
    ),
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.base.json' },
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'types', 'default'] },
  },
};
