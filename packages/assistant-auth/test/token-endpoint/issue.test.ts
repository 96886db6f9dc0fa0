import { describe, expect, it } from 'vitest';
import { parseKeyRing } from '../../src/seal/key-ring.ts';
import type { GrantState, RefreshPolicy } from '../../src/storage/broker-storage.ts';
import { issueTokens, sealRefreshToken } from '../../src/token-endpoint/endpoint.ts';
import type { TokenGrant } from '../../src/token-endpoint/grant-handler.ts';
import { createSealers } from '../../src/tokens/sealers.ts';
import { issuer, keys } from '../deployment.ts';

const resource = `${issuer}/api`;
const now = 1_800_000_000;
const randomBytes = (length: number) => crypto.getRandomValues(new Uint8Array(length));
const sealers = createSealers(parseKeyRing(keys), issuer, [resource, `${issuer}/other`], randomBytes);

const grantWith = (changes: Partial<GrantState> = {}): GrantState => ({
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

const tokenGrantWith = (changes: Partial<GrantState> = {}): TokenGrant => ({
  grantId: 'grant-1',
  clientId: 'gpt',
  grant: grantWith(changes),
  scopes: ['words'],
  now,
  accessExpiresAt: now + 1800,
});

describe('issueTokens', () => {
  it('answers with the fields of RFC 6749 §5.1, in ChatGPT’s spelling', async () => {
    const answer = await issueTokens(sealers, { ...tokenGrantWith(), refreshToken: 'refresh-1' });
    expect(Object.entries(answer).slice(1)).toEqual([
      ['token_type', 'bearer'],
      ['expires_in', 1800],
      ['refresh_token', 'refresh-1'],
      ['scope', 'words'],
    ]);
    expect(await issueTokens(sealers, tokenGrantWith({ refreshPolicy: 'none' }))).not.toHaveProperty(
      'refresh_token',
    );
  });

  it('seals the caller and what they may do, for the grant’s resource alone', async () => {
    const { access_token } = await issueTokens(sealers, tokenGrantWith());
    expect(await sealers.access.get(resource)?.open(access_token)).toEqual({
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
    expect(await sealers.access.get(`${issuer}/other`)?.open(access_token)).toMatchObject({ kind: 'failed' });
  });

  it('stops at a resource that is not configured, since the grants should have', async () => {
    await expect(issueTokens(sealers, tokenGrantWith({ resource: 'https://gone.example' }))).rejects.toThrow(
      'a grant for a resource that is not configured',
    );
  });
});

describe('sealRefreshToken', () => {
  it.each<[RefreshPolicy, number]>([
    ['stable', now + 1000],
    ['rotating', now + 100],
  ])(
    'seals for the policy %s the whole grant, not what this answer was narrowed to',
    async (refreshPolicy, expiresAt) => {
      const sealed = await sealRefreshToken(sealers, tokenGrantWith({ refreshPolicy }));
      expect(await sealers.refresh.open(sealed ?? '')).toEqual({
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
    expect(await sealRefreshToken(sealers, tokenGrantWith({ refreshPolicy: 'none' }))).toBeUndefined();
  });
});
