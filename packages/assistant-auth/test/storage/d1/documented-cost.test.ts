import { env } from 'cloudflare:workers';
import type { Ledger, ReceivedSignal, SignalReach, SignalTarget } from 'assistant-auth';
import { expect, it } from 'vitest';
import schema from '../../../../../docs/storage-schema.md?raw';
import { d1Ledger } from '../../../src/storage/sqlite/d1.ts';
import {
  adasToken,
  begin,
  grant1,
  redemption,
  refreshUse,
  resealed,
  signIn,
  sweepAt,
  t0,
  token,
} from '../../ledger/ledger-contract/sample.ts';
import { beginSession } from '../../ledger/ledger-contract/sessions.ts';
import { bystanders, insertBystanders } from './bystanders.ts';
import { countingD1 } from './counting-d1.ts';
import { emptyD1 } from './empty-d1.ts';

type Step = (ledger: Ledger) => Promise<unknown>;

const nothing: Step = async () => {};
const signedIn: Step = (ledger) => begin(ledger);
const watched: Step = (ledger) => begin(ledger, { identity: adasToken });
const refreshed: Step = async (ledger) => {
  await begin(ledger);
  await ledger.refresh(refreshUse(0, t0 + 2));
};
const twice: Step = async (ledger) => {
  await begin(ledger);
  await begin(ledger, { grantId: 'grant-2' });
};
const ada = { provider: 'google', subject: 'ada' } as const;
const adasCat = { provider: 'github', subject: '42', sealedRefreshToken: 'sealed-2' } as const;
const inSession: Step = (ledger) => beginSession(ledger);
const linked: Step = async (ledger) => {
  await beginSession(ledger);
  await ledger.linkIdentity({ userId: 'user-1', session: 'session-1', identity: adasCat, now: t0 + 3 });
  await begin(ledger);
};
const sweptBefore: Step = async (ledger) => {
  await ledger.sweep(sweepAt(t0 + 2));
  await env.DB.prepare('DELETE FROM revocations').run();
};
const about = (target: SignalTarget, reach: SignalReach): ReceivedSignal => ({
  ...{ provider: 'google', jti: 'signal-1', neededUntil: t0 + 9999, before: t0 + 3, now: t0 + 3 },
  endings: [{ target, reach }],
  reason: 'a signal',
});
const session: SignalTarget = { kind: 'session', sid: 'sid-1', subject: 'ada' };
const identity: SignalTarget = { kind: 'identity', subject: 'ada' };
const tokenOf1: SignalTarget = { kind: 'token', name: 'digest-ada' };
const inSessions: Step = (ledger) => beginSession(ledger, { sid: 'sid-1' });
const named: Step = (ledger) =>
  begin(ledger, { identity: { ...adasToken, tokenNames: ['start-ada', 'digest-ada'] } });
const told: Step = async (ledger) => {
  await begin(ledger, { identity: adasToken });
  await ledger.recordSignal(about(session, 'presence'));
};
const user1 = { kind: 'user', id: 'user-1' } as const;

/** By the names that docs/storage-schema.md gives them: what comes before, and what is measured. */
const operations: Readonly<Record<string, readonly [before: Step, measured: Step]>> = {
  '`recordSignIn`, a new user': [nothing, (l) => l.recordSignIn(signIn({ identity: adasToken }))],
  '`recordSignIn`, a known one': [
    signedIn,
    (l) => l.recordSignIn(signIn({ grantId: 'grant-2', identity: adasToken })),
  ],
  '`recordSignIn`, a replay': [signedIn, (l) => l.recordSignIn(signIn({ identity: adasToken }))],
  '`grantStatus`': [signedIn, (l) => l.grantStatus('grant-1')],
  '`grantStatus`, no such grant': [nothing, (l) => l.grantStatus('grant-1')],
  '`claimCode`': [(l) => l.recordSignIn(signIn()), (l) => l.claimCode({ grantId: 'grant-1', now: t0 + 1 })],
  '`redeemCode`': [(l) => l.recordSignIn(signIn()), (l) => l.redeemCode(redemption())],
  '`redeemCode`, a late replay': [signedIn, (l) => l.redeemCode(redemption({ now: t0 + 30 }))],
  '`refresh`': [signedIn, (l) => l.refresh(refreshUse(0, t0 + 2))],
  '`refresh`, the provider is due': [watched, (l) => l.refresh(refreshUse(0, t0 + 2))],
  '`refresh`, late': [refreshed, (l) => l.refresh(refreshUse(0, t0 + 500))],
  '`refresh`, a reused token': [
    refreshed,
    (l) => l.refresh(refreshUse(0, t0 + 500, { lateRefresh: 'revoke' })),
  ],
  '`isRefreshable`': [signedIn, (l) => l.isRefreshable(refreshUse(0, t0 + 2))],
  '`storeToken`': [signedIn, (l) => l.storeToken(adasToken)],
  '`recordCheck`': [watched, (l) => l.recordCheck({ asked: adasToken, checkAfter: t0 + 3 })],
  '`resolveRecheck`': [watched, (l) => l.resolveRecheck(adasToken)],
  '`dropUpstreamToken`': [
    watched,
    (l) =>
      l.dropUpstreamToken({
        ...{ asked: adasToken, startedAt: t0 + 3, now: t0 + 3, refreshableUntil: t0 + 9 },
        reason: 'inconclusive',
      }),
  ],
  '`endIdentity` of one grant': [watched, (l) => l.endIdentity(adasToken, 'gone', t0 + 3)],
  '`revoke` a grant': [signedIn, (l) => l.revoke(grant1, 'signed out', t0 + 3)],
  '`revoke` a user of two grants': [twice, (l) => l.revoke(user1, 'signed out', t0 + 3)],
  '`revocationsSince`, nothing new': [nothing, (l) => l.revocationsSince(bystanders, t0, 10_000)],
  '`isRevoked`': [signedIn, (l) => l.isRevoked(token(), t0 + 4)],
  '`useSession`': [
    inSession,
    (l) => l.useSession({ grantId: 'session-1', now: t0 + 3, idleExpiresAt: t0 + 9 }),
  ],
  '`takeCheck`': [watched, (l) => l.takeCheck({ ...ada, now: t0 + 3, checkLease: 60 })],
  '`readAccount` of two grants': [twice, (l) => l.readAccount('user-1')],
  '`readHistory` of two sign-ins': [twice, (l) => l.readHistory('user-1')],
  '`findUser`': [signedIn, (l) => l.findUser(ada)],
  '`linkIdentity`': [
    inSession,
    (l) => l.linkIdentity({ userId: 'user-1', session: 'session-1', identity: adasCat, now: t0 + 3 }),
  ],
  '`unlinkIdentity` with one grant': [
    linked,
    (l) => l.unlinkIdentity({ userId: 'user-1', ...ada, now: t0 + 5 }),
  ],
  '`endApps` of two grants': [
    twice,
    (l) => l.endApps({ userId: 'user-1', grantIds: ['grant-1', 'grant-2'], reason: 'ended', now: t0 + 3 }),
  ],
  '`deleteUser` of two grants': [twice, (l) => l.deleteUser({ userId: 'user-1', by: 'user', now: t0 + 3 })],
  '`findTokens` among 501 identities, none found': [
    watched,
    (l) => l.findTokens({ beginnings: ['AQV', 'AQZ'], limit: 100 }),
  ],
  '`replaceTokens`, one': [
    watched,
    (l) => l.replaceTokens(resealed({ ...ada, was: 'sealed-1', sealedRefreshToken: 'sealed-2' })),
  ],
  '`recordSignal`, a session ends': [inSessions, (l) => l.recordSignal(about(session, 'presence'))],
  '`recordSignal`, an identity of one grant': [watched, (l) => l.recordSignal(about(identity, 'identity'))],
  '`recordSignal`, a token of one grant': [named, (l) => l.recordSignal(about(tokenOf1, 'identity'))],
  '`recordSignal`, nobody of ours': [nothing, (l) => l.recordSignal(about(identity, 'identity'))],
  '`recordSignal`, a replay': [told, (l) => l.recordSignal(about(identity, 'identity'))],
  '`sweep`, nothing to do': [sweptBefore, (l) => l.sweep(sweepAt(t0 + 3))],
};

const documented = (): readonly string[] => {
  const [, section = ''] = schema.split('\n## Round trips\n');
  return section.split('\n').filter((line) => line.startsWith('| `'));
};

it('costs what docs/storage-schema.md says, among many others', async () => {
  const rows: string[] = [];
  for (const [name, [before, measured]] of Object.entries(operations)) {
    await insertBystanders(await emptyD1(), t0);
    await before(d1Ledger(env.DB));
    const { db, usage } = countingD1(env.DB);
    await measured(d1Ledger(db));
    const { trips, statements, rowsRead, rowsWritten } = usage();
    expect([name, trips]).toEqual([name, 1]);
    rows.push(`| ${name} | ${statements} | ${rowsRead} | ${rowsWritten} |`);
  }
  expect(rows).toEqual(documented());
});
