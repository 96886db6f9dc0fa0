/** The points of the game. */

/** The points for a won round. A score starts at 0. */
export const pointsPerWin = 1;
