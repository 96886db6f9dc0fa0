/** Request parameters, resource indicators (RFC 8707) and issuers. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readParameters, readResource } from '../../src/oauth/parameters.ts';
import {
  canonicalResource,
  isLoopback,
  parseIssuer,
  parseResourceIdentifier,
} from '../../src/oauth/resource.ts';

describe('parameters', () => {
  const known = ['client_id', 'scope', 'state'] as const;
  const pair = fc.tuple(
    fc.oneof(fc.constantFrom<string>(...known, 'Scope', 'scope[]', '__proto__', 'resource'), fc.string()),
    fc.oneof(fc.constant(''), fc.string({ unit: 'binary' })),
  );
  const rejection = (reason: string) => expect.objectContaining({ reason });

  describe('readParameters', () => {
    it('reads known parameters, and ignores others', () => {
      const query = new URLSearchParams('scope=a+b%2Cc&x=1&x=2&client_id=gpt&Scope=z&scope[]=y');
      expect(readParameters(query, known)).toEqual({ client_id: 'gpt', scope: 'a b,c' });
    });

    it('treats an empty parameter as absent', () => {
      expect(readParameters(new URLSearchParams('scope=&client_id&state=x'), known)).toEqual({ state: 'x' });
    });

    it.each(['scope=a&scope=b', 'scope=a&scope=a', 'scope=&scope=a', 'scope=a&scope=', 'scope&scope'])(
      'refuses a known parameter that is repeated: %s',
      (query) => {
        expect(() => readParameters(new URLSearchParams(query), known)).toThrow(
          rejection('parameter.repeated'),
        );
      },
    );

    it('returns the one value of each name or refuses, for any query', () => {
      fc.assert(
        fc.property(fc.array(pair), (pairs) => {
          const query = new URLSearchParams(pairs);
          const repeated = known.some((name) => query.getAll(name).length > 1);
          const read = () => readParameters(query, known);
          if (repeated) return void expect(read).toThrow(rejection('parameter.repeated'));
          const expected = known.flatMap((name) => (query.get(name) ? [[name, query.get(name)]] : []));
          expect(Object.entries(read())).toEqual(expected);
        }),
      );
    });
  });

  describe('readResource', () => {
    const read = (query: string) => readResource(new URLSearchParams(query));

    it('reads one resource, even if it is repeated', () => {
      expect(read('resource=https://a.example')).toBe('https://a.example');
      expect(read('resource=https://a.example&resource=&resource=https://a.example')).toBe(
        'https://a.example',
      );
      expect(read('resource=')).toBeUndefined();
      expect(read('')).toBeUndefined();
    });

    it('reads one resource that is repeated in equivalent forms', () => {
      for (const other of ['https://a.example/', 'HTTPS://A.example', 'https://a.example:443'])
        expect(read(`resource=${other}&resource=https://a.example`)).toBe('https://a.example');
    });

    it('refuses several resources, even if they differ only in the case of a path or a trailing slash', () => {
      for (const other of [
        'https://b.example/mcp',
        'https://a.example/mcp/',
        'https://a.example/MCP',
        'garbage',
      ])
        expect(() => read(`resource=https://a.example/mcp&resource=${other}`)).toThrow(
          rejection('resource.multiple'),
        );
    });
  });
});

describe('resources', () => {
  describe('parseResourceIdentifier', () => {
    it.each([
      ['https://words.example', 'https://words.example'],
      ['https://words.example/', 'https://words.example'],
      ['HTTPS://Words.EXAMPLE', 'https://words.example'],
      ['https://words.example:443', 'https://words.example'],
      ['https://words.example:443/', 'https://words.example'],
      ['https://words.example:', 'https://words.example'],
      ['https://words.example:8443/', 'https://words.example:8443'],
      ['https://words.example:80', 'https://words.example:80'],
      ['http://localhost:80/', 'http://localhost'],
      ['http://localhost:443/', 'http://localhost:443'],
      ['http://[::1]:8787/', 'http://[::1]:8787'],
      ['HTTP://[::FFFF:7F00:1]/', 'http://[::ffff:7f00:1]'],
      ['https://Words.example/MCP', 'https://words.example/MCP'],
      ['https://words.example/mcp/', 'https://words.example/mcp/'],
      ['https://words.example/?Tenant=A', 'https://words.example?Tenant=A'],
      ['https://words.example?Tenant=A', 'https://words.example?Tenant=A'],
      ['https://words.example//', 'https://words.example//'],
      ['https://words.example/%7euser', 'https://words.example/%7euser'],
    ])('converts %s to %s', (text, canonical) => {
      expect(parseResourceIdentifier(text)).toBe(canonical);
    });

    it.each([
      '',
      'words.example',
      '/mcp',
      'urn:example:mcp',
      'https:words.example',
      'https:/words.example',
      'https:///words.example',
      '//words.example',
      'ftp://words.example',
      'https://',
      'https://user@words.example',
      'https://user:password@words.example/mcp',
      'https://@words.example',
      'https://words.example#',
      'https://words.example/mcp#top',
      'https://words.example\\mcp',
      'https://words.example/a\\b',
      'https:\\\\words.example',
      ' https://words.example',
      'https://words.example ',
      'https://words.example\n',
      'https://words.example/a b',
      'https://words.example/\0',
      'https://wörds.example',
      'https://words.example/wörter',
      'https://words。example',
      'https://%77ords.example',
      'https://words.example:port',
      'https://words.example:443:443',
      'https://[::1',
    ])('refuses %j', (text) => {
      expect(parseResourceIdentifier(text)).toBeUndefined();
    });

    const host = fc.stringMatching(/^[a-z0-9]([a-z0-9.-]{0,12}[a-z0-9])?$/);
    const pathAndQuery = fc.stringMatching(/^(\/[a-zA-Z0-9%._~/-]{0,12})?(\?[a-zA-Z0-9%=&]{0,6})?$/);
    const swapCase = (letter: string): string =>
      letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase();
    const mixedCase = (text: string): string =>
      [...text].map((letter, index) => (index % 2 === 0 ? letter.toUpperCase() : letter)).join('');

    it('converts all equivalent forms to one canonical form, which it does not change', () => {
      fc.assert(
        fc.property(host, pathAndQuery, fc.constantFrom('', ':', ':443'), (name, path, port) => {
          const canonical = canonicalResource(`https://${name}${path}`);
          expect(canonicalResource(canonical)).toBe(canonical);
          expect(canonicalResource(`HttpS://${mixedCase(name)}${port}${path}`)).toBe(canonical);
        }),
      );
    });

    it('never converts different URLs to the same form', () => {
      const port = fc.constantFrom('', ':443', ':8443');
      fc.assert(
        fc.property(host, port, pathAndQuery, fc.nat(), port, (name, port, path, seed, otherPort) => {
          // Changes the case of one letter, and the port. Some results are the same URL, most are not.
          const index = seed % (name.length + path.length);
          const changed = [...(name + path)].map((letter, letterIndex) =>
            letterIndex === index ? swapCase(letter) : letter,
          );
          const [otherName, otherPath] = [changed.slice(0, name.length), changed.slice(name.length)];
          const left = `https://${name}${port}${path}`;
          const right = `https://${otherName.join('')}${otherPort}${otherPath.join('')}`;
          const [parsedLeft, parsedRight] = [URL.parse(left), URL.parse(right)];
          fc.pre(parsedLeft !== null && parsedRight !== null);
          const isSameForm = canonicalResource(left) === canonicalResource(right);
          expect(isSameForm && parsedLeft?.href !== parsedRight?.href).toBe(false);
        }),
      );
    });
  });

  describe('canonicalResource', () => {
    it('returns anything that is not an identifier unchanged', () => {
      for (const text of ['', 'urn:A', 'https://User@Words.example/', 'HTTPS://WORDS.example/#'])
        expect(canonicalResource(text)).toBe(text);
    });
  });
});

describe('issuers', () => {
  const malformed = 'issuer must be an origin such as https://words.example, without a path.';
  const insecure = 'issuer must use https; http is allowed for loopback addresses only.';

  describe('parseIssuer', () => {
    it.each([
      ['https://words.example', 'https://words.example'],
      ['https://words.example/', 'https://words.example'],
      ['https://words.example:8443', 'https://words.example:8443'],
      ['https://192.168.0.1', 'https://192.168.0.1'],
      ['http://localhost:8787', 'http://localhost:8787'],
      ['http://127.0.0.1', 'http://127.0.0.1'],
      ['http://[::1]:1/', 'http://[::1]:1'],
    ])('parses %s as %s', (text, issuer) => {
      expect(parseIssuer(text)).toBe(issuer);
    });

    it.each([
      ['', malformed],
      ['words.example', malformed],
      ['//words.example', malformed],
      ['https://words.example/path', malformed],
      ['https://words.example//', malformed],
      ['https://words.example?', malformed],
      ['https://words.example/#', malformed],
      ['https://user@words.example', malformed],
      ['https://words.example:443', malformed],
      ['https://Words.example', malformed],
      ['HTTPS://words.example', malformed],
      [' https://words.example', malformed],
      ['https://words.example\n', malformed],
      ['https://wörds.example', malformed],
      ['ftp://words.example', malformed],
      ['data:text/html,x', malformed],
      ['http://words.example', insecure],
      ['http://192.168.0.1', insecure],
      ['http://0.0.0.0:8787', insecure],
      ['http://localhost.evil.example', insecure],
      ['http://app.localhost', insecure],
      ['http://127.0.0.2', insecure],
    ])('refuses %j as an issuer', (text, message) => {
      expect(() => parseIssuer(text)).toThrow(
        expect.objectContaining({ name: 'ConfigurationError', option: 'issuer', message }),
      );
    });

    it('returns an origin or fails, for any text', () => {
      fc.assert(
        fc.property(
          fc.oneof(
            fc.webUrl(),
            fc.string(),
            fc.webAuthority().map((authority) => `https://${authority}`),
          ),
          (text) => {
            try {
              const issuer = parseIssuer(text);
              expect(new URL(issuer).origin).toBe(issuer);
              expect([issuer, `${issuer}/`]).toContain(text);
            } catch (error) {
              expect(error).toMatchObject({ name: 'ConfigurationError' });
            }
          },
        ),
      );
    });
  });

  describe('isLoopback', () => {
    it.each([
      'http://localhost',
      'http://127.0.0.1:9',
      'http://[::1]/x',
      'http://127.1/',
      'http://2130706433/',
    ])('is true for %s', (url) => {
      expect(isLoopback(new URL(url))).toBe(true);
    });

    it.each([
      'https://localhost',
      'http://localhost.',
      'http://127.0.0.2',
      'http://[::ffff:127.0.0.1]',
      'http://0.0.0.0',
    ])('is false for %s', (url) => {
      expect(isLoopback(new URL(url))).toBe(false);
    });
  });
});
