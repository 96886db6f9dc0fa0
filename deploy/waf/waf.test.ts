import { readdirSync, readFileSync } from 'node:fs';
import { createBroker, google, oidc, type Route } from 'assistant-auth';
import { memoryStorage } from 'assistant-auth/memory';
import { describe, expect, it } from 'vitest';
import { readExpression } from './expression.ts';

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
const rulesOf = (file: string): readonly Rule[] => JSON.parse(read(file));

const custom = rulesOf('custom-rules.json');
const rates = rulesOf('rate-limit-rules.json');
const all = [...custom, ...rates];

const matching = (rules: readonly Rule[], path: string): readonly string[] =>
  rules
    .filter(({ expression }) => readExpression(expression)({ 'http.request.uri.path': path }))
    .map(({ ref }) => ref);

/** Returns what Cloudflare does with a request for a path, phase by phase. */
const fate = (path: string) => {
  const [first] = matching(custom, path);
  return {
    skipped: first === 'never_challenge_sign_in_and_api',
    blocked: first === 'block_searches_for_other_software',
    counted: matching(rates, path).length > 0,
  };
};

const routes: readonly Route[] = createBroker({
  issuer: 'https://words.example',
  sealingKeys: 'test-1.AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8',
  scopes: { words: 'read the word lists' },
  clients: [],
  providers: [
    google({ clientId: 'id', clientSecret: 'secret' }),
    oidc({
      id: 'acme',
      displayName: 'Acme',
      issuer: 'https://id.example',
      clientId: 'id',
      clientSecret: 'secret',
    }),
  ],
  storage: memoryStorage(),
}).routes;

describe('the rules', () => {
  it('do two things only: to skip other checks, and to block', () => {
    expect(new Set(all.map(({ action }) => action))).toEqual(new Set(['skip', 'block']));
  });

  it('fit into the free plan: five custom rules and one for rates, by path and address, within ten seconds', () => {
    expect(custom.length).toBeLessThanOrEqual(5);
    expect(rates.map(({ ratelimit }) => ratelimit)).toEqual([
      {
        characteristics: ['cf.colo.id', 'ip.src'],
        period: 10,
        requests_per_period: 200,
        mitigation_timeout: 10,
      },
    ]);
  });

  it.each(all.map((rule) => [rule.ref, rule] as const))(
    'say what they are for, here and in the README: %s',
    (ref, rule) => {
      expect(rule.description).toMatch(/^[A-Z].{60,300}\.$/);
      expect(read('README.md')).toContain(`\`${ref}\``);
      expect(rule.enabled).toBe(true);
    },
  );

  it('have nothing that Cloudflare’s API and Terraform’s resource do not know, and names of their own', () => {
    const known = ['ref', 'description', 'expression', 'action', 'action_parameters'];
    for (const rule of all)
      for (const key of Object.keys(rule))
        expect([...known, 'logging', 'ratelimit', 'enabled']).toContain(key);
    expect(new Set(all.map(({ ref }) => ref)).size).toBe(all.length);
    expect(custom[0]?.action_parameters).toEqual({
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
});

describe('a hosted client', () => {
  it.each([
    '/token',
    '/revoke',
    '/introspect',
    '/mcp',
    '/api/scoring',
    '/api/words/animals',
    '/openapi.json',
    '/openapi.yaml',
    '/.well-known/oauth-authorization-server',
    '/.well-known/oauth-protected-resource/mcp',
    '/.well-known/openid-configuration',
  ])('is neither challenged nor blocked nor counted with all the others behind its address: %s', (path) => {
    expect(fate(path)).toEqual({ skipped: true, blocked: false, counted: false });
  });
});

describe('a provider', () => {
  it.each(['/backchannel-logout/acme', '/events/google', '/events/apple'])(
    'that tells something is neither challenged nor blocked nor counted: %s',
    (path) => {
      expect(fate(path)).toEqual({ skipped: true, blocked: false, counted: false });
    },
  );
});

describe('a person', () => {
  it.each([
    '/authorize',
    '/authorize/consent',
    '/authorize/style.css',
    '/callback/google',
    '/account',
    '/account/link/confirm',
  ])('is not challenged on the way through a sign-in or at their account, but counted: %s', (path) => {
    expect(fate(path)).toEqual({ skipped: true, blocked: false, counted: true });
  });

  it.each(['/', '/privacy', '/nothing'])('is counted elsewhere, too: %s', (path) => {
    expect(fate(path)).toEqual({ skipped: false, blocked: false, counted: true });
  });

  it('reaches every file of the site', () => {
    const files = readdirSync(new URL('../../apps/words/public', import.meta.url), { recursive: true });
    expect(files).toContain('index.html');
    // Wrangler reads this file and does not upload it.
    const served = files.filter((file) => file !== '.assetsignore');
    for (const file of served) expect([file, fate(`/${file}`).blocked]).toEqual([file, false]);
  });
});

describe('the broker', () => {
  it('has no endpoint that could be challenged or blocked', () => {
    expect(routes.length).toBeGreaterThan(0);
    for (const { path } of routes)
      expect([path, fate(path.replace('*', 'google'))]).toEqual([
        path,
        expect.objectContaining({ skipped: true, blocked: false }),
      ]);
  });
});

describe('a search for other software', () => {
  it.each([
    '/.env',
    '/.git/config',
    '/.aws/credentials',
    '/wp-login.php',
    '/wp-admin/',
    '/blog/xmlrpc.php',
    '/cgi-bin/luci',
    '/admin.aspx',
    '/backup.sql',
    '/app/.env',
    '/.well-known',
    '/.WELL-KNOWN/x',
  ])('does not reach the Worker: %s', (path) => {
    expect(fate(path)).toEqual({ skipped: false, blocked: true, counted: true });
  });
});

describe('the reader of expressions', () => {
  it('knows which word binds stronger', () => {
    const path = 'http.request.uri.path';
    const holds = (text: string) => readExpression(text)({ [path]: '/a' });
    expect(holds(`${path} eq "/a" or ${path} eq "/b" and ${path} eq "/c"`)).toBe(true);
    expect(holds(`(${path} eq "/a" or ${path} eq "/b") and ${path} eq "/c"`)).toBe(false);
    expect(holds(`not ${path} eq "/b" and ${path} in {"/b" "/a"}`)).toBe(true);
    expect(holds(`not (starts_with(${path}, "/") or ends_with(${path}, "b"))`)).toBe(false);
  });

  it.each([
    '',
    'http.host eq "x"',
    'http.request.uri.path matches "x"',
    'http.request.uri.path eq "/a" http.request.uri.path eq "/b"',
    'http.request.uri.path eq /a',
    'starts_with(http.request.uri.path "/a")',
    '(http.request.uri.path eq "/a"',
    'http.request.uri.path in {"/a"',
  ])('does not guess: %j', (text) => {
    expect(() => readExpression(text)).toThrow(SyntaxError);
  });
});
