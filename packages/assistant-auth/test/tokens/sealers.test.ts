import { describe, expect, it } from 'vitest';
import { createSealer, parseKeyRing } from '../../src/seal/index.ts';
import { createSealers } from '../../src/tokens/sealers.ts';
import { issuer, keys } from '../deployment.ts';

const resources = [`${issuer}/api`, `${issuer}/other`];
const ring = parseKeyRing(keys);
const random = (length: number) => crypto.getRandomValues(new Uint8Array(length));
const sealers = createSealers(ring, issuer, resources, random);

const access = {
  userId: 'u-1',
  grantId: 'g-1',
  clientId: 'gpt',
  scopes: ['words'],
  claims: {},
  issuedAt: 1_800_000_000,
  expiresAt: 1_800_001_800,
};
const code = {
  grantId: 'g-1',
  clientId: 'gpt',
  redirectUri: 'https://app.example/callback',
  resource: `${issuer}/api`,
  codeChallenge: undefined,
  expiresAt: 1_800_000_060,
};

/** What seals outside the sealers, for a purpose given by name. */
const named = (name: string, audience?: string) =>
  createSealer(ring, { name, issuer, ...(audience === undefined ? {} : { audience }) });

describe('the sealers', () => {
  it('holds a sealed type of access tokens for each resource, and for no other', () => {
    expect([...sealers.access.keys()]).toEqual(resources);
  });

  it('seals for the purposes that docs/sealed-tokens.md names', async () => {
    const sealedCode = await sealers.code.seal(code);
    expect(await named('code').open(sealedCode)).toHaveProperty('kind', 'opened');
    const sealedToken = await sealers.upstreamToken.seal(new Uint8Array(3), new Uint8Array(2));
    expect(await named('provider-token').open(sealedToken, new Uint8Array(2))).toHaveProperty(
      'kind',
      'opened',
    );
    for (const [resource, sealedType] of sealers.access)
      expect(await named('access', resource).open(await sealedType.seal(access))).toHaveProperty(
        'kind',
        'opened',
      );
    const names = { refresh: sealers.refresh, consent: sealers.consent, transaction: sealers.transaction };
    // Opened by the right key, though it holds nothing of the right shape.
    for (const [name, sealedType] of Object.entries({ ...names, 'form-post': sealers.formPost }))
      expect(await sealedType.open(await named(name).seal(new Uint8Array()))).toEqual({
        kind: 'failed',
        reason: 'unknown-format',
      });
  });

  it('opens an access token for its own resource alone', async () => {
    const sealed = (await sealers.access.get(resources[0] ?? '')?.seal(access)) ?? '';
    expect(await sealers.access.get(resources[0] ?? '')?.open(sealed)).toEqual({
      kind: 'opened',
      value: access,
    });
    const forged = { kind: 'failed', reason: 'forged' };
    expect(await sealers.access.get(resources[1] ?? '')?.open(sealed)).toEqual(forged);
    expect(await sealers.refresh.open(sealed)).toEqual(forged);
  });

  it('draws every IV from the randomness that it was given', async () => {
    const asked: number[] = [];
    const counted = createSealers(ring, issuer, resources, (length) => {
      asked.push(length);
      return random(length);
    });
    await counted.code.seal(code);
    await counted.access.get(resources[0] ?? '')?.seal(access);
    await counted.upstreamToken.seal(new Uint8Array());
    expect(asked).toEqual([12, 12, 12]);
  });
});
