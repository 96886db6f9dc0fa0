import { describe, expect, it } from 'vitest';
import { parseKeyRing } from '../../src/seal/index.ts';
import { createSealers, openUpstreamToken, sealUpstreamToken } from '../../src/tokens/sealers.ts';
import { issuer, keys } from '../deployment.ts';

const sealers = createSealers(parseKeyRing(keys), issuer, [], (length) =>
  crypto.getRandomValues(new Uint8Array(length)),
);
const ada = { provider: 'google', subject: 'ada' };
const sealed = await sealUpstreamToken(sealers, ada, 'their-token ✓');

describe('a provider’s token at rest', () => {
  it('opens for the identity that it was sealed for', async () => {
    expect(await openUpstreamToken(sealers, { ...ada, sealedRefreshToken: sealed })).toEqual({
      kind: 'opened',
      value: 'their-token ✓',
    });
  });

  it.each([
    ['another person', { ...ada, subject: 'eve' }],
    ['another provider', { ...ada, provider: 'github' }],
    ['names that are cut elsewhere', { provider: 'goog', subject: 'lesada' }],
  ])('B14.2 sealed at rest per row: does not open in the row of %s', async (_, identity) => {
    expect(await openUpstreamToken(sealers, { ...identity, sealedRefreshToken: sealed })).toEqual({
      kind: 'failed',
      reason: 'forged',
    });
  });
});
