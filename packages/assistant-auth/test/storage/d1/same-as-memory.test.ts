import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Ledger } from '../../../src/storage/broker-storage.ts';
import { memoryLedger } from '../../../src/storage/memory.ts';
import { d1Ledger } from '../../../src/storage/sqlite/d1.ts';
import {
  token as accessToken,
  adasToken,
  begin,
  redemption,
  refreshUse,
  signIn,
  sweepAt,
  t0,
} from '../../ledger/ledger-contract/sample.ts';
import { emptyD1 } from './empty-d1.ts';

/** One call, made alike on both ledgers. */
type Call = (ledger: Ledger) => Promise<unknown>;

interface Moment {
  readonly now: number;
  /** An id that no user has. */
  readonly newId: string;
  /** The generation that each grant answered last; calls keep it up to date. */
  readonly generations: Map<string, number>;
}

const grantId = fc.constantFrom('grant-1', 'grant-1', 'grant-1', 'grant-2', 'grant-3');
const clientId = fc.constantFrom(
  'chatgpt',
  'chatgpt',
  'chatgpt',
  'chatgpt',
  'chatgpt',
  'claude',
  'account',
  'account',
);
const userId = fc.constantFrom('user-1', 'user-1', 'their-7');
const subject = fc.constantFrom('ada', 'ada', 'bob');
const sealedRefreshToken = fc.constantFrom('sealed-1', 'sealed-2');
const tokenName = fc.constantFrom('name-1', 'name-2', 'name-3');
const tokenNames = fc.oneof(fc.tuple(tokenName), fc.tuple(tokenName, tokenName));
const sid = fc.constantFrom('sid-1', 'sid-2');

/** Names come with a token or not at all. */
const token = fc.record({ sealedRefreshToken, tokenNames }, { requiredKeys: ['sealedRefreshToken'] });

const unfold = <Value extends { readonly token?: object }>({ token: one, ...value }: Value) => ({
  ...value,
  ...one,
});
const refreshPolicy = fc.constantFrom('none', 'stable', 'rotating', 'rotating');

const recordSignIn = fc
  .record({
    ...{ grantId, clientId, refreshPolicy, theirs: fc.boolean() },
    limits: fc.constantFrom({}, {}, {}, { signIns: 1 }, { signIns: 2, period: 10 }, { activeGrants: 1 }),
    there: fc.record({ sid }, { requiredKeys: [] }),
    here: fc.record({ session: grantId }, { requiredKeys: [] }),
    identity: fc.record({ subject, token }, { requiredKeys: ['subject'] }).map(unfold),
  })
  .map(({ theirs, there, here, ...choice }) => ({ now, newId }: Moment): Call => {
    const user = theirs ? { kind: 'theirs' as const, id: 'their-7' } : { kind: 'ours' as const, newId };
    return async (ledger) => {
      const outcome = await ledger.recordSignIn({ ...signIn({ ...choice, ...there, user, now }), ...here });
      // Whoever goes on in a session draws the grant's id just then: it exists for no ledger outside a test.
      return here.session !== undefined && outcome.kind === 'replayed' ? { kind: 'session-ended' } : outcome;
    };
  });

const redeemCode = fc.record({ grantId, clientId }).map(
  (choice) =>
    ({ now, generations }: Moment): Call =>
    async (ledger) => {
      const outcome = await ledger.redeemCode(redemption({ ...choice, now, codeExpiresAt: now + 1 }));
      if (outcome.kind === 'redeemed') generations.set(choice.grantId, 0);
      return outcome;
    },
);

const lateRefresh = fc.constantFrom('recover', 'recover', 'revoke');

const refresh = fc
  .record({ grantId, clientId, lateRefresh, back: fc.constantFrom(0, 0, 0, 0, 1, 1, 1, 2, -1) })
  .map(({ back, ...choice }) => ({ now, generations }: Moment): Call => {
    const presented = Math.max(0, (generations.get(choice.grantId) ?? 0) - back);
    return async (ledger) => {
      const outcome = await ledger.refresh(refreshUse(presented, now, choice));
      if (outcome.kind === 'continued') generations.set(choice.grantId, outcome.grant.generation);
      return outcome;
    };
  });

const isRefreshable = fc
  .record({ grantId, clientId, lateRefresh, back: fc.constantFrom(0, 0, 1, 1, 2, -1) })
  .map(({ back, ...choice }) => ({ now, generations }: Moment): Call => {
    const presented = Math.max(0, (generations.get(choice.grantId) ?? 0) - back);
    return (ledger) => ledger.isRefreshable(refreshUse(presented, now, choice));
  });

const grantStatus = grantId.map((id) => (): Call => (ledger) => ledger.grantStatus(id));

const claimCode = grantId.map(
  (id) =>
    ({ now }: Moment): Call =>
    (ledger) =>
      ledger.claimCode({ grantId: id, now }),
);

const asked = fc.record({ provider: fc.constant('google'), subject, sealedRefreshToken });

const storeToken = fc.record({ asked, named: fc.record({ tokenNames }, { requiredKeys: [] }) }).map(
  ({ asked: token, named }) =>
    (): Call =>
    (ledger) =>
      ledger.storeToken({ ...token, ...named }),
);

const recordCheck = fc
  .record({ asked, token, later: fc.constantFrom(0, 60, 600) }, { requiredKeys: ['asked', 'later'] })
  .map(unfold)
  .map(
    ({ later, ...check }) =>
      ({ now }: Moment): Call =>
      (ledger) =>
        ledger.recordCheck({ ...check, checkAfter: now + later }),
  );

const endIdentity = asked.map(
  (token) =>
    ({ now }: Moment): Call =>
    (ledger) =>
      ledger.endIdentity(token, 'gone', now),
);

const resolveRecheck = asked.map((token) => (): Call => (ledger) => ledger.resolveRecheck(token));

const dropUpstreamToken = fc.record({ asked, limit: fc.constantFrom(0, 600, 86_400) }).map(
  ({ asked: token, limit }) =>
    ({ now }: Moment): Call =>
    (ledger) =>
      ledger.dropUpstreamToken({
        ...{ asked: token, startedAt: now - 3, now, refreshableUntil: now + limit },
        reason: 'inconclusive',
      }),
);

const revoke = fc
  .oneof(
    fc.record({ kind: fc.constant('grant' as const), id: grantId }),
    fc.record({ kind: fc.constant('user' as const), id: userId }),
    fc.record({ kind: fc.constant('client' as const), id: clientId }),
  )
  .map(
    (target) =>
      ({ now }: Moment): Call =>
      (ledger) =>
        ledger.revoke(target, 'signed out', now),
  );

const revocationsSince = fc
  .record({ cursor: fc.constantFrom(undefined, undefined, 0, 1, 2), limit: fc.constantFrom(1, 2, 100) })
  .map(
    ({ cursor, limit }) =>
      ({ now }: Moment): Call =>
      async (ledger) => {
        const page = await ledger.revocationsSince(cursor, now, limit);
        return page.kind === 'page' ? { ...page, revocations: inOrder(page.revocations) } : page;
      },
  );

/** Lines that were appended at once have no order among themselves. */
const inOrder = <Row>(rows: readonly Row[]): readonly Row[] =>
  rows.toSorted((one, other) => JSON.stringify(one).localeCompare(JSON.stringify(other)));

const isRevoked = fc.record({ grantId, clientId, userId, age: fc.constantFrom(0, 1, 10, 100, 1000) }).map(
  ({ age, ...origin }) =>
    ({ now }: Moment): Call =>
    (ledger) =>
      ledger.isRevoked(accessToken({ ...origin, issuedAt: now - age }), now),
);

const useSession = grantId.map(
  (id) =>
    ({ now }: Moment): Call =>
    (ledger) =>
      ledger.useSession({ grantId: id, now, idleExpiresAt: now + 600 }),
);

const takeCheck = subject.map(
  (name) =>
    ({ now }: Moment): Call =>
    (ledger) =>
      ledger.takeCheck({ provider: 'google', subject: name, now, checkLease: 60 }),
);

const readAccount = userId.map(
  (id) => (): Call => async (ledger) => {
    const account = await ledger.readAccount(id);
    // Rows of the same second have no order among themselves.
    return (
      account && { ...account, grants: inOrder(account.grants), identities: inOrder(account.identities) }
    );
  },
);

const findUser = subject.map(
  (name) => (): Call => (ledger) => ledger.findUser({ provider: 'google', subject: name }),
);

const linkIdentity = fc
  .record({
    userId,
    session: grantId,
    identity: fc.record({ subject, token }, { requiredKeys: ['subject'] }).map(unfold),
  })
  .map(
    ({ identity, ...link }) =>
      ({ now }: Moment): Call =>
      (ledger) =>
        ledger.linkIdentity({ ...link, identity: { provider: 'google', ...identity }, now }),
  );

const unlinkIdentity = fc.record({ userId, subject }).map(
  (unlink) =>
    ({ now }: Moment): Call =>
    (ledger) =>
      ledger.unlinkIdentity({ ...unlink, provider: 'google', now }),
);

const endApps = fc.record({ userId, grantIds: fc.array(grantId, { maxLength: 3 }) }).map(
  (ending) =>
    ({ now }: Moment): Call =>
    (ledger) =>
      ledger.endApps({ ...ending, reason: 'disconnected', now }),
);

const deleteUser = userId.map(
  (id) =>
    ({ now }: Moment): Call =>
    (ledger) =>
      ledger.deleteUser({ userId: id, by: 'user', now }),
);

const findTokens = fc
  .record(
    {
      beginnings: fc.array(fc.constantFrom('sealed-1', 'sealed-', 'sealed-3', 'x')),
      after: fc.record({ provider: fc.constantFrom('github', 'google'), subject }),
      limit: fc.constantFrom(1, 2, 10),
    },
    { requiredKeys: ['beginnings', 'limit'] },
  )
  .map((question) => (): Call => (ledger) => ledger.findTokens(question));

const replaceTokens = fc
  .array(
    asked.map(({ sealedRefreshToken: was, ...name }) => ({ ...name, was, sealedRefreshToken: 'sealed-3' })),
    {
      maxLength: 2,
    },
  )
  .map(
    (tokens) =>
      ({ now }: Moment): Call =>
      (ledger) =>
        ledger.replaceTokens({ tokens, now, checkLease: 60 }),
  );
const target = fc.oneof(
  fc.record({ kind: fc.constant('identity' as const), subject }),
  fc.record({ kind: fc.constant('session' as const), sid, subject }, { requiredKeys: ['kind', 'sid'] }),
  fc.record({ kind: fc.constant('token' as const), name: tokenName }),
);

const recordSignal = fc
  .record({
    jti: fc.constantFrom('signal-1', 'signal-2', 'signal-3', 'signal-4'),
    age: fc.constantFrom(0, 0, 1, 100),
    reach: fc.constantFrom('sessions', 'presence', 'grants', 'identity'),
    targets: fc.array(target, { minLength: 1, maxLength: 2 }),
  })
  .map(
    ({ jti, age, reach, targets }) =>
      ({ now }: Moment): Call =>
      (ledger) =>
        ledger.recordSignal({
          ...{ provider: 'google', jti, neededUntil: now + 600, before: now - age, reason: 'a signal', now },
          endings: targets.map((one) => ({ target: one, reach })),
        }),
  );

const sweep = fc
  .constantFrom<readonly [string, ...string[]]>(['key-1'], ['key-1', 'key-2'], ['key-2', 'key-1'])
  .map(
    (openingKeys) =>
      ({ now }: Moment): Call =>
      (ledger) =>
        ledger.sweep({ ...sweepAt(now), sealingKey: openingKeys[0], openingKeys }),
  );

const call = fc.oneof(
  { weight: 4, arbitrary: recordSignIn },
  { weight: 3, arbitrary: redeemCode },
  { weight: 12, arbitrary: refresh },
  { weight: 3, arbitrary: isRefreshable },
  { weight: 2, arbitrary: grantStatus },
  { weight: 2, arbitrary: claimCode },
  { weight: 1, arbitrary: storeToken },
  { weight: 2, arbitrary: recordCheck },
  { weight: 1, arbitrary: endIdentity },
  { weight: 1, arbitrary: resolveRecheck },
  { weight: 1, arbitrary: dropUpstreamToken },
  { weight: 1, arbitrary: revoke },
  { weight: 3, arbitrary: revocationsSince },
  { weight: 3, arbitrary: isRevoked },
  { weight: 2, arbitrary: findTokens },
  { weight: 1, arbitrary: replaceTokens },
  { weight: 1, arbitrary: sweep },
  { weight: 3, arbitrary: useSession },
  { weight: 2, arbitrary: takeCheck },
  { weight: 3, arbitrary: readAccount },
  { weight: 1, arbitrary: findUser },
  { weight: 2, arbitrary: linkIdentity },
  { weight: 1, arbitrary: unlinkIdentity },
  { weight: 1, arbitrary: endApps },
  { weight: 1, arbitrary: deleteUser },
  { weight: 2, arbitrary: recordSignal },
);

/** Around the edges that the port names; backwards, too, as between two servers. */
const wait = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(-3, 0, 0, 1, 1, 1, 10, 11) },
  { weight: 3, arbitrary: fc.constantFrom(119, 120, 121, 600) },
  { weight: 1, arbitrary: fc.constantFrom(1799, 1800, 3600, 86_400, 30 * 86_400) },
);

const runs = fc.array(fc.tuple(wait, call), { minLength: 10, maxLength: 50, size: 'max' });

it('answers any run of calls as the ledger in memory does', () =>
  fc.assert(
    fc.asyncProperty(runs, async (run) => {
      const onD1 = d1Ledger(await emptyD1());
      const inMemory = memoryLedger();
      for (const ledger of [onD1, inMemory]) await begin(ledger, { identity: adasToken });
      const generations = new Map<string, number>();
      let now = t0 + 1;
      for (const [index, [later, makeCall]] of run.entries()) {
        now += later;
        const made = makeCall({ now, newId: `user-${index + 2}`, generations });
        expect(await made(onD1)).toEqual(await made(inMemory));
      }
    }),
    { numRuns: 50 },
  ));
