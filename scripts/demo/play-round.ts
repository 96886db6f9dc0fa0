/**
 * Plays a round as a model does for a player, and checks every response. The player knows all animals of the game,
 * so the round is always won.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hintCost, maxPoints, wrongGuessCost } from '../../apps/words/src/game/scoring.ts';
import { publicFolder } from '../app/paths.ts';
import { expectRound, expectScore, type Round, type Score, UnexpectedResponse } from './expectations.ts';
import type { Terminal } from './terminal.ts';

/** Calls an operation of the game, and returns the body of its response. */
export type CallOperation = (
  operation: 'get_score' | 'start_round' | 'get_hint' | 'guess',
  input?: Readonly<Record<string, string>>,
) => Promise<unknown>;

/** How the demo calls the game, and where it prints. */
export interface GameContext {
  /** The name of what calls the game, as in the steps. */
  readonly caller: string;
  readonly call: CallOperation;
  readonly terminal: Terminal;
}

/** Reads the score. */
export const readScore = async ({ call }: GameContext): Promise<Score> =>
  expectScore(await call('get_score'));

/** Starts a round. */
export const startRound = async ({ caller, call, terminal }: GameContext): Promise<Round> => {
  terminal.step(`${caller} starts a round. The game chooses a secret word, and returns only its length`);
  const round = expectRound(await call('start_round', { category: 'animals' }));
  if (round.status !== 'open' || !/^_( _)*$/.test(round.mask))
    throw new UnexpectedResponse(`The new round is ${round.status}, and its mask is ${round.mask}.`);
  return round;
};

/** Gets a hint. */
export const takeHint = async ({ call, terminal }: GameContext, round: Round): Promise<Round> => {
  terminal.step('The player asks for a hint, which costs points');
  const next = expectRound(await call('get_hint', { round: round.id }));
  if (next.hints.length !== round.hints.length + 1)
    throw new UnexpectedResponse(`There were ${round.hints.length} hints, and are ${next.hints.length}.`);
  return next;
};

/** Guesses a word that is wrong, and then letters until the player knows the word. Returns the new score. */
export const winRound = async (game: GameContext, started: Round, scoreBefore: Score): Promise<Score> => {
  const animals = await readAnimals();
  let { body, round } = await guess(game, started, 'unicorn');
  while (round.status === 'open') ({ body, round } = await guess(game, round, chooseGuess(animals, round)));
  const { points_won: pointsWon }: Readonly<Record<string, unknown>> = Object(body);
  const { length: hints } = round.hints;
  const { length: wrongGuesses } = round.wrongGuesses;
  if (round.status !== 'won' || pointsWon !== maxPoints - hintCost * hints - wrongGuessCost * wrongGuesses)
    throw new UnexpectedResponse(`The round is ${round.status}, with ${pointsWon} points.`);
  const score = expectScore(body);
  if (score.score !== scoreBefore.score + 1)
    throw new UnexpectedResponse(`The score went from ${scoreBefore.score} to ${score.score}.`);
  if (score.points !== scoreBefore.points + pointsWon)
    throw new UnexpectedResponse(`The points went from ${scoreBefore.points} to ${score.points}.`);
  return score;
};

const readAnimals = async (): Promise<readonly string[]> => {
  const list: readonly { readonly word: string }[] = JSON.parse(
    await readFile(join(publicFolder, 'words/en/animals.json'), 'utf8'),
  );
  return list.map(({ word }) => word);
};

const guess = async (
  { call, terminal }: GameContext,
  { id, triesLeft }: Round,
  text: string,
): Promise<{ readonly body: unknown; readonly round: Round }> => {
  terminal.step(`The player guesses ${text.length === 1 ? `the letter ${text}` : `“${text}”`}`);
  const body = await call('guess', { round: id, guess: text });
  const round = expectRound(body);
  const isCorrect = text.length === 1 ? round.mask.includes(text) : round.status === 'won';
  const { result }: Readonly<Record<string, unknown>> = Object(body);
  if (result !== (isCorrect ? 'correct' : 'wrong') || round.triesLeft !== triesLeft - (isCorrect ? 0 : 1))
    throw new UnexpectedResponse(
      `The guess is ${result}, the mask is ${round.mask}, and ${round.triesLeft} tries are left.`,
    );
  return { body, round };
};

/** Chooses the only word that fits, once a letter of it is known, or the letter that most of the words that fit have. */
const chooseGuess = (animals: readonly string[], round: Round): string => {
  const pattern = createPattern(round);
  const candidates = animals.filter((animal) => pattern.test(animal));
  const [candidate] = candidates;
  if (candidate === undefined) throw new UnexpectedResponse(`No animal fits ${round.mask}.`);
  if (candidates.length === 1 && /[a-z]/.test(round.mask)) return candidate;
  const countCandidates = (letter: string): number =>
    candidates.filter((animal) => animal.includes(letter)).length;
  return [...'abcdefghijklmnopqrstuvwxyz']
    .filter((letter) => !round.mask.includes(letter))
    .reduce((best, letter) => (countCandidates(letter) > countCandidates(best) ? letter : best));
};

/** Creates the pattern of the words that fit the letters found and the wrong ones. */
const createPattern = ({ mask, wrongGuesses }: Round): RegExp => {
  const letters = mask.replaceAll(' ', '');
  const guessed = letters.replaceAll('_', '') + wrongGuesses.filter(({ length }) => length === 1).join('');
  return new RegExp(`^${letters.replaceAll('_', `(?![${guessed}])[a-z]`)}$`);
};
