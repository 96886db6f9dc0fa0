/** Inserts all users who signed in before the day, with the rows that storage would have written. */
import { createSimulatedUser, type SimulatedUser } from '../day/person.ts';
import { isNewUser } from '../day/visits.ts';
import { findDatabase } from '../sharding/buckets.ts';

export const clientId = 'words-gpt';
const day = 86_400;

/**
 * Inserts the users `from` (inclusive) to `to` (exclusive), without those who sign in for the first time
 * today.
 */
export const insertPopulation = async (
  databases: readonly D1Database[],
  { from, to, midnight }: { readonly from: number; readonly to: number; readonly midnight: number },
): Promise<void> => {
  const known = Array.from({ length: to - from }, (_, at) => from + at)
    .filter((number) => !isNewUser(number))
    .map(createSimulatedUser);
  await Promise.all(
    databases.map((db, index) =>
      insert(
        db,
        known.filter(({ userId }) => findDatabase(userId, databases.length) === index),
        midnight - day,
      ),
    ),
  );
};

const insert = async (db: D1Database, people: readonly SimulatedUser[], yesterday: number): Promise<void> => {
  const rows = JSON.stringify(people.map(({ userId, grantId, subject }) => [userId, grantId, subject]));
  await db.batch([
    ...signedIn.map((statement) => db.prepare(statement).bind(rows, yesterday)),
    db.prepare(scored).bind(rows),
  ]);
};

const userId = "value ->> '$[0]'";
const grantId = "value ->> '$[1]'";
const subject = "value ->> '$[2]'";

// Values as long as in production: a label, and a sealed upstream token.
const signedIn = [
  `INSERT INTO users (id, created_at) SELECT ${userId}, ?2 FROM json_each(?1)`,
  `INSERT INTO identities (provider, subject, user_id, label, sealed_refresh_token, created_at, last_sign_in_at)
    SELECT 'google', ${subject}, ${userId}, 'somebody@mail.example', hex(randomblob(100)), ?2, ?2 FROM json_each(?1)`,
  `INSERT INTO grants (id, user_id, provider, subject, client_id, redirect_uri, scopes, resource, claims, refresh_policy,
      created_at, redeemed_at, last_used_at, access_expires_at, refresh_idle_expires_at, refresh_absolute_expires_at)
    SELECT ${grantId}, ${userId}, 'google', ${subject}, '${clientId}', 'https://chatgpt.com/aip/g-68f0c2a1b4d881918f2c5a7d3e9b6014/oauth/callback',
      '["words","score"]', 'https://words.example/api', '{}', 'stable',
      ?2, ?2, ?2, ?2 + 1800, ?2 + 5184000, ?2 + 31536000 FROM json_each(?1)`,
];

const scored = `INSERT INTO scores (user_id, score) SELECT ${userId}, 1 FROM json_each(?1)`;
