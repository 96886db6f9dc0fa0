/** One call of every method of the ledger, for what must hold of them all. */
import type { Ledger, ReceivedSignal, SignalTarget } from 'assistant-auth';
import {
  adasToken,
  grant1,
  redemption,
  refreshUse,
  resealed,
  signIn,
  sweepAt,
  t0,
  token,
} from '../../ledger/ledger-contract/sample.ts';

const ada = { provider: 'google', subject: 'ada' } as const;

const signalOf = (target: SignalTarget): ReceivedSignal => ({
  provider: 'google',
  jti: `signal of ${target.kind}`,
  ...{ neededUntil: t0 + 9999, before: t0 + 4, now: t0 + 4 },
  endings: [{ target, reach: 'identity' }],
  reason: 'a signal',
});

export const everyMethod = [
  ['recordSignIn as our user', (ledger: Ledger) => ledger.recordSignIn(signIn({ identity: adasToken }))],
  [
    'recordSignIn as the publisher’s user',
    (ledger: Ledger) =>
      ledger.recordSignIn(signIn({ grantId: 'grant-2', user: { kind: 'theirs', id: 'their-7' } })),
  ],
  ['grantStatus', (ledger: Ledger) => ledger.grantStatus('grant-1')],
  ['claimCode', (ledger: Ledger) => ledger.claimCode({ grantId: 'grant-1', now: t0 })],
  ['redeemCode', (ledger: Ledger) => ledger.redeemCode(redemption())],
  ['refresh', (ledger: Ledger) => ledger.refresh(refreshUse(0, t0 + 2))],
  ['isRefreshable', (ledger: Ledger) => ledger.isRefreshable(refreshUse(1, t0 + 2))],
  ['storeToken', (ledger: Ledger) => ledger.storeToken(adasToken)],
  ['recordCheck', (ledger: Ledger) => ledger.recordCheck({ asked: adasToken, checkAfter: t0 + 3 })],
  ['resolveRecheck', (ledger: Ledger) => ledger.resolveRecheck(adasToken)],
  [
    'dropUpstreamToken',
    (ledger: Ledger) =>
      ledger.dropUpstreamToken({
        ...{ asked: adasToken, startedAt: t0 + 3, now: t0 + 3, refreshableUntil: t0 + 9 },
        reason: 'inconclusive',
      }),
  ],
  ['endIdentity', (ledger: Ledger) => ledger.endIdentity(adasToken, 'gone', t0 + 3)],
  ['revoke a grant', (ledger: Ledger) => ledger.revoke(grant1, 'signed out', t0 + 3)],
  ['revoke a user', (ledger: Ledger) => ledger.revoke({ kind: 'user', id: 'user-1' }, 'signed out', t0 + 3)],
  [
    'revoke a client',
    (ledger: Ledger) => ledger.revoke({ kind: 'client', id: 'chatgpt' }, 'withdrawn', t0 + 3),
  ],
  ['revocationsSince', (ledger: Ledger) => ledger.revocationsSince(undefined, t0 + 4, 10)],
  ['isRevoked', (ledger: Ledger) => ledger.isRevoked(token(), t0 + 4)],
  [
    'useSession',
    (ledger: Ledger) => ledger.useSession({ grantId: 'grant-1', now: t0 + 4, idleExpiresAt: t0 + 9 }),
  ],
  ['takeCheck', (ledger: Ledger) => ledger.takeCheck({ ...ada, now: t0 + 4, checkLease: 60 })],
  ['readAccount', (ledger: Ledger) => ledger.readAccount('user-1')],
  ['readHistory', (ledger: Ledger) => ledger.readHistory('user-1')],
  ['findUser', (ledger: Ledger) => ledger.findUser(ada)],
  [
    'linkIdentity',
    (ledger: Ledger) =>
      ledger.linkIdentity({ userId: 'user-1', session: 'grant-1', identity: ada, now: t0 + 4 }),
  ],
  ['unlinkIdentity', (ledger: Ledger) => ledger.unlinkIdentity({ userId: 'user-1', ...ada, now: t0 + 4 })],
  [
    'endApps',
    (ledger: Ledger) =>
      ledger.endApps({ userId: 'user-1', grantIds: ['grant-1', 'grant-2'], reason: 'ended', now: t0 + 4 }),
  ],
  ['deleteUser', (ledger: Ledger) => ledger.deleteUser({ userId: 'user-1', by: 'user', now: t0 + 4 })],
  ['findTokens', (ledger: Ledger) => ledger.findTokens({ beginnings: ['sealed'], after: ada, limit: 10 })],
  [
    'replaceTokens',
    (ledger: Ledger) =>
      ledger.replaceTokens(resealed({ ...ada, was: 'sealed-1', sealedRefreshToken: 'sealed-2' })),
  ],
  [
    'recordSignal of an identity',
    (ledger: Ledger) => ledger.recordSignal(signalOf({ kind: 'identity', subject: 'ada' })),
  ],
  [
    'recordSignal of a session',
    (ledger: Ledger) => ledger.recordSignal(signalOf({ kind: 'session', sid: 'sid-1', subject: 'ada' })),
  ],
  [
    'recordSignal of a token',
    (ledger: Ledger) => ledger.recordSignal(signalOf({ kind: 'token', name: 'start-1' })),
  ],
  ['sweep', (ledger: Ledger) => ledger.sweep(sweepAt(t0 + 5))],
] as const;
