/** Tests the round that the demo plays, with a fake game: it wins with every animal, and notices a game that is wrong. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { publicFolder } from '../app/paths.ts';
import { type CallOperation, readScore, startRound, takeHint, winRound } from '../demo/play-round.ts';
import { createTerminal } from '../demo/terminal.ts';

type Body = Readonly<Record<string, unknown>>;

/** A game with one round, whose response to one operation is changed. */
const createFakeGame = (
  word: string,
  change: (operation: string, body: Body) => Body = (_, body) => body,
) => {
  const found = new Set<string>();
  const wrongGuesses: string[] = [];
  const hints: string[] = [];
  let status = 'open';
  const describeRound = (): Body => ({
    ...{ round: 'r', status, tries_left: 6 - wrongGuesses.length, wrong_guesses: [...wrongGuesses] },
    mask: Array.from(word, (letter) => (status !== 'open' || found.has(letter) ? letter : '_')).join(' '),
    hints: [...hints],
    ...(status !== 'open' && { word }),
  });
  const readTotals = (): Body => (status === 'won' ? { score: 5, points: 50 + countPoints() } : totalsBefore);
  const countPoints = (): number => 15 - wrongGuesses.length - 2 * hints.length;
  const judge = (text: string): Body => {
    if (text === word) status = 'won';
    else if (text.length === 1 && word.includes(text)) found.add(text);
    else wrongGuesses.push(text);
    const result = wrongGuesses.at(-1) === text ? 'wrong' : 'correct';
    return {
      result,
      ...describeRound(),
      ...(status === 'won' && { points_won: countPoints(), ...readTotals() }),
    };
  };
  const respond: CallOperation = async (operation, input) => {
    if (operation === 'get_score') return readTotals();
    if (operation === 'get_hint') hints.push('a hint');
    const { guess = '' } = input ?? {};
    return operation === 'guess' ? judge(guess) : describeRound();
  };
  const lines: string[] = [];
  const game = {
    caller: 'The model',
    terminal: createTerminal((line) => lines.push(line)),
    call: async (...[operation, input]: Parameters<CallOperation>) =>
      change(operation, Object(await respond(operation, input))),
  };
  return { game, lines };
};

const totalsBefore = { score: 4, points: 50 };

/** Plays as the demo of MCP does, and returns the score and the steps. */
const play = async (...options: Parameters<typeof createFakeGame>) => {
  const { game, lines } = createFakeGame(...options);
  const scoreBefore = await readScore(game);
  const score = await winRound(game, await takeHint(game, await startRound(game)), scoreBefore);
  return {
    score,
    guesses: lines.flatMap(
      (line) => /The player guesses (.*)/.exec(stripVTControlCharacters(line))?.[1] ?? [],
    ),
  };
};

const animals: readonly { readonly word: string }[] = JSON.parse(
  readFileSync(join(publicFolder, 'words/en/animals.json'), 'utf8'),
);

describe('the round of the demo', () => {
  it('is won with every animal, in a few guesses, after one that is wrong', async () => {
    for (const { word } of animals) {
      const { score, guesses } = await play(word);
      expect(score.score).toBe(5);
      expect(score.points).toBeGreaterThan(50);
      expect(guesses[0]).toBe('“unicorn”');
      expect(guesses[1]).toMatch(/^the letter [a-z]$/);
      expect(guesses.at(-1)).toBe(`“${word}”`);
      expect(guesses.length).toBeLessThanOrEqual(7);
    }
  });

  it.each<[name: string, message: string, change: (operation: string, body: Body) => Body]>([
    [
      'a new round that is over',
      'The new round is lost',
      (_, body) => ({ ...body, status: 'lost', word: 'x' }),
    ],
    [
      'a new round with a letter',
      'The new round is open, and its mask is b _ _',
      (operation, body) => (operation === 'start_round' ? { ...body, mask: 'b _ _' } : body),
    ],
    [
      'the word of an open round',
      'The round is open, and the word is bat.',
      (_, body) => ({ ...body, word: 'bat' }),
    ],
    ['no new hint', 'There were 0 hints, and are 0.', (_, body) => ({ ...body, hints: [] })],
    ['a wrong guess that is accepted', 'The guess is correct', (_, body) => ({ ...body, result: 'correct' })],
    ['a wrong guess that costs no try', '6 tries are left', (_, body) => ({ ...body, tries_left: 6 })],
    [
      'a word that is not in the list',
      'No animal fits',
      (operation, body) => (operation === 'guess' ? { ...body, mask: 'z _ z' } : body),
    ],
    [
      'too many points',
      'The round is won, with 15 points.',
      (_, body) => ({ ...body, ...('points_won' in body && { points_won: 15 }) }),
    ],
    [
      'a score that does not increase',
      'The score went from 4 to 4.',
      (_, body) => ({ ...body, ...('score' in body && { score: 4 }) }),
    ],
    [
      'points that do not increase',
      'The points went from 50 to 50.',
      (_, body) => ({ ...body, ...('points' in body && { points: 50 }) }),
    ],
    ['no score', 'The response has no score.', (operation, body) => (operation === 'get_score' ? {} : body)],
    ['no round', 'The response has no round.', (operation, body) => (operation === 'get_score' ? body : {})],
  ])('ends with %s', async (_, message, change) => {
    await expect(play('bat', change)).rejects.toThrow(message);
  });
});
