/** One call of every storage method, for tests that apply to all of them. */
import type { BrokerStorage, ReceivedSecurityEvent, SecurityEventTarget } from 'assistant-auth';
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
    (storage: BrokerStorage) => storage.recordSignIn(signIn({ identity: adasUpstreamToken })),
  ],
  [
    'recordSignIn with a user ID from the publisher',
    (storage: BrokerStorage) =>
      storage.recordSignIn(signIn({ grantId: 'grant-2', user: { kind: 'resolved', id: 'their-7' } })),
  ],
  [
    'recordSignIn with a client',
    (storage: BrokerStorage) => storage.recordSignIn(signIn({ grantId: 'grant-3', client: chatgpt })),
  ],
  ['readGrantStatus', (storage: BrokerStorage) => storage.readGrantStatus('grant-1')],
  ['claimCode', (storage: BrokerStorage) => storage.claimCode({ grantId: 'grant-1', now: t0 })],
  ['redeemCode', (storage: BrokerStorage) => storage.redeemCode(redemption())],
  ['refresh', (storage: BrokerStorage) => storage.refresh(grantRefresh(0, t0 + 2))],
  [
    'redeemCode with a client assertion',
    (storage: BrokerStorage) => storage.redeemCode(redemption({ grantId: 'grant-3', assertion: assertion1 })),
  ],
  [
    'refresh with a client assertion',
    (storage: BrokerStorage) => storage.refresh(grantRefresh(1, t0 + 2, { assertion: assertion2 })),
  ],
  ['readClient', (storage: BrokerStorage) => storage.readClient('chatgpt')],
  [
    'recordAssertion',
    (storage: BrokerStorage) => storage.recordAssertion({ ...assertion1, jti: 'assertion-3' }),
  ],
  ['readRefreshable', (storage: BrokerStorage) => storage.readRefreshable(grantRefresh(1, t0 + 2))],
  ['storeUpstreamToken', (storage: BrokerStorage) => storage.storeUpstreamToken(adasUpstreamToken)],
  [
    'recordRecheck',
    (storage: BrokerStorage) => storage.recordRecheck({ usedToken: adasUpstreamToken, recheckAfter: t0 + 3 }),
  ],
  ['resolveRecheck', (storage: BrokerStorage) => storage.resolveRecheck(adasUpstreamToken)],
  [
    'dropUpstreamToken',
    (storage: BrokerStorage) =>
      storage.dropUpstreamToken({
        ...{ usedToken: adasUpstreamToken, startedAt: t0 + 3, now: t0 + 3, refreshableUntil: t0 + 9 },
        reason: 'inconclusive',
      }),
  ],
  [
    'revokeGrantsOfIdentity',
    (storage: BrokerStorage) => storage.revokeGrantsOfIdentity(adasUpstreamToken, 'revoked', t0 + 3),
  ],
  ['revoke a grant', (storage: BrokerStorage) => storage.revoke(grant1, 'signed out', t0 + 3)],
  [
    'revoke a user',
    (storage: BrokerStorage) => storage.revoke({ kind: 'user', id: 'user-1' }, 'signed out', t0 + 3),
  ],
  [
    'revoke a client',
    (storage: BrokerStorage) => storage.revoke({ kind: 'client', id: 'chatgpt' }, 'withdrawn', t0 + 3),
  ],
  ['readRevocations', (storage: BrokerStorage) => storage.readRevocations(undefined, t0 + 4, 10)],
  ['isRevoked', (storage: BrokerStorage) => storage.isRevoked(token(), t0 + 4)],
  [
    'useSession',
    (storage: BrokerStorage) =>
      storage.useSession({ grantId: 'grant-1', now: t0 + 4, idleExpiresAt: t0 + 9 }),
  ],
  [
    'acquireRecheckLease',
    (storage: BrokerStorage) =>
      storage.acquireRecheckLease({ ...ada, now: t0 + 4, recheckLeaseDuration: 60 }),
  ],
  ['readAccount', (storage: BrokerStorage) => storage.readAccount('user-1')],
  ['readHistory', (storage: BrokerStorage) => storage.readHistory('user-1')],
  ['findUser', (storage: BrokerStorage) => storage.findUser(ada)],
  [
    'linkIdentity',
    (storage: BrokerStorage) =>
      storage.linkIdentity({
        userId: 'user-1',
        session: 'grant-1',
        identity: ada,
        subjectNamespace,
        now: t0 + 4,
      }),
  ],
  [
    'unlinkIdentity',
    (storage: BrokerStorage) => storage.unlinkIdentity({ userId: 'user-1', ...ada, now: t0 + 4 }),
  ],
  [
    'revokeGrants',
    (storage: BrokerStorage) =>
      storage.revokeGrants({
        userId: 'user-1',
        grantIds: ['grant-1', 'grant-2'],
        reason: 'ended',
        now: t0 + 4,
      }),
  ],
  [
    'deleteUser',
    (storage: BrokerStorage) => storage.deleteUser({ userId: 'user-1', actor: 'user', now: t0 + 4 }),
  ],
  [
    'findUpstreamTokens',
    (storage: BrokerStorage) => storage.findUpstreamTokens({ prefixes: ['sealed'], after: ada, limit: 10 }),
  ],
  [
    'replaceUpstreamTokens',
    (storage: BrokerStorage) =>
      storage.replaceUpstreamTokens(
        buildTokenReplacement({ ...ada, previous: 'sealed-1', sealedRefreshToken: 'sealed-2' }),
      ),
  ],
  [
    'recordSecurityEvent of an identity',
    (storage: BrokerStorage) =>
      storage.recordSecurityEvent(buildSecurityEvent({ kind: 'identity', subject: 'ada' })),
  ],
  [
    'recordSecurityEvent of a session',
    (storage: BrokerStorage) =>
      storage.recordSecurityEvent(buildSecurityEvent({ kind: 'session', sid: 'sid-1', subject: 'ada' })),
  ],
  [
    'recordSecurityEvent of a token',
    (storage: BrokerStorage) =>
      storage.recordSecurityEvent(buildSecurityEvent({ kind: 'token', identifier: 'start-1' })),
  ],
  ['deleteClient', (storage: BrokerStorage) => storage.deleteClient('chatgpt')],
  [
    'recordRefusals',
    (storage: BrokerStorage) =>
      storage.recordRefusals([{ day: '2026-11-29', reason: 'token.code', count: 2 }]),
  ],
  ['cleanUp', (storage: BrokerStorage) => storage.cleanUp(buildCleanup(t0 + 5))],
] as const;
