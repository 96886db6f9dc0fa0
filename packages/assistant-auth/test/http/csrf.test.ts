import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bindBrowser, checkBinding, deriveBindingCookieName } from '../../src/http/csrf.ts';

const randomBytes = (length: number) => crypto.getRandomValues(new Uint8Array(length));
const bind = (cookies: ReadonlyMap<string, string> = new Map()) => bindBrowser(cookies, randomBytes, 1800);
const value = 'A-_9'.padEnd(22, 'x');

/** A browser that got these pages, in this order. */
const browserWith = async (count: number) => {
  const bindings = await Promise.all(Array.from({ length: count }, () => bind()));
  const cookies = new Map<string, string>();
  for (const { csrf } of bindings) cookies.set(await deriveBindingCookieName(csrf), csrf);
  return { bindings, cookies };
};

describe('the binding cookie', () => {
  test('of a new browser has a random value and a name of its own, and outlives the form', async () => {
    const { csrf, setCookies } = await bind();
    expect(csrf).toMatch(/^[\w-]{22}$/);
    expect(setCookies).toEqual([
      `${await deriveBindingCookieName(csrf)}=${csrf}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=1800`,
    ]);
    expect(await deriveBindingCookieName(csrf)).toMatch(/^__Host-csrf-[\w-]{8}$/);
    expect((await bind()).csrf).not.toBe(csrf);
  });

  test('is used again, for as long as the new form may stay open', async () => {
    const { bindings, cookies } = await browserWith(1);
    const [first] = bindings;
    expect(await bind(cookies)).toEqual(first);
  });

  test('is one of several, always the same, and clears none of the others', async () => {
    const { bindings, cookies } = await browserWith(30);
    expect(await bind(cookies)).toEqual(bindings.at(-1));
    expect(await bind(cookies)).toEqual(bindings.at(-1));
  });

  test('is one of at most 32: of more, the oldest are cleared, never the one that is used', async () => {
    const { bindings, cookies } = await browserWith(60);
    const { csrf, setCookies } = await bind(cookies);
    expect(csrf).toBe(bindings.at(-1)?.csrf);
    const names = await Promise.all(bindings.slice(0, 16).map((one) => deriveBindingCookieName(one.csrf)));
    expect(setCookies.slice(1)).toEqual(
      names.map((name) => `${name}=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0`),
    );
  });

  test('takes up less than 1.4 kB of a request for 30 tabs', async () => {
    const { cookies } = await browserWith(30);
    const header = [...cookies].map(([name, one]) => `${name}=${one}`).join('; ');
    expect(header.length).toBeLessThan(1_400);
  });

  test.each([
    ['missing', new Map<string, string>()],
    ['under its old name', new Map([['__Host-csrf', value]])],
    ['without the prefix', new Map([['csrf-12345678', value]])],
    ['empty', new Map([['__Host-csrf-12345678', '']])],
    ['too short', new Map([['__Host-csrf-12345678', value.slice(1)]])],
    ['too long', new Map([['__Host-csrf-12345678', `${value}x`]])],
    ['of other characters', new Map([['__Host-csrf-12345678', `${value.slice(1)}"`]])],
    ['followed by a line break', new Map([['__Host-csrf-12345678', `${value}\n`]])],
  ])('is none if it is %s', async (_, cookies) => {
    expect((await bind(cookies)).csrf).not.toBe(value);
    expect(await checkBinding(cookies, value)).toBe('none');
  });

  test('is not used under a name that does not belong to its value', async () => {
    const cookies = new Map([['__Host-csrf-12345678', value]]);
    expect((await bind(cookies)).csrf).not.toBe(value);
    expect(await checkBinding(cookies, value)).toBe('other');
  });
});

describe('a form', () => {
  test('is bound to every browser that has its cookie, whatever else that has, and to no other', () =>
    fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 40 }), fc.nat(), async (count, pick) => {
        const { bindings, cookies } = await browserWith(count);
        const csrf = bindings[pick % count]?.csrf ?? '';
        expect(await checkBinding(cookies, csrf)).toBe('bound');
        cookies.delete(await deriveBindingCookieName(csrf));
        expect(await checkBinding(cookies, csrf)).toBe(count === 1 ? 'none' : 'other');
      }),
      { numRuns: 20 },
    ));
});
