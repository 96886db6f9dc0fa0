import { describe, expect, it } from 'vitest';
import { createCookieJar } from '../../src/browser/cookie-jar.ts';

const app = new URL('http://localhost:8787/authorize');
const provider = new URL('http://127.0.0.1:8788/sign-in');
const visit = { url: app, method: 'GET' } as const;

const jarWith = (...lines: readonly string[]) => {
  const jar = createCookieJar();
  jar.store(app, lines);
  return jar;
};

describe('the cookie jar', () => {
  it('sends what it was given, to every port of the host and to no other host', () => {
    const jar = jarWith('a=1; Path=/', 'b=x=y');
    expect(jar.header(visit)).toBe('a=1; b=x=y');
    expect(jar.header({ ...visit, url: new URL('http://localhost:9999/') })).toBe('a=1; b=x=y');
    expect(jar.header({ ...visit, url: provider })).toBeUndefined();
  });

  it('keeps the newest value, and nothing once Max-Age is zero', () => {
    const jar = jarWith('a=1', 'a=2');
    expect(jar.header(visit)).toBe('a=2');
    jar.store(app, ['a=; Max-Age=0']);
    expect(jar.header(visit)).toBeUndefined();
  });

  it('sends a cookie below its path only', () => {
    const jar = jarWith('a=1; Path=/authorize');
    expect(jar.header(visit)).toBe('a=1');
    expect(jar.header({ ...visit, url: new URL('/authorize/consent', app) })).toBe('a=1');
    expect(jar.header({ ...visit, url: new URL('/authorized', app) })).toBeUndefined();
  });

  it.each([
    ['__Host-a=1; Secure; Path=/', '__Host-a=1'],
    ['__Host-a=1; Path=/', undefined],
    ['__Host-a=1; Secure', undefined],
    ['__Host-a=1; Secure; Path=/; Domain=localhost', undefined],
  ])('takes %s as %s', (line, sent) => {
    expect(jarWith(line).header(visit)).toBe(sent);
  });

  it.each([
    ['GET', 'l=1; n=1; d=1'],
    ['POST', 'n=1'],
  ] as const)('sends by SameSite on a cross-site %s', (method, sent) => {
    const jar = jarWith('s=1; SameSite=Strict', 'l=1; SameSite=Lax', 'n=1; SameSite=None', 'd=1');
    expect(jar.header({ url: app, method, initiator: provider })).toBe(sent);
    expect(jar.header({ url: app, method, initiator: app })).toBe('s=1; l=1; n=1; d=1');
  });
});
