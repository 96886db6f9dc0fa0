/** Redirect URIs: how they are registered and compared (RFC 9700 §4.1). */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { staticClient } from '../../src/index.ts';
import {
  matchesRedirectRule,
  parseRedirectRule as parseRule,
  type RedirectRule,
  verifyRedirect,
} from '../../src/oauth/redirect-uri.ts';
import { clients, gptRedirect } from '../deployment.ts';

const parseRedirectRule = (uri: string): RedirectRule => parseRule('redirectUris', uri);
const id = 'g-1234567890abcdef1234567890abcdef';
const gpt: RedirectRule = { kind: 'gpt' };
const development: RedirectRule = { kind: 'gpt-development' };

/** Generates strings that differ from a valid URI in a few places, with characters that confuse parsers. */
const mutate = (validUri: fc.Arbitrary<string>): fc.Arbitrary<string> => {
  const fragment = fc.constantFrom(
    ...[
      '/',
      '\\',
      '.',
      '..',
      '..;/',
      ':',
      '@',
      '?',
      '#',
      '%2e',
      '%2f',
      '%00',
      '&',
      '=',
      ' ',
      '\t',
      '\n',
      '\0',
    ],
    ...['g-', 'aip', 'http', 'https://', 'localhost', 'evil.example', '443', '80', 'é', '\u3002', '\ud800'],
  );
  const edit = fc.tuple(
    fc.nat(120),
    fc.nat(3),
    fc.oneof(fragment, fc.string({ maxLength: 3 }), fc.constant('')),
  );
  return fc
    .tuple(validUri, fc.array(edit, { maxLength: 3 }))
    .map(([text, edits]) =>
      edits.reduce(
        (current, [index, removed, inserted]) =>
          current.slice(0, index) + inserted + current.slice(index + removed),
        text,
      ),
    );
};

describe('parseRedirectRule', () => {
  it.each<[string, RedirectRule]>([
    ['https://app.example/', { kind: 'exact', uri: 'https://app.example/' }],
    ['https://app.example/cb?a=b%20c', { kind: 'exact', uri: 'https://app.example/cb?a=b%20c' }],
    ['https://app.example:8443/cb', { kind: 'exact', uri: 'https://app.example:8443/cb' }],
    ['https://localhost/cb', { kind: 'exact', uri: 'https://localhost/cb' }],
    ['com.example.app:/cb', { kind: 'exact', uri: 'com.example.app:/cb' }],
    ['com.example.app://cb', { kind: 'exact', uri: 'com.example.app://cb' }],
    ['http://127.0.0.1/cb', { kind: 'loopback', host: '127.0.0.1', path: '/cb' }],
    ['http://localhost:3000/cb?a=1', { kind: 'loopback', host: 'localhost', path: '/cb?a=1' }],
    ['http://[::1]/', { kind: 'loopback', host: '[::1]', path: '/' }],
  ])('accepts %s', (uri, rule) => {
    expect(parseRedirectRule(uri)).toEqual(rule);
  });

  it.each([
    ['nothing', ''],
    ['no scheme', 'app.example/cb'],
    ['a path', '/cb'],
    ['a scheme without a dot', 'myapp:/cb'],
    ['plain http', 'http://app.example/cb'],
    ['a private address', 'http://192.168.0.1/cb'],
    ['a subdomain of localhost', 'http://app.localhost/cb'],
    ['a loopback address in another notation', 'http://127.1/cb'],
    ['a fragment', 'https://app.example/cb#x'],
    ['an empty fragment', 'https://app.example/cb#'],
    ['a user', 'https://user@app.example/cb'],
    ['an at sign, which looks like userinfo', 'https://app.example/@cb'],
    ['a missing path', 'https://app.example'],
    ['a path that would be normalized', 'https://app.example/a/../cb'],
    ['uppercase letters in the host', 'https://App.example/cb'],
    ['the default port', 'https://app.example:443/cb'],
    ['a leading or trailing space', ' https://app.example/cb'],
    ['a tab in it', 'https://app.example/c\tb'],
    ['a backslash', 'https://app.example\\cb'],
    ['non-ASCII letters', 'https://äpp.example/cb'],
    ['1,025 characters', `https://app.example/${'x'.repeat(1005)}`],
    ['a script', 'javascript:alert(1)'],
    ['data', 'data:text/html,x'],
    ['a file', 'file:///etc/passwd'],
  ])('refuses to register %s', (_, uri) => {
    expect(() => parseRedirectRule(uri)).toThrow(
      expect.objectContaining({ name: 'ConfigurationError', option: 'redirectUris' }),
    );
  });
});

describe('matchesRedirectRule', () => {
  it('matches only the exact redirect URI, byte for byte', () => {
    const registered = fc
      .webUrl({ validSchemes: ['https'], withQueryParameters: true })
      .map((url) => new URL(url).href)
      .filter((url) => url.length <= 1024 && !url.includes('@'));
    fc.assert(
      fc.property(
        registered.chain((uri) => fc.tuple(fc.constant(uri), mutate(fc.constant(uri)))),
        ([uri, requested]) => {
          expect(matchesRedirectRule(parseRedirectRule(uri), uri)).toBe(true);
          expect(matchesRedirectRule(parseRedirectRule(uri), requested)).toBe(requested === uri);
        },
      ),
    );
  });

  it('matches a loopback address with any port, if a browser would open that address', () => {
    const rule = parseRedirectRule('http://127.0.0.1/cb?a=1');
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 65_535 }), (port) => {
        expect(matchesRedirectRule(rule, `http://127.0.0.1:${port}/cb?a=1`)).toBe(true);
      }),
    );
    const validUri = fc.constantFrom('http://127.0.0.1:49152/cb?a=1', 'http://127.0.0.1/cb?a=1');
    let matches = 0;
    fc.assert(
      fc.property(mutate(validUri), (requested) => {
        if (!matchesRedirectRule(rule, requested)) return;
        matches += 1;
        const { protocol, hostname, pathname, search, hash, username } = new URL(requested);
        expect([protocol, hostname, pathname, search, hash, username]).toEqual([
          'http:',
          '127.0.0.1',
          '/cb',
          '?a=1',
          '',
          '',
        ]);
      }),
      { numRuns: 2000 },
    );
    expect(matches).toBeGreaterThan(0);
  });

  const gptId = fc.stringMatching(/^g-[A-Za-z0-9_-]{4,128}$/);
  const host = fc.constantFrom('chat.openai.com', 'chatgpt.com');
  const callback = fc
    .tuple(host, gptId)
    .map(([name, generatedId]) => `https://${name}/aip/${generatedId}/oauth/callback`);

  it('matches the callback of any GPT at both of ChatGPT’s hosts, and only of a pinned GPT', () => {
    fc.assert(
      fc.property(callback, (uri) => {
        expect(matchesRedirectRule(gpt, uri)).toBe(true);
        expect(matchesRedirectRule({ kind: 'gpt', gptIds: [id] }, uri)).toBe(false);
        expect(matchesRedirectRule({ kind: 'gpt', gptIds: ['g-0000', uri.split('/')[4] ?? ''] }, uri)).toBe(
          true,
        );
        expect(matchesRedirectRule(development, uri)).toBe(false);
      }),
    );
  });

  it('matches no URI for ChatGPT that a browser would open elsewhere', () => {
    let matches = 0;
    fc.assert(
      fc.property(mutate(callback), (requested) => {
        if (!matchesRedirectRule(gpt, requested)) return;
        matches += 1;
        const url = new URL(requested);
        expect(url.href).toBe(requested);
        expect(['https://chat.openai.com', 'https://chatgpt.com']).toContain(url.origin);
        expect(url.pathname).toMatch(/^\/aip\/g-[\w-]{4,128}\/oauth\/callback$/);
        expect(url.pathname).toBe(requested.slice(url.origin.length));
      }),
      { numRuns: 2000 },
    );
    expect(matches).toBeGreaterThan(0);
  });

  it('matches the callback of a GPT on loopback only in development', () => {
    const path = `/aip/${id}/oauth/callback`;
    for (const origin of [
      'http://localhost:8787',
      'http://127.0.0.1:1',
      'http://[::1]:65535',
      'http://localhost',
    ])
      expect(matchesRedirectRule(development, origin + path)).toBe(true);
    for (const origin of [
      'https://localhost',
      'http://localhost.evil.example',
      'http://192.168.0.1:80',
      'http://app.localhost',
    ])
      expect(matchesRedirectRule(development, origin + path)).toBe(false);
    expect(
      matchesRedirectRule({ kind: 'gpt-development', gptIds: ['g-0000'] }, `http://localhost${path}`),
    ).toBe(false);
  });

  it('refuses a URI that is too long, and never throws', () => {
    const uri = `https://app.example/${'x'.repeat(1004)}`;
    expect(uri).toHaveLength(1024);
    expect(matchesRedirectRule(parseRedirectRule(uri), uri)).toBe(true);
    expect(matchesRedirectRule({ kind: 'exact', uri: `${uri}x` }, `${uri}x`)).toBe(false);
    const rules: readonly RedirectRule[] = [gpt, development, parseRedirectRule('http://localhost/')];
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
        for (const rule of rules) expect(matchesRedirectRule(rule, text)).toBe(false);
      }),
    );
  });
});

describe('verifyRedirect', () => {
  const [gpt, app, server, native] = clients;
  const rejection = (reason: string) => expect.objectContaining({ reason });

  it('returns the requested redirect URI', () => {
    for (const [client, uri] of [
      [gpt, gptRedirect],
      [app, 'https://app.example/callback'],
      [server, 'https://server.example/cb2?tenant=1'],
      [native, 'http://127.0.0.1:49152/callback'],
    ] as const)
      expect(verifyRedirect(client, uri)).toBe(uri);
  });

  it('returns the only registered URI if none was requested', () => {
    expect(verifyRedirect(app, undefined)).toBe('https://app.example/callback');
  });

  it('refuses an absent redirect_uri if several are registered, or one with a variable part', () => {
    for (const client of [gpt, server, native])
      expect(() => verifyRedirect(client, undefined)).toThrow(rejection('redirect.missing'));
  });

  it('refuses an empty redirect_uri', () => {
    for (const client of clients)
      expect(() => verifyRedirect(client, '')).toThrow(rejection('redirect.unregistered'));
  });

  it('accepts a private-use scheme as registered', () => {
    const uri = 'com.example.app:/oauth?x=1';
    const mobile = staticClient({ id: 'm', name: 'M', redirectUris: [uri], scopes: ['words'] });
    expect(verifyRedirect(mobile, uri)).toBe(uri);
    for (const other of [
      'com.example.app:/oauth',
      'com.example.app://oauth?x=1',
      'COM.example.app:/oauth?x=1',
    ])
      expect(() => verifyRedirect(mobile, other)).toThrow(rejection('redirect.unregistered'));
  });
});
