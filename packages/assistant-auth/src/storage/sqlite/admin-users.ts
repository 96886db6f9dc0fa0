/** The operator's queries about users, their grants and identities, in SQL. */
import type { EpochSeconds, UserId } from '../../oauth/identifiers.ts';
import { runBatch, type SqlDatabase } from './statements.ts';
import type {
  FoundIdentity,
  GrantSummary,
  IdentityWithoutUpstreamToken,
  Pagination,
  UserSummary,
} from './storage-admin.ts';

export const readGrants = async (
  db: SqlDatabase,
  userId: UserId,
  now: EpochSeconds,
): Promise<readonly GrantSummary[] | undefined> => {
  const [user, grants] = await runBatch<GrantRow>(
    db,
    db.prepare('SELECT id FROM users WHERE id = ?1').bind(userId),
    db
      .prepare(
        `SELECT id, client_id AS clientId, redirect_uri AS redirectUri, scopes, provider, created_at AS createdAt,
          last_used_at AS lastUsedAt, revoked_reason AS reason,
          CASE WHEN revoked_at IS NOT NULL THEN 'revoked' WHEN redeemed_at IS NULL THEN 'pending'
            WHEN ${buildActiveGrantCondition('?2')} THEN 'active' ELSE 'expired' END AS state
        FROM grants WHERE user_id = ?1 ORDER BY created_at DESC, id`,
      )
      .bind(userId, now),
  );
  return user?.results[0] && (grants?.results ?? []).map(toGrantSummary);
};

interface GrantRow extends Omit<GrantSummary, 'scopes' | 'lastUsedAt' | 'reason'> {
  /** JSON array. */
  readonly scopes: string;
  readonly lastUsedAt: number | null;
  readonly reason: string | null;
}

const toGrantSummary = ({ scopes, lastUsedAt, reason, ...grant }: GrantRow): GrantSummary => ({
  ...grant,
  scopes: JSON.parse(scopes),
  ...(lastUsedAt !== null && { lastUsedAt }),
  ...(reason !== null && { reason }),
});

/**
 * Returns the condition that a token of a row of `grants` can still be used.
 * @param now the SQL parameter with the current time, such as `?1`
 */
export const buildActiveGrantCondition = (now: string): string =>
  `(grants.revoked_at IS NULL AND (grants.access_expires_at > ${now}
    OR (grants.refresh_policy <> 'none' AND grants.refresh_idle_expires_at > ${now})))`;

export const readIdentitiesWithoutUpstreamToken = async (
  db: SqlDatabase,
  { limit, skip }: Pagination,
  now: EpochSeconds,
): Promise<readonly IdentityWithoutUpstreamToken[]> => {
  const [found] = await runBatch<IdentityWithoutUpstreamTokenRow>(
    db,
    db
      .prepare(
        `SELECT identities.provider, identities.user_id AS userId, last_sign_in_at AS since,
          refreshable_until AS refreshableUntil, count(*) AS activeGrants
        FROM identities JOIN grants USING (provider, subject)
        WHERE sealed_refresh_token IS NULL AND ${buildActiveGrantCondition('?1')}
        GROUP BY identities.provider, identities.subject
        ORDER BY last_sign_in_at, identities.user_id, identities.provider, identities.subject LIMIT ?2 OFFSET ?3`,
      )
      .bind(now, limit, skip),
  );
  return (found?.results ?? []).map(toIdentityWithoutUpstreamToken);
};

interface IdentityWithoutUpstreamTokenRow extends Omit<IdentityWithoutUpstreamToken, 'refreshableUntil'> {
  readonly refreshableUntil: number | null;
}

const toIdentityWithoutUpstreamToken = ({
  refreshableUntil,
  ...identity
}: IdentityWithoutUpstreamTokenRow): IdentityWithoutUpstreamToken => ({
  ...identity,
  ...(refreshableUntil !== null && { refreshableUntil }),
});

export const readUsers = async (
  db: SqlDatabase,
  { limit, skip }: Pagination,
  now: EpochSeconds,
): Promise<readonly UserSummary[]> => {
  const [found] = await runBatch<UserRow>(
    db,
    db
      .prepare(
        `SELECT id, created_at AS createdAt,
          (SELECT count(*) FROM identities WHERE user_id = users.id) AS identities,
          (SELECT count(*) FROM grants WHERE user_id = users.id AND ${buildActiveGrantCondition('?1')}) AS activeGrants,
          (SELECT max(last_sign_in_at) FROM identities WHERE user_id = users.id) AS lastSignInAt
        FROM users ORDER BY created_at DESC, id LIMIT ?2 OFFSET ?3`,
      )
      .bind(now, limit, skip),
  );
  return (found?.results ?? []).map(toUserSummary);
};

interface UserRow extends Omit<UserSummary, 'lastSignInAt'> {
  readonly lastSignInAt: number | null;
}

const toUserSummary = ({ lastSignInAt, ...user }: UserRow): UserSummary => ({
  ...user,
  ...(lastSignInAt !== null && { lastSignInAt }),
});

// The search. `instr` instead of LIKE, which has wildcards and, on D1, patterns of at most 50 bytes.

export const findIdentities = async (
  db: SqlDatabase,
  text: string,
  { limit, skip }: Pagination,
  now: EpochSeconds,
): Promise<readonly FoundIdentity[]> => {
  if (text === '') return [];
  const searched = [...text].map(foldCase).join('');
  const { expression, replacements } = buildFoldedLabel(searched);
  const order = 'is_exact DESC, last_sign_in_at DESC, provider, subject';
  const [found] = await runBatch<FoundIdentity>(
    db,
    db
      .prepare(
        `WITH
          folded AS (SELECT *, ${expression} AS text FROM identities, (SELECT ?5 AS pairs) WHERE label IS NOT NULL),
          page AS (
            SELECT *, text = ?1 AS is_exact FROM folded WHERE instr(text, ?1) > 0
            ORDER BY ${order} LIMIT ?3 OFFSET ?4
          )
        SELECT user_id AS userId, provider, label, last_sign_in_at AS lastSignInAt,
          (SELECT count(*) FROM grants WHERE user_id = page.user_id AND ${buildActiveGrantCondition('?2')}) AS activeGrants
        FROM page ORDER BY ${order}`,
      )
      .bind(searched, now, limit, skip, JSON.stringify(replacements)),
  );
  return found?.results ?? [];
};

/** Returns a letter in lowercase, or unchanged if that would be more than one letter. */
const foldCase = (letter: string): string => {
  const lowercase = letter.toLowerCase();
  return [...lowercase].length === 1 ? lowercase : letter;
};

/** The expressions of a statement on D1 can be nested 100 deep. No name has this many different letters. */
const maxReplacedLetters = 50;

/**
 * Returns an expression for the label in lowercase. SQLite's `lower` changes only the letters A to Z, so the
 * expression replaces the uppercase forms of the other letters that the searched text contains. They are in
 * the column `pairs`, a JSON array of the uppercase form of each letter and the letter.
 */
const buildFoldedLabel = (
  searched: string,
): { readonly expression: string; readonly replacements: readonly string[] } => {
  const pairs = [...new Set(searched)]
    .filter((letter) => letter > '\u007f')
    .map((letter) => [letter.toUpperCase(), letter] as const)
    .filter(([uppercase, letter]) => uppercase !== letter && [...uppercase].length === 1)
    .slice(0, maxReplacedLetters);
  const expression = pairs.reduce(
    (label, _, index) => `replace(${label}, pairs ->> ${2 * index}, pairs ->> ${2 * index + 1})`,
    'label',
  );
  return { expression: `lower(${expression})`, replacements: pairs.flat() };
};
