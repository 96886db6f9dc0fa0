/**
 * The database of the simulation: creates the product's own stores on it, inserts the users from before the
 * day, and counts rows and the round trips by kind.
 */
import type { BrokerStorage } from 'assistant-auth';
import { d1Storage } from 'assistant-auth/d1';
import type { GameStore } from '../../../apps/words/src/game/game-store.ts';
import { d1GameStore } from '../../../apps/words/src/store/game-store.ts';
import { createSimulatedUser, type DatabaseCounts, isNewUser } from '../day.ts';
import { type BatchingD1, createBatchingD1, type TripCosts } from './batching-d1.ts';

export interface Stores {
  readonly storage: BrokerStorage;
  readonly scores: Pick<GameStore, 'readHistory' | 'increaseScore'>;
  /** The costs by kind of round trip. */
  usage(): Readonly<Record<string, TripCosts>>;
}

export const createStores = (db: D1Database): Stores => {
  const database = createBatchingD1(db);
  return {
    storage: createCountedStorage(database),
    scores: createCountedScores(database),
    usage: () => database.usage(),
  };
};

const createCountedStorage = (database: BatchingD1): BrokerStorage => {
  const createStorage = (kind: string): BrokerStorage => d1Storage(database.forKind(kind));
  return {
    ...createStorage('account'),
    recordSignIn: createStorage('sign-in').recordSignIn,
    readGrantStatus: createStorage('grant-status').readGrantStatus,
    claimCode: createStorage('claim-code').claimCode,
    redeemCode: createStorage('redeem').redeemCode,
    refresh: createStorage('refresh').refresh,
    readRefreshable: createStorage('read-refreshable').readRefreshable,
    storeUpstreamToken: createStorage('store-token').storeUpstreamToken,
    recordRecheck: createStorage('recheck').recordRecheck,
    revokeGrantsOfIdentity: createStorage('revoke-identity').revokeGrantsOfIdentity,
    revoke: createStorage('sign-out').revoke,
    readRevocations: (cursor, now, limit) =>
      createStorage(cursor === undefined ? 'allRevocations' : 'newRevocations').readRevocations(
        cursor,
        now,
        limit,
      ),
    isRevoked: createStorage('is-revoked').isRevoked,
    cleanUp: createStorage('cleanUp').cleanUp,
  };
};

const createCountedScores = (database: BatchingD1): Stores['scores'] => ({
  readHistory: d1GameStore(database.forKind('read')).readHistory,
  increaseScore: d1GameStore(database.forKind('point')).increaseScore,
});

export const clientId = 'words-gpt';
const day = 86_400;

/**
 * Inserts the users `from` (inclusive) to `to` (exclusive), with the rows that storage would have written,
 * except the users who sign in for the first time today.
 */
export const insertPopulation = async (
  db: D1Database,
  { from, to, midnight }: { readonly from: number; readonly to: number; readonly midnight: number },
): Promise<void> => {
  const users = Array.from({ length: to - from }, (_, index) => from + index)
    .filter((number) => !isNewUser(number))
    .map(createSimulatedUser);
  const rows = JSON.stringify(users.map(({ userId, grantId, subject }) => [userId, grantId, subject]));
  await db.batch([
    ...insertSignedInUsers.map((statement) => db.prepare(statement).bind(rows, midnight - day)),
    db.prepare(insertScores).bind(rows),
  ]);
};

const userId = "value ->> '$[0]'";
const grantId = "value ->> '$[1]'";
const subject = "value ->> '$[2]'";

// Values as long as in production: a label, and a sealed upstream token.
const insertSignedInUsers = [
  `INSERT INTO users (id, created_at) SELECT ${userId}, ?2 FROM json_each(?1)`,
  `INSERT INTO identities (provider, subject, user_id, label, sealed_refresh_token, created_at, last_sign_in_at)
    SELECT 'google', ${subject}, ${userId}, 'somebody@mail.example', hex(randomblob(100)), ?2, ?2 FROM json_each(?1)`,
  `INSERT INTO grants (id, user_id, provider, subject, client_id, redirect_uri, scopes, resource, claims, refresh_policy,
      created_at, redeemed_at, last_used_at, access_expires_at, refresh_idle_expires_at, refresh_absolute_expires_at)
    SELECT ${grantId}, ${userId}, 'google', ${subject}, '${clientId}', 'https://chatgpt.com/aip/g-68f0c2a1b4d881918f2c5a7d3e9b6014/oauth/callback',
      '["words","score"]', 'https://words.example/api', '{}', 'stable',
      ?2, ?2, ?2, ?2 + 1800, ?2 + 5184000, ?2 + 31536000 FROM json_each(?1)`,
];

const insertScores = `INSERT INTO scores (user_id, score) SELECT ${userId}, 1 FROM json_each(?1)`;

export const countRows = async (db: D1Database): Promise<DatabaseCounts> => {
  const { results, meta } = await db.prepare(countStatement).run<Omit<DatabaseCounts, 'bytes'>>();
  const [counts] = results;
  if (counts === undefined) throw new Error('no row was returned');
  return { ...counts, bytes: meta.size_after };
};

const countStatement = `SELECT
  (SELECT count(*) FROM users) AS users,
  (SELECT count(*) FROM identities) AS identities,
  (SELECT count(*) FROM grants) AS grants,
  (SELECT count(*) FROM grants WHERE revoked_at IS NOT NULL) AS revokedGrants,
  (SELECT count(*) FROM scores) AS scores,
  (SELECT coalesce(sum(score), 0) FROM scores) AS points`;
