import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { timingSafeEqual } from '../../src/oauth/secrets.ts';

const secret = 'gpt-secret-0123456789-0123456789';

describe('timingSafeEqual', () => {
  it('knows a secret again', async () => {
    expect(await timingSafeEqual(secret, secret)).toBe(true);
    expect(await timingSafeEqual('', '')).toBe(true);
    expect(await timingSafeEqual('ключ 🔑', 'ключ 🔑')).toBe(true);
  });

  it.each([
    ['nothing', ''],
    ['another first character', `G${secret.slice(1)}`],
    ['another last character', `${secret.slice(0, -1)}8`],
    ['a beginning of it', secret.slice(0, -1)],
    ['more than it', `${secret}0`],
    ['a space at the end', `${secret} `],
    ['a NUL at the end', `${secret}\0`],
    ['other case', secret.toUpperCase()],
    ['twice the secret', secret + secret],
  ])('does not take %s for it', async (_, other) => {
    expect(await timingSafeEqual(secret, other)).toBe(false);
    expect(await timingSafeEqual(other, secret)).toBe(false);
  });

  it('does not normalise: two spellings of a letter are two secrets', async () => {
    expect(await timingSafeEqual('caf\u00e9', 'cafe\u0301')).toBe(false);
  });

  it('agrees with comparing the texts', async () => {
    const short = fc.string({ unit: fc.constantFrom('a', 'b', 'é'), maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(short, short, async (one, other) => {
        expect(await timingSafeEqual(one, other)).toBe(one === other);
      }),
    );
  });
});
