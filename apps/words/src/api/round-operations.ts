/** The operations that play a round. The server chooses the word and judges each guess. */
import { defineOperation, ProblemError } from 'assistant-operations';
import * as v from 'valibot';
import { categories, wordLanguages } from '../game/categories.ts';
import type { NoRound, PlayedRound } from '../game/game.ts';
import {
  hintCost,
  hintsPerWord,
  maxPoints,
  maxRoundsPerHour,
  maxWrongGuesses,
  wrongGuessCost,
} from '../game/scoring.ts';
import { type OperationContext, PlayerDeleted } from './player.ts';
import { roundViewUri } from './round-view.ts';
import type { Scope } from './scopes.ts';

const count = v.pipe(v.number(), v.integer(), v.minValue(0));

export const roundStatuses = ['open', 'won', 'lost', 'given_up', 'expired'] as const;

/** Members of a round that the history also lists. */
export const roundSummary = {
  round: v.pipe(v.string(), v.description('The ID of the round.')),
  category: v.picklist(categories),
  language: v.pipe(v.picklist(wordLanguages), v.description('The language of the word and the hints.')),
  daily: v.optional(v.pipe(v.string(), v.description('The UTC date, if this is a daily word.'))),
  started_at: v.pipe(v.string(), v.description('In UTC, as in RFC 3339.')),
} as const;

const roundBody = {
  ...roundSummary,
  status: v.picklist(roundStatuses),
  length: v.pipe(count, v.description('The number of letters.')),
  mask: v.pipe(v.string(), v.description('The word with a _ for each letter that was not found yet.')),
  wrong_guesses: v.array(v.string()),
  tries_left: v.pipe(count, v.description('The round ends after this many more wrong guesses.')),
  hints: v.pipe(v.array(v.string()), v.description('The hints so far, from vague to clear.')),
  hints_left: count,
  expires_at: v.pipe(v.string(), v.description('In UTC, as in RFC 3339.')),
  word: v.optional(v.pipe(v.string(), v.description('Only if the round is over.'))),
  points_won: v.optional(v.pipe(count, v.description('Only if the round is won.'))),
  share_text: v.optional(
    v.pipe(
      v.string(),
      v.description('The result of a daily word without spoilers, for the player to share.'),
    ),
  ),
} as const;

const guessBody = v.strictObject({
  result: v.pipe(
    v.picklist(['correct', 'wrong', 'repeated', 'round_over']),
    v.description('What the guess did. After “repeated” and “round_over”, nothing has changed.'),
  ),
  is_typo: v.pipe(v.boolean(), v.description('Whether the word was accepted despite a typo.')),
  ...roundBody,
  score: v.optional(
    v.pipe(count, v.description('How many words the player has guessed. Only if the round is won.')),
  ),
  points: v.optional(v.pipe(count, v.description('The player’s points in total. Only if the round is won.'))),
});

const sharedOptions = {
  method: 'post',
  scopes: ['score'] satisfies Scope[],
  isConsequential: false,
} as const;

const round = v.pipe(v.string(), v.maxLength(64), v.description('The ID that start_round returned.'));
const unknownRound = { 404: 'The player has no such round.' } as const;

export const startRound = defineOperation({
  ...sharedOptions,
  id: 'start_round',
  path: '/api/rounds',
  summary: 'Start a round',
  description:
    'Chooses a secret word and starts a round, which can be played for an hour. The category “daily” is today’s word (UTC), the same for everyone: a player has one round of it, which is returned as it is if it was started before.',
  input: v.strictObject({
    category: v.pipe(
      v.picklist([...categories, 'daily']),
      v.description('The category, or “daily” for the daily word.'),
    ),
    language: v.optional(
      v.pipe(
        v.picklist(wordLanguages),
        v.description('The language of the word and the hints. Default: en.'),
      ),
      'en',
    ),
  }),
  output: v.pipe(v.strictObject(roundBody), v.description('The round.')),
  // Only here: with a user interface for each guess of the model, the chat would be full of them.
  tool: { meta: { ui: { resourceUri: roundViewUri } } },
  handle: async ({ category, language }, { userId, game }: OperationContext) =>
    toRoundBody(requireRound(await game.startRound(userId, category, language))),
});

export const guess = defineOperation({
  ...sharedOptions,
  id: 'guess',
  path: '/api/rounds/{round}/guesses',
  summary: 'Guess a letter or the word',
  description: `Judges one guess of the player. The round ends after ${maxWrongGuesses} wrong guesses. A win is worth ${maxPoints} points, minus ${hintCost} for each hint and ${wrongGuessCost} for each wrong guess. Case, accents, articles and plurals do not matter.`,
  input: v.strictObject({
    round,
    guess: v.pipe(
      v.string(),
      v.minLength(1),
      v.maxLength(60),
      v.description('The letter or the word that the player guessed, without the rest of the sentence.'),
    ),
  }),
  output: v.pipe(guessBody, v.description('The round after the guess.')),
  problems: unknownRound,
  handle: async (input, { userId, game }: OperationContext) => {
    const played = requireRound(await game.guess(userId, input.round, input.guess));
    const { result, isTypo, achievements } = played;
    const { score, points } = achievements;
    return {
      result,
      is_typo: isTypo,
      ...toRoundBody(played),
      ...(played.round.status === 'won' && { score, points }),
    };
  },
});

export const getHint = defineOperation({
  ...sharedOptions,
  id: 'get_hint',
  path: '/api/rounds/{round}/hints',
  summary: 'Get the next hint',
  description: `Reveals the next of ${hintsPerWord} hints, each clearer than the one before. Each hint costs ${hintCost} points, so call it only when the player asks for a hint.`,
  input: v.strictObject({ round }),
  output: v.pipe(v.strictObject(roundBody), v.description('The round with the new hint.')),
  problems: unknownRound,
  handle: async (input, { userId, game }: OperationContext) =>
    toRoundBody(requireRound(await game.takeHint(userId, input.round))),
});

export const giveUp = defineOperation({
  ...sharedOptions,
  id: 'give_up',
  path: '/api/rounds/{round}/give-up',
  summary: 'Give up and reveal the word',
  description: 'Ends the round and returns its word. Call it only when the player gives up.',
  input: v.strictObject({ round }),
  output: v.pipe(v.strictObject(roundBody), v.description('The round with its word.')),
  problems: unknownRound,
  handle: async (input, { userId, game }: OperationContext) =>
    toRoundBody(requireRound(await game.giveUp(userId, input.round))),
});

/** Returns the time as in RFC 3339. */
export const formatTime = (seconds: number): string => new Date(seconds * 1000).toISOString();

/**
 * Returns the round.
 * @throws ProblemError if there is none
 * @throws PlayerDeleted if there is no such user
 */
const requireRound = <Played extends PlayedRound>(outcome: Played | NoRound): Played => {
  switch (outcome.kind) {
    case 'round':
      return outcome;
    case 'user-not-found':
      throw new PlayerDeleted();
    case 'round-not-found':
      throw new ProblemError({
        status: 404,
        detail: 'The player has no such round. Call start_round to start one.',
      });
    case 'too-many-rounds':
      throw new ProblemError({
        status: 429,
        detail: `A player can start ${maxRoundsPerHour} rounds an hour. Try again in at most an hour.`,
        headers: { 'retry-after': '600' },
      });
    case 'not-a-guess':
      throw new ProblemError({
        status: 400,
        detail: 'The guess must be one letter from A to Z, or one word. It was not counted.',
      });
  }
};

const toRoundBody = ({ round: played, shareText }: PlayedRound) => ({
  round: played.id,
  category: played.category,
  language: played.language,
  ...(played.daily !== undefined && { daily: played.daily }),
  started_at: formatTime(played.startedAt),
  status: played.status,
  length: played.length,
  mask: played.mask,
  wrong_guesses: [...played.wrongGuesses],
  tries_left: played.triesLeft,
  hints: [...played.hints],
  hints_left: played.hintsLeft,
  expires_at: formatTime(played.expiresAt),
  ...(played.word !== undefined && { word: played.word }),
  ...(played.points !== undefined && { points_won: played.points }),
  ...(shareText !== undefined && { share_text: shareText }),
});
