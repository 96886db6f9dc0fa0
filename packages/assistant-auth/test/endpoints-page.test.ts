/** The table of endpoints and the examples of metadata in docs/reference/endpoints.md. */
import { describe, expect, it } from 'vitest';
import page from '../../../docs/reference/endpoints.md?raw';
import { type BrokerOptions, google, oidc, staticClient } from '../src/index.ts';
import { mcpClients } from '../src/mcp-clients/index.ts';
import { googleSecurityEvents } from '../src/providers/google-events.ts';
import { deploy, serverSecret } from './deployment.ts';
import { createProvider } from './fake-provider.ts';

const issuer = 'https://api.example';
const mcpUrl = `${issuer}/mcp`;

/** The rows of the table: `path`, `methods`, who calls it, when it exists, and its name in the log. */
const rows = [
  ...page.matchAll(/^\| \[`(\/\S+)`\]\(\S+\) \| ([A-Z, ]+) \| [^|]+ \| ([^|]+) \| `([\w-]+)` \|$/gm),
].map(([, path = '', methods = '', condition = '', name = '']) => ({
  ...{ path, condition, name },
  methods: methods.split(', '),
}));

const credentials = { clientId: 'my-api', clientSecret: 'not-a-secret' };
const withAcme = (options: Partial<Parameters<typeof oidc>[0]> = {}) =>
  oidc({ id: 'acme', displayName: 'Acme', issuer: 'https://id.example', ...credentials, ...options });
const mcp = mcpClients({ fetch: () => Promise.reject(new Error('no network')) });
const server = staticClient({
  ...{ id: 'my-server', name: 'My server', redirectUris: ['https://app.example/callback'] },
  ...{ secrets: [serverSecret], scopes: ['account', 'dice'] },
});

/** The least that a broker needs. */
const minimum = {
  issuer,
  resources: ['https://orders.example'],
  scopes: { account: 'see your user ID', dice: 'roll dice for you' },
  clients: [server],
  providers: [createProvider('acme', 'Acme')],
} satisfies Partial<BrokerOptions>;

/** Every feature that has endpoints, with providers of both response modes. */
const everything = {
  ...minimum,
  resources: [issuer, mcpUrl],
  clients: [mcp, server],
  providers: [
    google({ ...credentials, securityEvents: googleSecurityEvents() }),
    withAcme({ responseMode: 'form_post' }),
  ],
} satisfies Partial<BrokerOptions>;

/** Lists the paths of a broker as the page writes them. */
const listPaths = (options: Partial<BrokerOptions>, hasAccountPage = false): readonly string[] => {
  const { paths } = deploy(options, { hasAccountPage });
  const written = paths.map((path) =>
    path
      .replace(/\/$/, '/<provider>')
      .replace(/(?<=\/icons\/)[\w-]+(?=\.svg$)/, '<provider>')
      .replace(/(?<=\/oauth-protected-resource)(?:\/.*)?$/, '<path>'),
  );
  return [...new Set(written)].toSorted();
};

const selectPaths = (select: (row: (typeof rows)[number]) => boolean): readonly string[] =>
  rows
    .filter(select)
    .map(({ path }) => path)
    .toSorted();

const isAlways = ({ condition }: { readonly condition: string }) => condition === 'always';

describe('the table of endpoints', () => {
  it('lists exactly the endpoints of a broker with every feature', () => {
    expect(selectPaths(() => true)).toEqual(listPaths(everything, true));
  });

  it('says which endpoints exist without any option', () => {
    expect(selectPaths(isAlways)).toEqual(listPaths(minimum));
  });

  it.each<[condition: string, options: Partial<BrokerOptions>, hasAccountPage?: boolean]>([
    ['with `account`', {}, true],
    ['with `mcpClients()`', { clients: [mcp, server] }],
    ['for resources of this origin', { resources: [issuer] }],
    ['with an `oidc()` provider', { providers: [withAcme()] }],
  ])('says which endpoints exist %s', (condition, options, hasAccountPage) => {
    const expected = selectPaths((row) => isAlways(row) || row.condition === condition);
    expect(expected.length).toBeGreaterThan(selectPaths(isAlways).length);
    expect(listPaths({ ...minimum, ...options }, hasAccountPage)).toEqual(expected);
  });

  it.each(rows)('has the methods of $path, and its name in the log', async ({ path, methods, name }) => {
    const { broker, log } = deploy(everything);
    const allowed = new Set<string>();
    const names = new Set<string | undefined>();
    for (const provider of ['google', 'acme']) {
      const url = issuer + path.replace('<provider>', provider).replace('<path>', '/mcp');
      log.splice(0);
      const response = await broker.handle(new Request(url, { method: 'PATCH' }));
      // Only providers with an icon have one.
      if (response === undefined) continue;
      expect(response.status).toBe(405);
      for (const method of response.headers.get('allow')?.split(', ') ?? []) allowed.add(method);
      for (const { endpoint } of log) names.add(endpoint);
    }
    expect([...allowed].toSorted()).toEqual(methods.toSorted());
    expect([...names]).toEqual([name]);
  });
});

it.each([
  ['the broker', '/.well-known/oauth-authorization-server'],
  ['a resource', '/.well-known/oauth-protected-resource/mcp'],
])('has the metadata of %s as an example', async (what, path) => {
  const [, section = ''] = page.split(`\n### Metadata of ${what}\n`);
  const [, example = ''] = /```json\n([^`]+)```/.exec(section) ?? [];
  const response = await deploy(everything).fetch(new Request(issuer + path));
  expect(JSON.parse(example)).toEqual(await response.json());
});
