/** One call of every method of the ledger, for what must hold of them all. */
import type { Ledger } from '@words-with-chat/broker';
import {
  adasToken,
  grant1,
  redemption,
  refreshUse,
  signIn,
  t0,
  token,
} from '../../broker/test/ledger/ledger-contract/sample.ts';

export const everyMethod = [
  ['recordSignIn as our user', (ledger: Ledger) => ledger.recordSignIn(signIn({ identity: adasToken }))],
  [
    'recordSignIn as the publisher’s user',
    (ledger: Ledger) =>
      ledger.recordSignIn(signIn({ grantId: 'grant-2', user: { kind: 'theirs', id: 'their-7' } })),
  ],
  ['redeemCode', (ledger: Ledger) => ledger.redeemCode(redemption())],
  ['refresh', (ledger: Ledger) => ledger.refresh(refreshUse(0, t0 + 2))],
  ['isRefreshable', (ledger: Ledger) => ledger.isRefreshable(refreshUse(1, t0 + 2))],
  ['storeToken', (ledger: Ledger) => ledger.storeToken(adasToken)],
  ['recordCheck', (ledger: Ledger) => ledger.recordCheck({ asked: adasToken, checkAfter: t0 + 3 })],
  ['endIdentity', (ledger: Ledger) => ledger.endIdentity(adasToken, 'gone', t0 + 3)],
  ['revoke a grant', (ledger: Ledger) => ledger.revoke(grant1, 'signed out', t0 + 3)],
  ['revoke a user', (ledger: Ledger) => ledger.revoke({ kind: 'user', id: 'user-1' }, 'signed out', t0 + 3)],
  [
    'revoke a client',
    (ledger: Ledger) => ledger.revoke({ kind: 'client', id: 'chatgpt' }, 'withdrawn', t0 + 3),
  ],
  ['revocationsSince', (ledger: Ledger) => ledger.revocationsSince(undefined, t0 + 4, 10)],
  ['isRevoked', (ledger: Ledger) => ledger.isRevoked(token(), t0 + 4)],
  ['sweep', (ledger: Ledger) => ledger.sweep(t0 + 5)],
] as const;
