/**
 * Stores rounds and scores in D1. Each method is one round trip: a batch is one transaction, in which a conditional
 * update changes the round, and the next statement changes the score only if it did. So a round is won once,
 * however many guesses arrive at the same time.
 */
import {
  type GameStore,
  GameUnavailable,
  type RoundOutcome,
  type StoredRound,
  type Totals,
} from '../game/game-store.ts';
import {
  avoidedWords,
  hintCost,
  hintsPerWord,
  keptRounds,
  maxPoints,
  maxRoundsPerHour,
  maxWrongGuesses,
  pointsPerWin,
  wrongGuessCost,
} from '../game/scoring.ts';

/** Stores rounds and scores in a D1 database, which also contains the broker's table `users`. */
export const d1GameStore = (db: D1Database): GameStore => {
  const readRound = (userId: string, id: string, daily?: string): D1PreparedStatement =>
    db.prepare(selectRound).bind(userId, id, daily ?? null);
  return {
    start: async (userId, { id, daily, candidates, expiresAt }, now) => {
      const values = [userId, id, daily ?? null, JSON.stringify(candidates), now, expiresAt];
      const [inserted, , , found] = await runBatch<RoundRow>(db, [
        db.prepare(insertRound).bind(...values),
        db.prepare(countStartedRound).bind(userId),
        db.prepare(deleteOldRounds).bind(userId, now),
        readRound(userId, id, daily),
      ]);
      return toRoundOutcome(inserted, found);
    },
    guess: async (userId, id, guess, now) => {
      const values = [userId, id, now, guess.letters];
      const judge =
        guess.kind === 'letter'
          ? db.prepare(judgeLetter).bind(...values)
          : db.prepare(judgeWord).bind(...values, JSON.stringify(guess.words));
      const countIfWon = db.prepare(countWin).bind(userId, id);
      const [judged, , found] = await runBatch<RoundRow>(db, [judge, countIfWon, readRound(userId, id)]);
      return toRoundOutcome(judged, found);
    },
    takeHint: async (userId, id, now) => {
      const reveal = db.prepare(revealHint).bind(userId, id, now);
      const [revealed, found] = await runBatch<RoundRow>(db, [reveal, readRound(userId, id)]);
      return toRoundOutcome(revealed, found);
    },
    giveUp: async (userId, id, now) => {
      const end = db.prepare(endRound).bind(userId, id, now);
      const [ended, found] = await runBatch<RoundRow>(db, [end, readRound(userId, id)]);
      return toRoundOutcome(ended, found);
    },
    read: async (userId, id) => {
      const [found] = await runBatch<RoundRow>(db, [readRound(userId, id)]);
      return toRoundOutcome(undefined, found);
    },
    readHistory: async (userId) => {
      const select = db.prepare(selectHistory).bind(userId);
      const [found] = await runBatch<RoundRow>(db, [select]);
      const [first] = found?.results ?? [];
      if (first === undefined) return { kind: 'user-not-found' };
      return { kind: 'found', totals: toTotals(first), rounds: (found?.results ?? []).filter(hasRound) };
    },
    increaseScore: async (userId) => {
      const increase = db.prepare(addPoint).bind(userId, pointsPerWin);
      const [, found] = await runBatch<TotalsRow>(db, [increase, db.prepare(selectTotals).bind(userId)]);
      const [first] = found?.results ?? [];
      return first === undefined ? { kind: 'user-not-found' } : { kind: 'found', totals: toTotals(first) };
    },
  };
};

/** The totals of a user who exists. */
type TotalsRow = Omit<Totals, 'points'> & { readonly total_points: number };

/** The same with a round. Its columns are `null` if there is no such round. */
type RoundRow = TotalsRow & (StoredRound | { readonly id: null });

const runBatch = async <Row>(
  db: D1Database,
  statements: D1PreparedStatement[],
): Promise<readonly D1Result<Row>[]> => {
  try {
    return await db.batch<Row>(statements);
  } catch (cause) {
    throw new GameUnavailable('the rounds and scores could not be read or written', { cause });
  }
};

const toRoundOutcome = (
  changed: D1Result<RoundRow> | undefined,
  found: D1Result<RoundRow> | undefined,
): RoundOutcome => {
  const [row] = found?.results ?? [];
  if (row === undefined) return { kind: 'user-not-found' };
  if (!hasRound(row)) return { kind: 'round-not-found' };
  return { kind: 'found', isChanged: changed?.meta.changes === 1, round: row, totals: toTotals(row) };
};

const hasRound = (row: RoundRow): row is TotalsRow & StoredRound => row.id !== null;

const toTotals = ({ total_points, ...row }: TotalsRow): Totals => ({
  score: row.score,
  points: total_points,
  rounds_started: row.rounds_started,
  rounds_won: row.rounds_won,
  streak: row.streak,
  longest_streak: row.longest_streak,
  last_daily_won: row.last_daily_won,
});

// Each `changes()` is the number of rows that the statement before it changed.

/**
 * The words of open rounds are not avoided: what is left would reveal them.
 * ?1 user, ?2 round, ?3 date, ?4 candidates, ?5 now, ?6 expiry.
 */
const insertRound = `
  INSERT INTO rounds (user_id, id, daily, word, hidden_letters, started_at, expires_at)
  SELECT user_id, ?2, ?3, value ->> 0, value ->> 1, ?5, ?6
  FROM (
    -- \`value\` comes from the row with the minimum.
    SELECT users.id AS user_id, value, min(key + 1000 * (value ->> 0 IN (
      SELECT word FROM rounds
      WHERE user_id = ?1 AND (outcome IS NOT NULL OR expires_at <= ?5)
      ORDER BY started_at DESC LIMIT ${avoidedWords}
    )))
    FROM users, json_each(?4)
    WHERE users.id = ?1
      AND (SELECT count(*) FROM rounds WHERE user_id = ?1 AND started_at > ?5 - 3600) < ${maxRoundsPerHour}
  )
  WHERE user_id IS NOT NULL
  ON CONFLICT (user_id, daily) WHERE daily IS NOT NULL DO NOTHING`;

/** ?1 user. */
const countStartedRound = `
  INSERT INTO scores (user_id, score, rounds_started)
  SELECT ?1, 0, 1 WHERE changes() = 1
  ON CONFLICT (user_id) DO UPDATE SET rounds_started = rounds_started + 1`;

/** Keeps the rounds of daily words for two days, so that none can be played twice. ?1 user, ?2 now. */
const deleteOldRounds = `
  DELETE FROM rounds
  WHERE user_id = ?1
    AND changes() = 1
    AND (daily IS NULL OR started_at < ?2 - 2 * 86400)
    AND id NOT IN (SELECT id FROM rounds WHERE user_id = ?1 ORDER BY started_at DESC LIMIT ${keptRounds})`;

/** A round of the user that is open. ?1 user, ?2 round, ?3 now. */
const isOpen = 'user_id = ?1 AND id = ?2 AND outcome IS NULL AND expires_at > ?3';

/** ?4 the letters of the guess. */
const buildJudgment = (isCorrect: string, isWon: string): string => `
  UPDATE rounds SET
    moves = moves || iif(${isCorrect}, ' +', ' -') || ?4,
    hidden_letters = iif(${isCorrect}, replace(hidden_letters, ?4, ''), hidden_letters),
    wrong_guesses = wrong_guesses + iif(${isCorrect}, 0, 1),
    outcome = CASE
      WHEN ${isWon} THEN 'won'
      WHEN NOT ${isCorrect} AND wrong_guesses + 1 >= ${maxWrongGuesses} THEN 'lost'
    END,
    points = iif(${isWon}, ${maxPoints} - ${hintCost} * hints - ${wrongGuessCost} * wrong_guesses, 0)
  WHERE ${isOpen}
    AND instr(moves || ' ', ' +' || ?4 || ' ') = 0
    AND instr(moves || ' ', ' -' || ?4 || ' ') = 0`;

const judgeLetter = buildJudgment('instr(hidden_letters, ?4) > 0', 'hidden_letters = ?4');

/** ?5 the words that the guess stands for. */
const judgeWord = buildJudgment(
  'word IN (SELECT value FROM json_each(?5))',
  'word IN (SELECT value FROM json_each(?5))',
);

/** ?1 user, ?2 the round that was changed. */
const countWin = `
  UPDATE scores SET
    score = score + ${pointsPerWin},
    points = scores.points + won.points,
    rounds_won = rounds_won + 1,
    streak = won.new_streak,
    longest_streak = max(longest_streak, won.new_streak),
    last_daily_won = coalesce(max(last_daily_won, won.daily), won.daily, last_daily_won)
  FROM (
    SELECT rounds.points, daily, CASE
      WHEN daily IS NULL OR last_daily_won >= daily THEN streak
      WHEN last_daily_won = date(daily, '-1 day') THEN streak + 1
      ELSE 1
    END AS new_streak
    FROM rounds JOIN scores USING (user_id)
    WHERE user_id = ?1 AND id = ?2 AND outcome = 'won'
  ) AS won
  WHERE user_id = ?1 AND changes() = 1`;

const revealHint = `
  UPDATE rounds SET hints = hints + 1, moves = moves || ' ?'
  WHERE ${isOpen} AND hints < ${hintsPerWord}`;

const endRound = `UPDATE rounds SET outcome = 'given_up' WHERE ${isOpen}`;

/** ?1 user, ?2 increase. */
const addPoint = `
  INSERT INTO scores (user_id, score)
  SELECT id, ?2 FROM users WHERE id = ?1
  ON CONFLICT (user_id) DO UPDATE SET score = score + excluded.score`;

const totalsColumns = `
  coalesce(score, 0) AS score,
  coalesce(scores.points, 0) AS total_points,
  coalesce(rounds_started, 0) AS rounds_started,
  coalesce(rounds_won, 0) AS rounds_won,
  coalesce(streak, 0) AS streak,
  coalesce(longest_streak, 0) AS longest_streak,
  last_daily_won`;

/** One row for a user who exists, without a round if it does not exist. ?1 user, ?2 round or ?3 date. */
const selectRound = `
  SELECT rounds.*, ${totalsColumns}
  FROM users
  LEFT JOIN scores ON scores.user_id = users.id
  LEFT JOIN rounds ON rounds.user_id = users.id AND (rounds.id = ?2 OR daily = ?3)
  WHERE users.id = ?1`;

const selectTotals = `
  SELECT ${totalsColumns}
  FROM users LEFT JOIN scores ON scores.user_id = users.id
  WHERE users.id = ?1`;

/** A row for each round of a user who exists, or one row without a round. ?1 user. */
const selectHistory = `
  SELECT rounds.*, ${totalsColumns}
  FROM users
  LEFT JOIN scores ON scores.user_id = users.id
  LEFT JOIN rounds ON rounds.user_id = users.id
  WHERE users.id = ?1
  ORDER BY started_at DESC, rounds.id`;
