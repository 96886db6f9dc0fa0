/** Plays the rounds of the simulation with the game's store, and describes the rounds from before the day. */
import animals from '../../../apps/words/public/words/en/animals.json';
import places from '../../../apps/words/public/words/en/places.json';
import type {
  GameStore,
  JudgedGuess,
  NewRound,
  RoundOutcome,
  StoredRound,
} from '../../../apps/words/src/game/game-store.ts';
import { toBaseLetters } from '../../../apps/words/src/game/guess.ts';
import { roundLifetime } from '../../../apps/words/src/game/scoring.ts';
import {
  countStepsOfRound,
  createRandomSource,
  type RoundStep,
  roundSteps,
  type SimulatedUser,
} from '../day.ts';

/** A user, and the round that the user plays, if there is one. */
export interface Player {
  readonly user: SimulatedUser;
  readonly round: StoredRound | undefined;
}

/**
 * Executes a step of a round.
 * @returns the round after the step
 * @throws Error if the store does not change the round
 */
export const playRoundStep = async (
  store: GameStore,
  player: Player,
  step: RoundStep,
  now: number,
): Promise<StoredRound> => {
  const outcome = await callStore(store, player, step, now);
  if (outcome.kind === 'found' && outcome.isChanged) return outcome.round;
  throw new Error(`${step} of ${player.user.number} was refused`);
};

const callStore = (
  store: GameStore,
  { user, round }: Player,
  step: RoundStep,
  now: number,
): Promise<RoundOutcome> => {
  if (step === 'start') return store.start(user.userId, buildRound(user, now), now);
  if (round === undefined) throw new Error(`${step} of ${user.number} without a round`);
  if (step === 'hint') return store.takeHint(user.userId, round.id, now);
  return store.guess(user.userId, round.id, chooseGuess(round, step), now);
};

type Candidate = NewRound['candidates'][number];

const toCandidate = ({ word }: { readonly word: string }): Candidate => [
  word,
  [...new Set(toBaseLetters(word).match(/[a-z]/g))].join(''),
];

const correctLetters = countStepsOfRound('correct-letter');

/** As many words as the game's lists have, all with more letters than are guessed before the word. */
const candidates = [...animals, ...places]
  .map(toCandidate)
  .filter(([, letters]) => letters.length > correctLetters)
  .slice(0, animals.length);

const buildRound = ({ number }: SimulatedUser, now: number): NewRound => {
  const random = createRandomSource(number ^ now);
  return {
    // Not from the seed: two visits of a user can overlap, and start a round in the same second.
    id: `animals-en-${crypto.randomUUID().slice(-12)}`,
    candidates: candidates
      .map((candidate) => ({ candidate, order: random() }))
      .sort((one, other) => one.order - other.order)
      .map(({ candidate }) => candidate),
    expiresAt: now + roundLifetime,
  };
};

const chooseGuess = (
  { word, hidden_letters, wrong_guesses }: StoredRound,
  step: Exclude<RoundStep, 'start' | 'hint'>,
): JudgedGuess => {
  switch (step) {
    case 'correct-letter':
      return { kind: 'letter', letters: hidden_letters.charAt(0), words: [] };
    case 'wrong-letter':
      return { kind: 'letter', letters: listWrongLetters(word).charAt(wrong_guesses), words: [] };
    case 'win':
      return { kind: 'word', letters: toLetters(word), words: [word] };
  }
};

const toLetters = (word: string): string => toBaseLetters(word).replace(/[^a-z]/g, '');

const listWrongLetters = (word: string): string =>
  [...'abcdefghijklmnopqrstuvwxyz'].filter((letter) => !toLetters(word).includes(letter)).join('');

/** The columns of a round that was won: the word, the letters that were not found, and the moves. */
export type WonRound = readonly [word: string, hiddenLetters: string, moves: string];

/** Returns won rounds as the store leaves them. */
export const listWonRounds = (count: number): readonly WonRound[] =>
  Array.from({ length: count }, (_, index) => candidates[index % candidates.length])
    .filter((candidate) => candidate !== undefined)
    .map(([word, letters]) => [word, letters.slice(correctLetters), listMoves(word, letters)]);

const listMoves = (word: string, letters: string): string => {
  const [correct, wrong] = [letters[Symbol.iterator](), listWrongLetters(word)[Symbol.iterator]()];
  const describe: Readonly<Record<RoundStep, () => string>> = {
    start: () => '',
    'correct-letter': () => ` +${correct.next().value}`,
    'wrong-letter': () => ` -${wrong.next().value}`,
    hint: () => ' ?',
    win: () => ` +${toLetters(word)}`,
  };
  return roundSteps.map((step) => describe[step]()).join('');
};
