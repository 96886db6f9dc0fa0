import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isLoopback, parseIssuer } from '../../src/oauth/resource.ts';

const malformed = 'issuer must be an origin such as https://words.example, without a path.';
const plain = 'issuer must use https; plain http is for loopback addresses only.';

describe('parseIssuer', () => {
  it.each([
    ['https://words.example', 'https://words.example'],
    ['https://words.example/', 'https://words.example'],
    ['https://words.example:8443', 'https://words.example:8443'],
    ['https://192.168.0.1', 'https://192.168.0.1'],
    ['http://localhost:8787', 'http://localhost:8787'],
    ['http://127.0.0.1', 'http://127.0.0.1'],
    ['http://[::1]:1/', 'http://[::1]:1'],
  ])('takes %s as %s', (text, issuer) => {
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
    ['http://words.example', plain],
    ['http://192.168.0.1', plain],
    ['http://0.0.0.0:8787', plain],
    ['http://localhost.evil.example', plain],
    ['http://app.localhost', plain],
    ['http://127.0.0.2', plain],
  ])('refuses %j as an issuer', (text, message) => {
    expect(() => parseIssuer(text)).toThrow(
      expect.objectContaining({ name: 'ConfigurationError', option: 'issuer', message }),
    );
  });

  it('gives nothing but an origin, from any text', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.webUrl(),
          fc.string(),
          fc.webAuthority().map((at) => `https://${at}`),
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
  ])('knows %s for this machine', (url) => {
    expect(isLoopback(new URL(url))).toBe(true);
  });

  it.each([
    'https://localhost',
    'http://localhost.',
    'http://127.0.0.2',
    'http://[::ffff:127.0.0.1]',
    'http://0.0.0.0',
  ])('does not take %s for this machine', (url) => {
    expect(isLoopback(new URL(url))).toBe(false);
  });
});
