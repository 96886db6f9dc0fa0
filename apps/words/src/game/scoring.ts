/** The rules that limit a round, and what a won round is worth. */

/** How much a score increases with each won round, and with each call of `post_score`. A score starts at 0. */
export const pointsPerWin = 1;

/** The points for a round that is won without a hint or a wrong guess. */
export const maxPoints = 15;

/** The points that each hint costs. */
export const hintCost = 2;

/** The points that each wrong guess costs. */
export const wrongGuessCost = 1;

/** The wrong guess with this number ends a round. A round that is won is worth at least 2 points. */
export const maxWrongGuesses = 6;

/** The hints of each word. */
export const hintsPerWord = 4;

/** How long a round can be played, in seconds. That of a daily word can be played at least until the day ends. */
export const roundLifetime = 3600;

/** How many rounds a player can start in an hour. */
export const maxRoundsPerHour = 30;

/** How many rounds of a player are kept. It must be more than a player can start in an hour. */
export const keptRounds = 50;

/** The words of a player’s last rounds that do not return, apart from those of open rounds. It must be less than the words of a category. */
export const avoidedWords = 15;
