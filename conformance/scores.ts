/** The score of a player, as the API returns it. */

/** Returns the body of `get_score` for a player who has not played a round, only called `post_score`. */
export const scoreWithoutRounds = (score: number) => ({
  score,
  points: 0,
  rounds_started: 0,
  rounds_won: 0,
  streak: 0,
  longest_streak: 0,
  recent_rounds: [],
});
