import { readdirSync, readFileSync } from 'node:fs';
import { google, oidc } from 'assistant-auth';
import { accountPages } from 'assistant-auth/account';
import { googleSecurityEvents } from 'assistant-auth/google-events';
import { mcpClients } from 'assistant-auth/mcp-clients';
import { memoryStorage } from 'assistant-auth/memory';
import { describe, expect, it } from 'vitest';
import { gameApi } from '../../apps/words/src/api/game-api.ts';
import { mcpPath } from '../../apps/words/src/api/mcp-endpoint.ts';
import { documentPaths } from '../../apps/words/src/api/openapi-document.ts';
import { callbackPath } from '../../apps/words/src/play/session.ts';
import { listPaths } from '../../packages/assistant-auth/test/deployment.ts';

interface Rule {
  readonly ref: string;
  readonly description: string;
  readonly expression: string;
  readonly action: string;
  readonly action_parameters?: Readonly<Record<string, unknown>>;
  readonly ratelimit?: Readonly<Record<string, unknown>>;
  readonly enabled: boolean;
}

const read = (file: string): string => readFileSync(new URL(file, import.meta.url), 'utf8');
const readRules = (file: string): readonly Rule[] => JSON.parse(read(file));

const customRules = readRules('custom-rules.json');
const rateLimitRules = readRules('rate-limit-rules.json');
const allRules = [...customRules, ...rateLimitRules];
const findRule = (ref: string): Rule => {
  const rule = allRules.find((candidate) => candidate.ref === ref);
  if (rule === undefined) throw new Error(`there is no rule ${ref}`);
  return rule;
};

/** What users open in a browser. A name that ends in a slash matches all paths that start with it. */
const browserPaths = ['/authorize', '/account', '/play/callback', '/authorize/', '/account/', '/callback/'];
/** What hosted clients, other APIs and providers request. All users of a client share its addresses. */
const serverPaths = [
  ...['/mcp', '/register', '/token', '/revoke', '/introspect', '/openapi.json', '/openapi.yaml'],
  ...['/api/', '/backchannel-logout/', '/events/', '/.well-known/'],
];
const blockedPatterns = {
  prefixes: ['/.', '/wp-', '/cgi-bin/'],
  suffixes: ['.php', '.asp', '.aspx', '.jsp', '.env', '.sql', '.bak'],
};

const startsWith = (prefix: string): string => `starts_with(http.request.uri.path, "${prefix}")`;
const endsWith = (suffix: string): string => `ends_with(http.request.uri.path, "${suffix}")`;

/** Builds the expression that matches the named paths. */
const buildPathExpression = (paths: readonly string[]): string => {
  const exact = paths.filter((name) => !name.endsWith('/')).map((name) => `"${name}"`);
  const prefixes = paths.filter((name) => name.endsWith('/')).map(startsWith);
  return [`http.request.uri.path in {${exact.join(' ')}}`, ...prefixes].join(' or ');
};

const isNamed = (paths: readonly string[], path: string): boolean =>
  paths.some((name) => (name.endsWith('/') ? path.startsWith(name) : path === name));
const isBlocked = (path: string): boolean =>
  !isNamed([...browserPaths, ...serverPaths], path) &&
  (blockedPatterns.prefixes.some((prefix) => path.startsWith(prefix)) ||
    blockedPatterns.suffixes.some((suffix) => path.endsWith(suffix)));

/**
 * The paths that the app's code handles, with every optional feature, except the pages of the site, which are files. A
 * trailing `*` matches anything.
 */
const routes: readonly string[] = [
  ...listPaths({
    issuer: 'https://words.example',
    sealingKeys: 'test-1.nJf9-2P7jQRmJJYTuxkQlkw9BQVyIGT9UVsbqpYP25g',
    scopes: { words: 'read the word lists' },
    clients: [mcpClients({ fetch })],
    providers: [
      google({ clientId: 'id', clientSecret: 'secret', securityEvents: googleSecurityEvents() }),
      oidc({
        id: 'acme',
        displayName: 'Acme',
        issuer: 'https://id.example',
        clientId: 'id',
        clientSecret: 'secret',
      }),
    ],
    storage: memoryStorage(),
    account: accountPages(),
  }).map((path) => (path.endsWith('/') ? `${path}*` : path)),
  mcpPath,
  callbackPath,
  ...gameApi.operations.map(({ path }) => path),
  ...documentPaths,
];

describe('the rules', () => {
  it('only skip other checks or block', () => {
    expect(allRules.map(({ ref, action }) => [ref, action])).toEqual([
      ['never_challenge_sign_in_and_api', 'skip'],
      ['block_searches_for_other_software', 'block'],
      ['limit_pages_by_address', 'block'],
    ]);
  });

  it('fit the free plan: five custom rules, one rate limit by address within ten seconds', () => {
    expect(customRules.length).toBeLessThanOrEqual(5);
    expect(rateLimitRules.map(({ ratelimit }) => ratelimit)).toEqual([
      {
        characteristics: ['cf.colo.id', 'ip.src'],
        period: 10,
        requests_per_period: 200,
        mitigation_timeout: 10,
      },
    ]);
  });

  it.each(allRules.map((rule) => [rule.ref, rule] as const))(
    'are enabled, described, and within the length that Cloudflare accepts: %s',
    (ref, { description, enabled, expression }) => {
      expect(description).toMatch(/^[A-Z].{60,300}\.$/);
      expect(read('README.md')).toContain(`\`${ref}\``);
      expect(enabled).toBe(true);
      expect(expression.length).toBeGreaterThan(0);
      expect(expression.length).toBeLessThanOrEqual(4096);
    },
  );

  it('have only members that Cloudflare’s API and Terraform’s resource define', () => {
    const knownMembers = ['ref', 'description', 'expression', 'action', 'action_parameters'];
    const members = new Set(allRules.flatMap((rule) => Object.keys(rule)));
    expect([...knownMembers, 'logging', 'ratelimit', 'enabled']).toEqual(
      expect.arrayContaining([...members]),
    );
    expect(members).toContain('expression');
    expect(customRules[0]?.action_parameters).toEqual({
      ruleset: 'current',
      phases: ['http_request_sbfm', 'http_request_firewall_managed'],
      products: ['bic', 'hot', 'securityLevel', 'uaBlock'],
    });
  });

  it('are the files that Terraform applies, each in its phase', () => {
    const applied = [...read('main.tf').matchAll(/phase\s+= "(\w+)"\s+rules\s+= .*\/([\w-]+\.json)"/g)];
    expect(applied.map(([, phase, file]) => [phase, file])).toEqual([
      ['http_request_firewall_custom', 'custom-rules.json'],
      ['http_ratelimit', 'rate-limit-rules.json'],
    ]);
  });

  it.each(['README.md', '../../docs/game/limits.md'])('have the numbers that %s states', (page) => {
    const { period, requests_per_period, mitigation_timeout } =
      findRule('limit_pages_by_address').ratelimit ?? {};
    expect(read(page).replaceAll(/\s+/g, ' ')).toContain(
      `an address for ${mitigation_timeout} seconds after ${requests_per_period} requests in ${period} seconds`,
    );
  });
});

describe('the paths', () => {
  it('that skip other checks are those of the sign-in, the account page, the API and the documents', () => {
    const paths = [...browserPaths, ...serverPaths];
    expect(findRule('never_challenge_sign_in_and_api').expression).toBe(buildPathExpression(paths));
  });

  it('that are not rate-limited by address are those that servers request', () => {
    expect(findRule('limit_pages_by_address').expression).toBe(`not (${buildPathExpression(serverPaths)})`);
  });

  it('that are blocked start or end like those of other software', () => {
    const conditions = [
      ...blockedPatterns.prefixes.map(startsWith),
      ...blockedPatterns.suffixes.map(endsWith),
    ];
    expect(findRule('block_searches_for_other_software').expression).toBe(conditions.join(' or '));
  });

  it('include every route of the app, each for browsers or for servers', () => {
    expect(routes.length).toBeGreaterThan(20);
    const kinds = routes.map((path) => [path, isNamed(browserPaths, path), isNamed(serverPaths, path)]);
    expect(kinds.filter(([, byBrowsers, byServers]) => byBrowsers === byServers)).toEqual([]);
  });

  it('are all routes of the app', () => {
    const unused = [...browserPaths, ...serverPaths].filter(
      (name) => !routes.some((path) => isNamed([name], path)),
    );
    expect(unused).toEqual([]);
  });

  it('that are blocked include no file of the site and no route', () => {
    const files = readdirSync(new URL('../../apps/words/public', import.meta.url), { recursive: true });
    // Wrangler reads .assetsignore and does not upload it.
    const servedPaths = files.filter((file) => file !== '.assetsignore').map((file) => `/${file}`);
    expect(servedPaths).toContain('/en/index.html');
    expect([...servedPaths, ...routes].filter(isBlocked)).toEqual([]);
  });

  it.each([
    '/.env',
    '/.git/config',
    '/wp-login.php',
    '/wp-admin/',
    '/blog/xmlrpc.php',
    '/cgi-bin/luci',
    '/admin.aspx',
    '/backup.sql',
    '/app/.env',
    '/.well-known',
    '/.WELL-KNOWN/x',
  ])('that are blocked include %s', (path) => {
    expect(isBlocked(path)).toBe(true);
  });
});
