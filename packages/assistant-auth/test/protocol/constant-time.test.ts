import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sameSecret } from '../../src/oauth/secrets.ts';

const secret = 'gpt-secret-0123456789-0123456789';

describe('sameSecret', () => {
  it('knows a secret again', async () => {
    expect(await sameSecret(secret, secret)).toBe(true);
    expect(await sameSecret('', '')).toBe(true);
    expect(await sameSecret('ключ 🔑', 'ключ 🔑')).toBe(true);
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
    expect(await sameSecret(secret, other)).toBe(false);
    expect(await sameSecret(other, secret)).toBe(false);
  });

  it('does not normalise: two spellings of a letter are two secrets', async () => {
    expect(await sameSecret('caf\u00e9', 'cafe\u0301')).toBe(false);
  });

  it('agrees with comparing the texts', async () => {
    const short = fc.string({ unit: fc.constantFrom('a', 'b', 'é'), maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(short, short, async (one, other) => {
        expect(await sameSecret(one, other)).toBe(one === other);
      }),
    );
  });
});
