/** What the game is worth. */

/** What a won round adds to a score, which begins at 0. */
export const pointsPerWin = 1;
