/**
 * The database of the simulation: creates the product's own stores on it, inserts the users from before the
 * day, and counts rows and the round trips by kind.
 */
import type { BrokerStorage } from 'assistant-auth';
import { d1Storage } from 'assistant-auth/d1';
import type { GameStore } from '../../../apps/words/src/game/game-store.ts';
import { d1GameStore } from '../../../apps/words/src/store/game-store.ts';
import {
  countStepsOfRound,
  createSimulatedUser,
  type DatabaseCounts,
  isNewUser,
  pointsPerRound,
  type Step,
} from '../day.ts';
import { type BatchingD1, createBatchingD1, type TripCosts } from './batching-d1.ts';
import { listWonRounds } from './rounds.ts';

export interface Stores {
  readonly storage: BrokerStorage;
  /** Returns the game's store for round trips of this kind. */
  game(kind: Step['kind']): GameStore;
  /** The costs by kind of round trip. */
  usage(): Readonly<Record<string, TripCosts>>;
}

export const createStores = (db: D1Database): Stores => {
  const database = createBatchingD1(db);
  return {
    storage: createCountedStorage(database),
    game: (kind) => d1GameStore(database.forKind(kind)),
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

export const clientId = 'words-gpt';
const day = 86_400;

export interface PopulationSlice {
  readonly from: number;
  readonly to: number;
  /** The rounds of each user, all of them won. */
  readonly roundsPerUser: number;
  /** The start of the day, in seconds since 1970. */
  readonly midnight: number;
}

/**
 * Inserts the users `from` (inclusive) to `to` (exclusive), with the rows that the stores would have written,
 * except the users who sign in for the first time today.
 */
export const insertPopulation = async (
  db: D1Database,
  { from, to, roundsPerUser, midnight }: PopulationSlice,
): Promise<void> => {
  const users = Array.from({ length: to - from }, (_, index) => from + index)
    .filter((number) => !isNewUser(number))
    .map(createSimulatedUser);
  const rows = JSON.stringify(users.map(({ userId, grantId, subject }) => [userId, grantId, subject]));
  const rounds = JSON.stringify(listWonRounds(roundsPerUser));
  await db.batch([
    ...insertSignedInUsers.map((statement) => db.prepare(statement).bind(rows, midnight - day)),
    db.prepare(insertScores).bind(rows, roundsPerUser, pointsPerRound),
    db.prepare(insertRounds).bind(rows, rounds, midnight, pointsPerRound, wrongGuesses, hints),
  ]);
};

const [wrongGuesses, hints] = [countStepsOfRound('wrong-letter'), countStepsOfRound('hint')];

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

const insertScores = `INSERT INTO scores (user_id, score, points, rounds_started, rounds_won)
  SELECT ${userId}, ?2, ?2 * ?3, ?2, ?2 FROM json_each(?1)`;

/** One round a day: ?1 users, ?2 rounds, ?3 midnight, ?4 points, ?5 wrong guesses, ?6 hints. */
const insertRounds = `
  INSERT INTO rounds (user_id, id, word, hidden_letters, moves, outcome, points, wrong_guesses, hints, started_at, expires_at)
  SELECT player.value ->> 0, 'animals-en-' || lower(hex(randomblob(6))), round.value ->> 0, round.value ->> 1, round.value ->> 2,
    'won', ?4, ?5, ?6, ?3 - (round.key + 1) * 86400, ?3 - (round.key + 1) * 86400 + 3600
  FROM json_each(?1) AS player, json_each(?2) AS round`;

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
  (SELECT count(*) FROM rounds) AS rounds,
  (SELECT count(*) FROM rounds WHERE outcome = 'won') AS storedWins,
  (SELECT count(*) FROM scores) AS scores,
  (SELECT coalesce(sum(score), 0) FROM scores) AS wordsGuessed,
  (SELECT coalesce(sum(points), 0) FROM scores) AS points,
  (SELECT coalesce(sum(rounds_started), 0) FROM scores) AS roundsStarted,
  (SELECT coalesce(sum(rounds_won), 0) FROM scores) AS roundsWon`;
