import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { clearCookie, readCookies, setCookie } from '../../src/http/request.ts';

const read = (header: string) =>
  Object.fromEntries(readCookies(new Request('https://words.example/', { headers: { cookie: header } })));

describe('reading cookies', () => {
  test.each([
    ['one', 'a=1', { a: '1' }],
    ['several', 'a=1; b=2;c=3', { a: '1', b: '2', c: '3' }],
    ['the first of a name', 'a=1; a=2', { a: '1' }],
    ['a value with equals signs', 'a=b=c==', { a: 'b=c==' }],
    ['an empty value', 'a=', { a: '' }],
    ['around blanks', '  a = 1 ;  b=2  ', { a: '1', b: '2' }],
    ['names in their own case', 'a=1; A=2', { a: '1', A: '2' }],
    ['names that objects have', '__proto__=1', JSON.parse('{"__proto__":"1"}')],
    ['around tabs', '\ta\t=\t1\t;\tb=2', { a: '1', b: '2' }],
    ['past what has no name', '=1; ; nothing; b=2', { b: '2' }],
  ])('finds %s', (_, header, cookies) => {
    expect(read(header)).toEqual(cookies);
  });

  test.each(['\u00a0', '\u1680', '\u2000', '\u2009', '\u202f', '\u3000', '\ufeff', '\v', '\f'])(
    'takes no look-alike for a name with a prefix: %j',
    (space) => {
      for (const name of [`${space}__Host-a`, `__Host-a${space}`]) {
        expect(Object.keys(read(`${name}=1; b=2`))).not.toContain('__Host-a');
        expect(read(`${name}=1; __Host-a=2`)).toMatchObject({ '__Host-a': '2' });
      }
    },
  );

  test('finds none without the header', () => {
    expect([...readCookies(new Request('https://words.example/'))]).toEqual([]);
  });

  test('takes any header without throwing', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[\x20-\x7E]*$/), (header) => {
        for (const name of Object.keys(read(header))) expect(header).toContain(name);
      }),
    );
  });
});

describe('setting cookies', () => {
  test('ties a cookie to this host, over TLS, away from scripts and from other sites’ posts', () => {
    expect(setCookie('__Host-a', 'b', 600)).toBe(
      '__Host-a=b; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=600',
    );
  });

  test('lets a cookie end with the session when no age is given', () => {
    expect(setCookie('__Host-a', 'b')).toBe('__Host-a=b; Path=/; Secure; HttpOnly; SameSite=Lax');
  });

  test('ends a cookie with the attributes that set it', () => {
    expect(clearCookie('__Host-a')).toBe('__Host-a=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0');
  });
});
