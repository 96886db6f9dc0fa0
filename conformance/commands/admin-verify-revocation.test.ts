/** Tests which audit rows `npm run admin -- revoke` accepts as proof of a revocation. */
import { describe, expect, it } from 'vitest';
import { revocationReason, verifyRevocation } from '../../scripts/admin/verify-revocation.ts';

const now = 1_700_000_000;
const row = { at: now, event: 'revoked', actor: 'operator', reason: revocationReason } as const;
const ofUser = { ...row, userId: 'ada' };
const ofClient = { ...row, clientId: 'words-gpt' };
const ofGrant = { ...row, userId: 'ada', clientId: 'words-gpt', provider: 'google' };
const later = { ...row, at: now + 1, event: 'signed-in', actor: 'user', userId: 'ada' } as const;

describe.each([
  [{ kind: 'user', id: 'ada' }, ofUser, [ofClient, ofGrant, { ...row, userId: 'bruno' }]],
  [{ kind: 'client', id: 'words-gpt' }, ofClient, [ofUser, ofGrant, { ...row, clientId: 'app' }]],
  [{ kind: 'grant', id: 'some-grant' }, ofGrant, [ofUser, ofClient]],
] as const)('revoking %j', (target, itsRow, others) => {
  it('has ended something if a row says so', () => {
    expect(verifyRevocation(target, [later, ...others, itsRow], now).json).toEqual({ revoked: target });
  });

  it.each([
    ['no row', []],
    ['rows of other endings in that second', others],
    ['an ending of another second', [{ ...itsRow, at: now - 1 }]],
    ['an ending for another reason', [{ ...itsRow, reason: 'deleted' }]],
    ['another event', [{ ...itsRow, event: 'signed-in' as const }]],
  ])('has ended nothing with %s', (_, newest) => {
    expect(() => verifyRevocation(target, newest, now)).toThrow(
      `Nothing was left to end of a ${target.kind} of that id.`,
    );
  });
});
