/** One call of every storage method, for tests that apply to all of them. */
import type { CompleteStorage, ReceivedSecurityEvent, SecurityEventTarget } from 'assistant-auth';
import {
  adasUpstreamToken,
  assertion1,
  assertion2,
  buildCleanup,
  buildTokenReplacement,
  chatgpt,
  grant1,
  grantRefresh,
  redemption,
  signIn,
  subjectNamespace,
  t0,
  token,
} from '../../../src/testing/storage-contract/sample.ts';

const ada = { provider: 'google', subject: 'ada' } as const;

const buildSecurityEvent = (target: SecurityEventTarget): ReceivedSecurityEvent => ({
  provider: 'google',
  subjectNamespace,
  jti: `event of ${target.kind}`,
  ...{ retainUntil: t0 + 9999, signedInBefore: t0 + 4, now: t0 + 4 },
  revocations: [{ target, revocationScope: 'identity' }],
  reason: 'a security event',
});

export const everyMethod = [
  [
    'recordSignIn with a user ID from the broker',
    (storage: CompleteStorage) => storage.recordSignIn(signIn({ identity: adasUpstreamToken })),
  ],
  [
    'recordSignIn with a user ID from the publisher',
    (storage: CompleteStorage) =>
      storage.recordSignIn(signIn({ grantId: 'grant-2', user: { kind: 'resolved', id: 'their-7' } })),
  ],
  [
    'recordSignIn with a client',
    (storage: CompleteStorage) => storage.recordSignIn(signIn({ grantId: 'grant-3', client: chatgpt })),
  ],
  ['readGrantStatus', (storage: CompleteStorage) => storage.readGrantStatus('grant-1')],
  ['claimCode', (storage: CompleteStorage) => storage.claimCode({ grantId: 'grant-1', now: t0 })],
  ['redeemCode', (storage: CompleteStorage) => storage.redeemCode(redemption())],
  ['refresh', (storage: CompleteStorage) => storage.refresh(grantRefresh(0, t0 + 2))],
  [
    'redeemCode with a client assertion',
    (storage: CompleteStorage) =>
      storage.redeemCode(redemption({ grantId: 'grant-3', assertion: assertion1 })),
  ],
  [
    'refresh with a client assertion',
    (storage: CompleteStorage) => storage.refresh(grantRefresh(1, t0 + 2, { assertion: assertion2 })),
  ],
  ['readClient', (storage: CompleteStorage) => storage.readClient('chatgpt')],
  [
    'recordAssertion',
    (storage: CompleteStorage) => storage.recordAssertion({ ...assertion1, jti: 'assertion-3' }),
  ],
  ['readRefreshable', (storage: CompleteStorage) => storage.readRefreshable(grantRefresh(1, t0 + 2))],
  ['storeUpstreamToken', (storage: CompleteStorage) => storage.storeUpstreamToken(adasUpstreamToken)],
  [
    'recordRecheck',
    (storage: CompleteStorage) =>
      storage.recordRecheck({ usedToken: adasUpstreamToken, recheckAfter: t0 + 3 }),
  ],
  ['resolveRecheck', (storage: CompleteStorage) => storage.resolveRecheck(adasUpstreamToken)],
  [
    'dropUpstreamToken',
    (storage: CompleteStorage) =>
      storage.dropUpstreamToken({
        ...{ usedToken: adasUpstreamToken, startedAt: t0 + 3, now: t0 + 3, refreshableUntil: t0 + 9 },
        reason: 'inconclusive',
      }),
  ],
  [
    'revokeGrantsOfIdentity',
    (storage: CompleteStorage) => storage.revokeGrantsOfIdentity(adasUpstreamToken, 'revoked', t0 + 3),
  ],
  ['revoke a grant', (storage: CompleteStorage) => storage.revoke(grant1, 'signed out', t0 + 3)],
  [
    'revoke a user',
    (storage: CompleteStorage) => storage.revoke({ kind: 'user', id: 'user-1' }, 'signed out', t0 + 3),
  ],
  [
    'revoke a client',
    (storage: CompleteStorage) => storage.revoke({ kind: 'client', id: 'chatgpt' }, 'withdrawn', t0 + 3),
  ],
  ['readRevocations', (storage: CompleteStorage) => storage.readRevocations(undefined, t0 + 4, 10)],
  ['isRevoked', (storage: CompleteStorage) => storage.isRevoked(token(), t0 + 4)],
  [
    'useSession',
    (storage: CompleteStorage) =>
      storage.useSession({ grantId: 'grant-1', now: t0 + 4, idleExpiresAt: t0 + 9 }),
  ],
  [
    'acquireRecheckLease',
    (storage: CompleteStorage) =>
      storage.acquireRecheckLease({ ...ada, now: t0 + 4, recheckLeaseDuration: 60 }),
  ],
  ['readAccount', (storage: CompleteStorage) => storage.readAccount('user-1')],
  ['readHistory', (storage: CompleteStorage) => storage.readHistory('user-1')],
  ['findUser', (storage: CompleteStorage) => storage.findUser(ada)],
  [
    'linkIdentity',
    (storage: CompleteStorage) =>
      storage.linkIdentity({
        userId: 'user-1',
        session: 'grant-1',
        identity: ada,
        subjectNamespace,
        now: t0 + 4,
      }),
  ],
  [
    'markLinkSeen',
    (storage: CompleteStorage) => storage.markLinkSeen({ userId: 'user-1', ...ada, linkedAt: t0 }),
  ],
  [
    'unlinkIdentity',
    (storage: CompleteStorage) => storage.unlinkIdentity({ userId: 'user-1', ...ada, now: t0 + 4 }),
  ],
  [
    'revokeGrants',
    (storage: CompleteStorage) =>
      storage.revokeGrants({
        userId: 'user-1',
        grantIds: ['grant-1', 'grant-2'],
        reason: 'ended',
        now: t0 + 4,
      }),
  ],
  [
    'deleteUser',
    (storage: CompleteStorage) => storage.deleteUser({ userId: 'user-1', actor: 'user', now: t0 + 4 }),
  ],
  [
    'findUpstreamTokens',
    (storage: CompleteStorage) => storage.findUpstreamTokens({ prefixes: ['sealed'], after: ada, limit: 10 }),
  ],
  [
    'replaceUpstreamTokens',
    (storage: CompleteStorage) =>
      storage.replaceUpstreamTokens(
        buildTokenReplacement({ ...ada, previous: 'sealed-1', sealedRefreshToken: 'sealed-2' }),
      ),
  ],
  [
    'recordSecurityEvent of an identity',
    (storage: CompleteStorage) =>
      storage.recordSecurityEvent(buildSecurityEvent({ kind: 'identity', subject: 'ada' })),
  ],
  [
    'recordSecurityEvent of a session',
    (storage: CompleteStorage) =>
      storage.recordSecurityEvent(buildSecurityEvent({ kind: 'session', sid: 'sid-1', subject: 'ada' })),
  ],
  [
    'recordSecurityEvent of a token',
    (storage: CompleteStorage) =>
      storage.recordSecurityEvent(buildSecurityEvent({ kind: 'token', identifier: 'start-1' })),
  ],
  ['deleteClient', (storage: CompleteStorage) => storage.deleteClient('chatgpt')],
  [
    'recordRefusals',
    (storage: CompleteStorage) =>
      storage.recordRefusals([{ day: '2026-11-29', reason: 'token.code', count: 2 }]),
  ],
  ['cleanUp', (storage: CompleteStorage) => storage.cleanUp(buildCleanup(t0 + 5))],
] as const;
