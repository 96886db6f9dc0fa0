/**
 * The broker's ledger over several ledgers: everything of one user lies in one of them, so every operation stays one atomic
 * round trip to one database. Only what concerns everybody, or does not say whom, asks them all: a client's end,
 * a provider's signal, news of revocations, the sweep.
 */
import type { IdentityName, Ledger, Revocation, RevocationPage, RevocationTarget } from 'assistant-auth';
import { bucketOfIdentity, databaseOfBucket, databaseOfId } from './buckets.ts';
import { createCursors } from './cursors.ts';

/** Whether there are people whose ids were given before there were buckets: the first ledger keeps them. */
export type People = 'all-placed' | 'some-from-before';

/**
 * Puts ledgers side by side; their order is part of what the ids mean.
 * @throws RangeError from `recordSignIn` when grant and new user were placed in different databases, from `linkIdentity` when the
 *   identity belongs into another database than the user: that takes a directory (docs/scale.md)
 */
export const shardedLedger = (ledgers: readonly Ledger[], people: People): Ledger => {
  const cursors = createCursors(ledgers.length);
  const databaseOf = (id: string): number => databaseOfId(id, ledgers.length);
  const home = (id: string): Ledger => at(ledgers, databaseOf(id));
  const everywhere = <Answer>(ask: (ledger: Ledger) => Promise<Answer>) => Promise.all(ledgers.map(ask));
  const keepersOf = ({ kind, id }: RevocationTarget): readonly Ledger[] =>
    kind === 'client' ? ledgers : [home(id)];
  /** Only where the token is stored does anything happen. */
  const keepersOfIdentity = ({ provider, subject }: IdentityName): readonly Ledger[] => {
    const own = databaseOfBucket(bucketOfIdentity(provider, subject), ledgers.length);
    const keepers = people === 'all-placed' ? [own] : new Set([own, 0]);
    return Array.from(keepers, (index) => at(ledgers, index));
  };
  return {
    async recordSignIn(signIn) {
      const { grant, user } = signIn;
      const userId = user.kind === 'ours' ? user.newId : user.id;
      if (databaseOf(userId) !== databaseOf(grant.id))
        throw new RangeError('a grant lies in the database of its user');
      return home(grant.id).recordSignIn(signIn);
    },
    grantStatus: (grantId) => home(grantId).grantStatus(grantId),
    claimCode: (claim) => home(claim.grantId).claimCode(claim),
    redeemCode: (redemption) => home(redemption.grantId).redeemCode(redemption),
    refresh: (use) => home(use.grantId).refresh(use),
    isRefreshable: (question) => home(question.grantId).isRefreshable(question),
    async storeToken(token) {
      await Promise.all(keepersOfIdentity(token).map((ledger) => ledger.storeToken(token)));
    },
    async recordCheck(check) {
      await Promise.all(keepersOfIdentity(check.asked).map((ledger) => ledger.recordCheck(check)));
    },
    async endIdentity(asked, reason, now) {
      const keepers = keepersOfIdentity(asked);
      const outcomes = await Promise.all(keepers.map((ledger) => ledger.endIdentity(asked, reason, now)));
      return outcomes.includes('ended') ? 'ended' : 'superseded';
    },
    async resolveRecheck(asked) {
      await Promise.all(keepersOfIdentity(asked).map((ledger) => ledger.resolveRecheck(asked)));
    },
    async dropUpstreamToken(drop) {
      const keepers = keepersOfIdentity(drop.asked);
      const outcomes = await Promise.all(keepers.map((ledger) => ledger.dropUpstreamToken(drop)));
      return outcomes.includes('dropped') ? 'dropped' : 'superseded';
    },
    async revoke(target, reason, now, by) {
      await Promise.all(keepersOf(target).map((ledger) => ledger.revoke(target, reason, now, by)));
    },
    async revocationsSince(cursor, now, limit) {
      const places = cursors.placesOf(cursor);
      const pages = await Promise.all(
        ledgers.map((ledger, index) => ledger.revocationsSince(places[index], now, limit)),
      );
      const all = merge(pages, limit);
      if (all === undefined) return { kind: 'too-many' };
      return { kind: 'page', revocations: all.revocations, cursor: cursors.cursorOf(all.places) };
    },
    // Whatever ends a grant, a client's end included, leaves its line in the grant's own database.
    isRevoked: (token, now) => home(token.grantId).isRevoked(token, now),
    async sweep(sweep) {
      await everywhere((ledger) => ledger.sweep(sweep));
    },
    async findTokens(question) {
      const found = await everywhere((ledger) => ledger.findTokens(question));
      return found.flat().toSorted(byIdentity).slice(0, question.limit);
    },
    // Only where one is stored does anything happen.
    async replaceTokens(resealing) {
      await everywhere((ledger) => ledger.replaceTokens(resealing));
    },
    useSession: (use) => home(use.grantId).useSession(use),
    async takeCheck(question) {
      const turns = await Promise.all(
        keepersOfIdentity(question).map((ledger) => ledger.takeCheck(question)),
      );
      return turns.find(({ kind }) => kind !== 'no-word') ?? { kind: 'no-word' };
    },
    readHistory: (userId) => home(userId).readHistory(userId),
    readAccount: (userId) => home(userId).readAccount(userId),
    async findUser(identity) {
      const found = await Promise.all(keepersOfIdentity(identity).map((ledger) => ledger.findUser(identity)));
      return found.find((userId) => userId !== undefined);
    },
    async linkIdentity(link) {
      const keepers = keepersOfIdentity(link.identity);
      if (!keepers.includes(home(link.userId)))
        throw new RangeError('an identity lies in the database of its user');
      return home(link.userId).linkIdentity(link);
    },
    unlinkIdentity: (unlink) => home(unlink.userId).unlinkIdentity(unlink),
    endApps: (ending) => home(ending.userId).endApps(ending),
    deleteUser: (deletion) => home(deletion.userId).deleteUser(deletion),
    // Whose session or token it names, no id tells. Where one of them could not be asked, the sender tries again, and only there
    // does it count as the first.
    async recordSignal(signal) {
      const outcomes = await everywhere((ledger) => ledger.recordSignal(signal));
      return outcomes.includes('first') ? 'first' : 'replayed';
    },
  };
};

const merge = (pages: readonly RevocationPage[], limit: number) => {
  const revocations: Revocation[] = [];
  const places: number[] = [];
  for (const page of pages) {
    if (page.kind === 'too-many') return undefined;
    revocations.push(...page.revocations);
    places.push(page.cursor);
  }
  return revocations.length > limit ? undefined : { revocations, places };
};

/** As every one of them orders its own. */
const byIdentity = (one: IdentityName, other: IdentityName): number =>
  compare(one.provider, other.provider) || compare(one.subject, other.subject);

const compare = (one: string, other: string): number => (one === other ? 0 : one < other ? -1 : 1);

const at = <Value>(values: readonly Value[], index: number): Value => {
  const value = values[index];
  if (value === undefined) throw new RangeError(`there is no database ${index}`);
  return value;
};
