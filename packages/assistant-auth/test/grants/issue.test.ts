import { describe, expect, it } from 'vitest';
import { parseKeyRing } from '../../src/seal/key-ring.ts';
import type { GrantFacts, RefreshPolicy } from '../../src/storage/broker-storage.ts';
import { issueTokens, sealRefreshToken, type Yield } from '../../src/token-endpoint/issue.ts';
import { createVault } from '../../src/tokens/sealers.ts';
import { issuer, keys } from '../deployment.ts';

const resource = `${issuer}/api`;
const now = 1_800_000_000;
const randomBytes = (length: number) => crypto.getRandomValues(new Uint8Array(length));
const vault = createVault(parseKeyRing(keys), issuer, [resource, `${issuer}/other`], randomBytes);

const grantWith = (changes: Partial<GrantFacts> = {}): GrantFacts => ({
  userId: 'user-1',
  scopes: ['words', 'score'],
  resource,
  claims: { plan: 'free' },
  refreshPolicy: 'rotating',
  generation: 7,
  refreshIdleExpiresAt: now + 100,
  refreshAbsoluteExpiresAt: now + 1000,
  ...changes,
});

const yielding = (changes: Partial<GrantFacts> = {}): Yield => ({
  grantId: 'grant-1',
  clientId: 'gpt',
  grant: grantWith(changes),
  scopes: ['words'],
  now,
  accessExpiresAt: now + 1800,
});

describe('issueTokens', () => {
  it('answers with the fields of RFC 6749 §5.1, in ChatGPT’s spelling', async () => {
    const answer = await issueTokens(vault, yielding(), 'refresh-1');
    expect(Object.entries(answer).slice(1)).toEqual([
      ['token_type', 'bearer'],
      ['expires_in', 1800],
      ['refresh_token', 'refresh-1'],
      ['scope', 'words'],
    ]);
    expect(await issueTokens(vault, yielding(), undefined)).not.toHaveProperty('refresh_token');
  });

  it('seals the caller and what they may do, for the grant’s resource alone', async () => {
    const { access_token } = await issueTokens(vault, yielding(), undefined);
    expect(await vault.access.get(resource)?.open(access_token)).toEqual({
      kind: 'opened',
      value: {
        userId: 'user-1',
        grantId: 'grant-1',
        clientId: 'gpt',
        scopes: ['words'],
        claims: { plan: 'free' },
        issuedAt: now,
        expiresAt: now + 1800,
      },
    });
    expect(await vault.access.get(`${issuer}/other`)?.open(access_token)).toMatchObject({ kind: 'unopened' });
  });

  it('stops at a resource that is not configured, since the grants should have', async () => {
    await expect(
      issueTokens(vault, yielding({ resource: 'https://gone.example' }), undefined),
    ).rejects.toThrow('a grant for a resource that is not configured');
  });
});

describe('sealRefreshToken', () => {
  it.each<[RefreshPolicy, number]>([
    ['stable', now + 1000],
    ['rotating', now + 100],
  ])(
    'seals for the policy %s the whole grant, not what this answer was narrowed to',
    async (refreshPolicy, expiresAt) => {
      const sealed = await sealRefreshToken(vault, yielding({ refreshPolicy }));
      expect(await vault.refresh.open(sealed ?? '')).toEqual({
        kind: 'opened',
        value: {
          grantId: 'grant-1',
          clientId: 'gpt',
          scopes: ['words', 'score'],
          resource,
          generation: 7,
          expiresAt,
        },
      });
    },
  );

  it('seals nothing for the policy none', async () => {
    expect(await sealRefreshToken(vault, yielding({ refreshPolicy: 'none' }))).toBeUndefined();
  });
});
