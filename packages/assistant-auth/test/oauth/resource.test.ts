import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalResource, parseResourceIdentifier } from '../../src/oauth/resource.ts';

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
  ])('writes %s as %s', (text, canonical) => {
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
  ])('does not parse %j', (text) => {
    expect(parseResourceIdentifier(text)).toBeUndefined();
  });

  const host = fc.stringMatching(/^[a-z0-9]([a-z0-9.-]{0,12}[a-z0-9])?$/);
  const rest = fc.stringMatching(/^(\/[a-zA-Z0-9%._~/-]{0,12})?(\?[a-zA-Z0-9%=&]{0,6})?$/);
  const mixedCase = (text: string): string =>
    [...text].map((letter, at) => (at % 2 === 0 ? letter.toUpperCase() : letter)).join('');

  it('converts all equivalent forms to one canonical form, which it does not change', () => {
    fc.assert(
      fc.property(host, rest, fc.constantFrom('', ':', ':443'), (name, path, port) => {
        const canonical = canonicalResource(`https://${name}${path}`);
        expect(canonicalResource(canonical)).toBe(canonical);
        expect(canonicalResource(`HttpS://${mixedCase(name)}${port}${path}`)).toBe(canonical);
      }),
    );
  });

  it('never converts different URLs to the same form', () => {
    const url = fc.tuple(host, fc.constantFrom('', ':443', ':8443'), rest);
    fc.assert(
      fc.property(url, url, (one, other) => {
        const [left, right] = [`https://${one.join('')}`, `https://${other.join('')}`];
        const [parsedLeft, parsedRight] = [URL.parse(left), URL.parse(right)];
        fc.pre(parsedLeft !== null && parsedRight !== null);
        if (canonicalResource(left) === canonicalResource(right))
          expect(parsedLeft?.href).toBe(parsedRight?.href);
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
