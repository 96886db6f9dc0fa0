import { env } from 'cloudflare:workers';
import { corsHeaders } from 'assistant-auth';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { countingD1 } from '../../../../packages/assistant-auth/test/storage/d1/counting-d1.ts';
import { emptyD1 } from '../../../../packages/assistant-auth/test/storage/d1/empty-d1.ts';
import { buildCall } from '../../../../packages/assistant-operations/test/mcp-library.ts';
import { categories, wordLanguages } from '../../src/game/categories.ts';
import { createDailyWords } from '../../src/game/daily-word.ts';
import { type Deployment, deploy, origin } from '../deployment.ts';
import { signInToMcp } from '../flows.ts';
import { makeUnreachable } from '../store/database.ts';
import { getWordList } from '../word-list-files.ts';

const deployment = deploy();
const { call, signIn } = deployment;

beforeAll(emptyD1);

/** The first day of the clock of each deployment. */
const today = '2027-01-15';
const startedAt = '2027-01-15T08:00:00.000Z';

interface Round {
  readonly round: string;
  readonly mask: string;
  readonly length?: number;
  readonly hints?: readonly string[];
  readonly word?: string;
  readonly result?: string;
  readonly status?: string;
  readonly score?: number;
  readonly points?: number;
  readonly share_text?: string;
  readonly recent_rounds?: readonly { readonly [name: string]: unknown }[];
}

const post = (path: string, token: string, body?: object, { call: send }: Deployment = deployment) =>
  send(path, {
    method: 'POST',
    token,
    ...(body && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  });

const expectOk = async (response: Response): Promise<Round> => {
  if (response.status !== 200) throw new Error(`got ${response.status}: ${await response.text()}`);
  return response.json();
};

const start = async (token: string, body: object = { category: 'animals' }, to: Deployment = deployment) =>
  expectOk(await post('/api/rounds', token, body, to));
const guess = async (token: string, { round }: Round, text: string, to: Deployment = deployment) =>
  expectOk(await post(`/api/rounds/${round}/guesses`, token, { guess: text }, to));
const takeHint = async (token: string, { round }: Round) =>
  expectOk(await post(`/api/rounds/${round}/hints`, token));
const giveUp = async (token: string, { round }: Round) =>
  expectOk(await post(`/api/rounds/${round}/give-up`, token));
const readScore = async (token: string) => expectOk(await call('/api/scoring', { token }));

/** Replaces the word of a round, because each round has another one. */
const setWord = async ({ round }: Round, word: string, letters: string): Promise<void> => {
  const update = env.DB.prepare('UPDATE rounds SET word = ?2, hidden_letters = ?3 WHERE id = ?1');
  await update.bind(round, word, letters).run();
};

/** Starts a round of the word "elephant". */
const startElephant = async (token: string): Promise<Round> => {
  const round = await start(token);
  await setWord(round, 'elephant', 'elphant');
  return round;
};

/** Starts a round of the word "Känguru". */
const startKangaroo = async (token: string): Promise<Round> => {
  const round = await start(token, { category: 'animals', language: 'de' });
  await setWord(round, 'Känguru', 'kangru');
  return round;
};

const wrongWords = ['camel', 'zebra', 'shark', 'owl', 'fox', 'frog'];

describe('start_round', () => {
  it.each(categories.flatMap((category) => wordLanguages.map((language) => ({ category, language }))))(
    'chooses a word of $category in $language',
    async ({ category, language }) => {
      const token = await signIn(`${category} ${language}`);
      const round = await start(token, { category, language });
      expect(round).toEqual({
        round: expect.stringMatching(RegExp(`^${category}-${language}-[0-9a-hjkmnp-tv-z]{12}$`)),
        category,
        language,
        started_at: startedAt,
        status: 'open',
        length: expect.any(Number),
        mask: expect.stringMatching(/^_( _)+$/),
        wrong_guesses: [],
        tries_left: 6,
        hints: [],
        hints_left: 4,
        expires_at: '2027-01-15T09:00:00.000Z',
      });
      const { word = '', hints } = await giveUp(token, round);
      expect(getWordList({ category, language }).map((entry) => entry.word)).toContain(word);
      expect(String(word)).toHaveLength(Number(round.length));
      expect(round.mask).toHaveLength(2 * Number(round.length) - 1);
      expect(hints).toEqual([]);
    },
  );

  it('plays in English by default, and sends the headers of the API', async () => {
    const response = await post('/api/rounds', await signIn('ada'), { category: 'food' });
    expect(Object.fromEntries(response.headers)).toEqual({
      'cache-control': 'no-store',
      'content-type': 'application/json',
      'x-content-type-options': 'nosniff',
      ...corsHeaders,
    });
    expect(await response.json()).toMatchObject({ category: 'food', language: 'en' });
  });

  it('chooses many different words, and none of the last 15 rounds', async () => {
    const clock = deploy();
    const token = await clock.signIn('collector');
    const words: unknown[] = [];
    for (let count = 0; count < 30; count++) {
      clock.advance(1);
      const { round } = await start(token, { category: 'animals' }, clock);
      const { word } = await expectOk(await post(`/api/rounds/${round}/give-up`, token, undefined, clock));
      expect(words.slice(-15)).not.toContain(word);
      words.push(word);
    }
    expect(new Set(words).size).toBeGreaterThanOrEqual(16);
  });

  it.each([
    ['no category', {}, 'category'],
    ['an unknown category', { category: 'rivers' }, 'category'],
    ['a category in another case', { category: 'Animals' }, 'category'],
    ['a prototype’s name as the category', { category: 'constructor' }, 'category'],
    ['a category that is a list', { category: ['animals'] }, 'category'],
    ['an unknown language', { category: 'animals', language: 'fr' }, 'language'],
    ['another field', { category: 'animals', word: 'owl' }, 'word'],
  ])('refuses %s', async (_, body, field) => {
    const token = await signIn('garbage');
    const response = await post('/api/rounds', token, body);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ status: 400, issues: [{ field }] });
    expect(await readScore(token)).toMatchObject({ rounds_started: 0 });
  });
});

describe('guess', () => {
  it('reveals each place of a correct letter, in any case and with any accent', async () => {
    const token = await signIn('letters');
    const round = await startElephant(token);
    expect(await guess(token, round, 'É')).toEqual({
      result: 'correct',
      is_typo: false,
      ...round,
      length: 8,
      mask: 'e _ e _ _ _ _ _',
    });
    expect(await guess(token, round, ' p ')).toMatchObject({ result: 'correct', mask: 'e _ e p _ _ _ _' });
  });

  it('reveals letters as the word spells them', async () => {
    const token = await signIn('umlaut');
    expect(await guess(token, await startKangaroo(token), 'a')).toMatchObject({
      result: 'correct',
      mask: '_ ä _ _ _ _ _',
    });
  });

  it('counts wrong letters and wrong words', async () => {
    const token = await signIn('wrong');
    const round = await startElephant(token);
    expect(await guess(token, round, 'Z')).toMatchObject({
      result: 'wrong',
      mask: '_ _ _ _ _ _ _ _',
      wrong_guesses: ['z'],
      tries_left: 5,
    });
    expect(await guess(token, round, 'a Penguin')).toMatchObject({
      result: 'wrong',
      wrong_guesses: ['z', 'penguin'],
      tries_left: 4,
      status: 'open',
    });
  });

  it('does not count a guess again', async () => {
    const token = await signIn('repeating');
    const round = await startElephant(token);
    await guess(token, round, 'e');
    await guess(token, round, 'z');
    for (const repeated of ['E', 'z', 'Z!'])
      expect(await guess(token, round, repeated)).toMatchObject({ result: 'repeated', tries_left: 5 });
  });

  it('is won with the last letter', async () => {
    const token = await signIn('spelling');
    const round = await startElephant(token);
    for (const letter of 'elphan') await guess(token, round, letter);
    expect(await guess(token, round, 't')).toEqual({
      result: 'correct',
      is_typo: false,
      ...round,
      length: 8,
      mask: 'e l e p h a n t',
      status: 'won',
      word: 'elephant',
      points_won: 15,
      score: 1,
      points: 15,
    });
  });

  it.each([
    ['ELEPHANT', false],
    ['an elephant', false],
    ['Éléphant', false],
    ['elephants', false],
    ['elephnat', true],
    ['elepant', true],
  ])('accepts "%s" (typo: %s)', async (text, isTypo) => {
    const token = await signIn(`accepting ${text}`);
    const round = await startElephant(token);
    expect(await guess(token, round, text)).toMatchObject({
      result: 'correct',
      is_typo: isTypo,
      status: 'won',
      mask: 'e l e p h a n t',
      word: 'elephant',
    });
  });

  it('accepts a German word with its article and another spelling', async () => {
    const token = await signIn('article');
    expect(await guess(token, await startKangaroo(token), 'das Kaenguru')).toMatchObject({
      result: 'correct',
      is_typo: false,
      word: 'Känguru',
    });
  });

  it('is lost with the sixth wrong guess, which reveals the word', async () => {
    const token = await signIn('losing');
    const round = await startElephant(token);
    for (const word of wrongWords.slice(0, 5))
      expect(await guess(token, round, word)).not.toHaveProperty('word');
    expect(await guess(token, round, wrongWords[5] ?? '')).toEqual({
      result: 'wrong',
      is_typo: false,
      ...round,
      length: 8,
      status: 'lost',
      mask: 'e l e p h a n t',
      wrong_guesses: wrongWords,
      tries_left: 0,
      word: 'elephant',
    });
  });

  it.each([[''], ['x'.repeat(61)], [5], [null], [['e']], [undefined]])(
    'refuses the guess %j',
    async (text) => {
      const token = await signIn('garbage guess');
      const round = await startElephant(token);
      const response = await post(`/api/rounds/${round.round}/guesses`, token, { guess: text });
      expect(response.status).toBe(400);
      expect(await response.json()).toMatchObject({ issues: [{ field: 'guess' }] });
      expect(await guess(token, round, 'e')).toMatchObject({ tries_left: 6 });
    },
  );

  it.each([['!!!'], ['42'], ['猫'], ['is it an elephant?'], ['Is it E?'], ['e, a'], ['an E please']])(
    'refuses "%s", which is neither a letter nor a word, without a cost',
    async (text) => {
      const token = await signIn('no guess');
      const round = await startElephant(token);
      const response = await post(`/api/rounds/${round.round}/guesses`, token, { guess: text });
      expect(response.status).toBe(400);
      expect(await response.json()).toEqual({
        type: 'about:blank',
        title: 'Bad Request',
        status: 400,
        detail: 'The guess must be one letter from A to Z, or one word. It was not counted.',
      });
      expect(await guess(token, round, 'e')).toMatchObject({ tries_left: 6 });
    },
  );
});

describe('get_hint', () => {
  it('reveals four hints one after another, each of which costs two points', async () => {
    const token = await signIn('asking');
    const round = await startElephant(token);
    const hints = getWordList({ category: 'animals', language: 'en' }).find(
      ({ word }) => word === 'elephant',
    )?.hints;
    expect(hints).toHaveLength(4);
    for (let count = 1; count <= 4; count++)
      expect(await takeHint(token, round)).toMatchObject({
        hints: hints?.slice(0, count),
        hints_left: 4 - count,
      });
    expect(await takeHint(token, round)).toMatchObject({ hints, hints_left: 0, tries_left: 6 });
    expect(await guess(token, round, 'z')).toMatchObject({ hints });
    expect(await guess(token, round, 'elephant')).toMatchObject({
      status: 'won',
      points_won: 15 - 4 * 2 - 1,
    });
  });

  it('in German is in German', async () => {
    const token = await signIn('fragend');
    const round = await start(token, { category: 'colors', language: 'de' });
    const { hints: [hint] = [] } = (await takeHint(token, round)) as unknown as { hints: string[] };
    const { word } = await giveUp(token, round);
    const entry = getWordList({ category: 'colors', language: 'de' }).find((listed) => listed.word === word);
    expect(entry?.hints[0]).toBe(hint);
  });
});

describe('give_up', () => {
  it('ends the round and reveals its word', async () => {
    const token = await signIn('giving up');
    const round = await startElephant(token);
    await guess(token, round, 'e');
    expect(await giveUp(token, round)).toEqual({
      ...round,
      length: 8,
      status: 'given_up',
      mask: 'e l e p h a n t',
      word: 'elephant',
    });
    expect(await readScore(token)).toMatchObject({ score: 0, points: 0, rounds_started: 1, rounds_won: 0 });
  });
});

describe('the daily word', () => {
  const daily = { category: 'daily' };
  const findTodaysWord = async (language: 'en' | 'de', date = today) => {
    const choose = createDailyWords(Uint8Array.from({ length: 32 }, (_, index) => index));
    const { category, word } = await choose(date);
    return getWordList({ category, language })[word % 30]?.word ?? '';
  };

  it('is the same for everyone, and lasts until the day ends', async () => {
    for (const player of ['daily 1', 'daily 2']) {
      const token = await signIn(player);
      const round = await start(token, daily);
      expect(round).toMatchObject({ daily: today, status: 'open', expires_at: '2027-01-16T00:00:00.000Z' });
      expect((await giveUp(token, round)).word).toBe(await findTodaysWord('en'));
    }
  });

  it('is translated', async () => {
    const token = await signIn('täglich');
    const round = await start(token, { ...daily, language: 'de' });
    expect((await giveUp(token, round)).word).toBe(await findTodaysWord('de'));
  });

  it('A4.2 is played once a day, in one language, and continues where the player left it', async () => {
    const token = await signIn('daily again');
    const round = await start(token, daily);
    await takeHint(token, round);
    const again = await start(token, { ...daily, language: 'de' });
    expect(again).toMatchObject({ round: round.round, language: 'en', hints_left: 3 });
    await giveUp(token, round);
    expect(await start(token, daily)).toMatchObject({ round: round.round, status: 'given_up' });
    expect(await readScore(token)).toMatchObject({ rounds_started: 1 });
  });

  it('that starts shortly before midnight lasts an hour', async () => {
    const late = deploy();
    late.advance(57_600 - 60);
    const token = await late.signIn('late');
    expect(await start(token, daily, late)).toMatchObject({
      daily: today,
      expires_at: '2027-01-16T00:59:00.000Z',
    });
    late.advance(60);
    expect(await start(token, daily, late)).toMatchObject({ daily: '2027-01-16' });
  });

  it('has a result to share that reveals neither the word nor a letter', async () => {
    const token = await signIn('sharing');
    const round = await start(token, daily);
    const word = await findTodaysWord('en');
    const wrong = [...'zqxjkvw'].find((letter) => !word.includes(letter)) ?? '';
    await guess(token, round, word.charAt(1));
    await guess(token, round, wrong);
    expect(await takeHint(token, round)).not.toHaveProperty('share_text');
    const won = await guess(token, round, word);
    expect(won).toMatchObject({ status: 'won', points_won: 12 });
    expect(won.share_text).toBe(
      `Words With Chat, daily word of ${today}\n🟩🟥💡🟩🏆\n12 points\n${origin}/play`,
    );
    expect(await start(token, daily)).toMatchObject({ share_text: won.share_text });
  });

  it('has a result in German, with the streak', async () => {
    const days = deploy();
    const shared: unknown[] = [];
    for (const date of [today, '2027-01-16']) {
      const token = await days.signIn('in Folge');
      const round = await start(token, { ...daily, language: 'de' }, days);
      shared.push((await guess(token, round, await findTodaysWord('de', date), days)).share_text);
      days.advance(86_400);
    }
    expect(shared).toEqual([
      `Words With Chat, Wort des Tages vom 15.01.2027\n🟩🏆\n15 Punkte\n${origin}/play`,
      `Words With Chat, Wort des Tages vom 16.01.2027\n🟩🏆\n15 Punkte, 2 Tage in Folge\n${origin}/play`,
    ]);
    // On the day after the last one, the streak can still be extended.
    const token = await days.signIn('in Folge');
    expect(await expectOk(await days.call('/api/scoring', { token }))).toMatchObject({
      streak: 2,
      longest_streak: 2,
    });
    days.advance(86_400);
    const nextToken = await days.signIn('in Folge');
    expect(await expectOk(await days.call('/api/scoring', { token: nextToken }))).toMatchObject({
      streak: 0,
      longest_streak: 2,
    });
  });

  it('that was not guessed has a result without a streak, too', async () => {
    const days = deploy();
    for (const date of [today, '2027-01-16']) {
      const token = await days.signIn('not guessed');
      const round = await start(token, daily, days);
      expect(await guess(token, round, await findTodaysWord('en', date), days)).toMatchObject({
        status: 'won',
      });
      days.advance(86_400);
    }
    const token = await days.signIn('not guessed');
    const { round } = await start(token, daily, days);
    const ended = await expectOk(await post(`/api/rounds/${round}/give-up`, token, undefined, days));
    expect(ended.share_text).toBe(
      `Words With Chat, daily word of 2027-01-17\n❌\nNot guessed\n${origin}/play`,
    );
  });

  it('has no result to share in other rounds', async () => {
    const token = await signIn('other rounds');
    expect(await giveUp(token, await start(token))).not.toHaveProperty('share_text');
  });
});

describe('the history', () => {
  it('lists the latest ten rounds, with the words of those that are over, and counts all', async () => {
    const days = deploy();
    const token = await days.signIn('history');
    const won = await start(token, { category: 'animals' }, days);
    await setWord(won, 'elephant', 'elphant');
    days.advance(1);
    const open = await start(token, { category: 'food', language: 'de' }, days);
    await guess(token, won, 'elephant', days);
    expect(await expectOk(await days.call('/api/scoring', { token }))).toEqual({
      score: 1,
      points: 15,
      rounds_started: 2,
      rounds_won: 1,
      streak: 0,
      longest_streak: 0,
      recent_rounds: [
        {
          round: open.round,
          category: 'food',
          language: 'de',
          started_at: '2027-01-15T08:00:01.000Z',
          status: 'open',
          mask: open.mask,
          points_won: 0,
        },
        {
          round: won.round,
          category: 'animals',
          language: 'en',
          started_at: startedAt,
          status: 'won',
          mask: 'e l e p h a n t',
          word: 'elephant',
          points_won: 15,
        },
      ],
    });
    for (let count = 0; count < 11; count++) {
      days.advance(1);
      const { round } = await start(token, { category: 'colors' }, days);
      await post(`/api/rounds/${round}/give-up`, token, undefined, days);
    }
    const { recent_rounds, ...rest } = await expectOk(await days.call('/api/scoring', { token }));
    expect(rest).toMatchObject({ rounds_started: 13, rounds_won: 1 });
    const rounds = Array.isArray(recent_rounds) ? recent_rounds : [];
    expect(rounds).toHaveLength(10);
    expect(rounds.every(({ status, category }) => status === 'given_up' && category === 'colors')).toBe(true);
    expect(JSON.stringify(rounds)).not.toContain(open.round);
    expect(rounds.map(({ started_at }) => started_at)).toEqual(
      rounds
        .map(({ started_at }) => started_at)
        .toSorted()
        .toReversed(),
    );
  });
});

describe('A1 the word of an open round', () => {
  /** Calls every operation on a round, without ending it. */
  const playOn = async (token: string, round: Round): Promise<readonly string[]> => {
    const responses = [
      await post(`/api/rounds/${round.round}/guesses`, token, { guess: 'q' }),
      await post(`/api/rounds/${round.round}/guesses`, token, { guess: 'tiger' }),
      await post(`/api/rounds/${round.round}/guesses`, token, { guess: 'tiger' }),
      await post(`/api/rounds/${round.round}/guesses`, token, { guess: '!' }),
      await post(`/api/rounds/${round.round}/guesses`, token, { guess: 'x'.repeat(61) }),
      await call('/api/scoring', { token }),
    ];
    return Promise.all(responses.map(async (response) => `${response.status} ${await response.text()}`));
  };

  it('A1.1 is in no response, and neither is anything else that depends on it', async () => {
    const seen: (readonly string[])[] = [];
    // Two words of the same length, without the letters of the guesses.
    for (const word of ['camel', 'shark']) {
      const token = await signIn(`player of ${word}`);
      const round = await start(token);
      await setWord(round, word, word);
      seen.push((await playOn(token, round)).map((text) => text.replaceAll(round.round, 'the round')));
    }
    const [camel = [], shark = []] = seen;
    expect(camel).toEqual(shark);
    expect(camel.join()).toContain('_ _ _ _ _');
    expect(camel.join()).not.toMatch(/camel/i);
  });

  it('A1.3 does not change which work is done: the same statements, with the same values', async () => {
    let recorded: unknown[] = [];
    const record = (statement: D1PreparedStatement, sql: string): D1PreparedStatement => {
      const bind = statement.bind.bind(statement);
      return Object.assign(statement, {
        bind: (...values: unknown[]) => {
          recorded.push(sql, values);
          return bind(...values);
        },
      });
    };
    const db = new Proxy(env.DB, {
      get: (target, name) =>
        name === 'prepare'
          ? (sql: string) => record(target.prepare(sql), sql)
          : Reflect.get(target, name).bind(target),
    });
    const recording = deploy(db);
    const token = await recording.signIn('timing');
    const recordings: unknown[] = [];
    for (const word of ['camel', 'shark']) {
      const round = await start(token, { category: 'animals' }, recording);
      await setWord(round, word, word);
      recorded = [];
      for (const text of ['c', 'camel', 'camell']) await guess(token, round, text, recording);
      recordings.push(JSON.stringify(recorded).replaceAll(round.round, 'the round'));
    }
    expect(recordings[0]).toContain('camell');
    expect(recordings[0]).toBe(recordings[1]);
  });

  it('A1.4 is in no error, on the wire or in the log', async () => {
    const token = await signIn('failing');
    const round = await startElephant(token);
    const failing = deploy(makeUnreachable(env.DB));
    // The revocations can't be read either, so use a database that fails only for rounds.
    const db = new Proxy(env.DB, {
      get: (target, name) =>
        name === 'prepare'
          ? (sql: string) => target.prepare(sql.replace('UPDATE rounds', 'UPDATE gone'))
          : Reflect.get(target, name).bind(target),
    });
    const spies = (['log', 'info', 'warn', 'error', 'debug'] as const).map((name) =>
      vi.spyOn(console, name).mockReturnValue(),
    );
    for (const broken of [failing, deploy(db)]) {
      const response = await post(`/api/rounds/${round.round}/guesses`, token, { guess: 'elephent' }, broken);
      expect(response.status).toBe(503);
      expect(await response.text()).not.toMatch(/eleph/);
    }
    await guess(token, round, 'e');
    await takeHint(token, round);
    await guess(token, round, 'elephant');
    const logged = spies.flatMap((spy) => spy.mock.calls);
    expect(logged.length).toBeGreaterThan(0);
    expect(JSON.stringify(logged)).not.toMatch(/eleph/);
    for (const spy of spies) spy.mockRestore();
    expect(JSON.stringify(deployment.log)).not.toMatch(/eleph/);
  });

  it('A1.5 is not revealed when the round expires, until it has expired by every clock', async () => {
    const clock = deploy();
    const round = await start(await clock.signIn('expiring'), { category: 'animals' }, clock);
    await setWord(round, 'elephant', 'elphant');
    clock.advance(3599);
    const token = await clock.signIn('expiring');
    expect(await guess(token, round, 'e', clock)).toMatchObject({ status: 'open', mask: 'e _ e _ _ _ _ _' });
    const play = async () => [
      await guess(token, round, 'elephant', clock),
      await expectOk(await post(`/api/rounds/${round.round}/hints`, token, undefined, clock)),
      await expectOk(await post(`/api/rounds/${round.round}/give-up`, token, undefined, clock)),
    ];
    const readRounds = async () =>
      (await expectOk(await clock.call('/api/scoring', { token }))).recent_rounds;
    for (const seconds of [1, 59]) {
      clock.advance(seconds);
      for (const played of await play()) {
        expect(played).toMatchObject({ status: 'expired', mask: 'e _ e _ _ _ _ _', hints: [] });
        expect(played).not.toHaveProperty('word');
      }
      expect(await readRounds()).toMatchObject([{ status: 'expired', mask: 'e _ e _ _ _ _ _' }]);
      expect(JSON.stringify(await readRounds())).not.toContain('"word"');
    }
    clock.advance(1);
    for (const played of await play())
      expect(played).toMatchObject({ status: 'expired', word: 'elephant', mask: 'e l e p h a n t' });
    expect(await readRounds()).toMatchObject([{ status: 'expired', word: 'elephant', points_won: 0 }]);
  });
});

describe('A2 a round', () => {
  it('A2.1 that is won is not won again by a replay, which returns the same result', async () => {
    const token = await signIn('replaying');
    const round = await startElephant(token);
    const won = await guess(token, round, 'elephant');
    expect(won).toMatchObject({ result: 'correct', status: 'won', score: 1, points: 15 });
    for (const text of ['elephant', 'elephants', 'e', 'z'])
      expect(await guess(token, round, text)).toEqual({ ...won, result: 'round_over' });
    expect(await giveUp(token, round)).toMatchObject({ status: 'won' });
    expect(await takeHint(token, round)).toMatchObject({ status: 'won', hints: [], points_won: 15 });
    expect(await readScore(token)).toMatchObject({ score: 1, points: 15, rounds_won: 1 });
  });

  it('A2.2 cannot be set back to an earlier state: nothing that a client sends contains the state', async () => {
    const token = await signIn('rewinding');
    const round = await startElephant(token);
    for (const word of wrongWords) await guess(token, round, word);
    // The client sends what it sent before the wrong guesses, and everything that it received then.
    const { round: id, ...earlierState } = round;
    expect(await guess(token, { round: id, mask: round.mask }, 'elephant')).toMatchObject({
      result: 'round_over',
      status: 'lost',
    });
    const response = await post(`/api/rounds/${id}/guesses`, token, { ...earlierState, guess: 'elephant' });
    expect(response.status).toBe(400);
    expect(await readScore(token)).toMatchObject({ score: 0, points: 0 });
  });

  it('A2.3 is won once by 50 correct guesses at the same time', async () => {
    const token = await signIn('racing');
    const round = await startElephant(token);
    const played = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        guess(token, round, index % 2 === 0 ? 'elephant' : 'elephants'),
      ),
    );
    expect(played.filter(({ result }) => result === 'correct')).toHaveLength(1);
    expect(played.filter(({ result }) => result === 'round_over')).toHaveLength(49);
    for (const { status, score, points } of played)
      expect({ status, score, points }).toEqual({ status: 'won', score: 1, points: 15 });
    expect(await readScore(token)).toMatchObject({ score: 1, points: 15, rounds_won: 1 });
  });

  it('A2.4 of another person does not exist: the response is that for an ID that was never issued', async () => {
    const token = await signIn('owner');
    const round = await startElephant(token);
    const stranger = await signIn('stranger');
    const unknown = `animals-en-${'0'.repeat(12)}`;
    for (const [path, body] of [
      ['guesses', { guess: 'elephant' }],
      ['hints', undefined],
      ['give-up', undefined],
    ] as const) {
      const responses = await Promise.all(
        [round.round, unknown].map((id) => post(`/api/rounds/${id}/${path}`, stranger, body)),
      );
      for (const response of responses) {
        expect(response.status).toBe(404);
        expect(await response.json()).toEqual({
          type: 'about:blank',
          title: 'Not Found',
          status: 404,
          detail: 'The player has no such round. Call start_round to start one.',
        });
      }
    }
    expect(await readScore(stranger)).toMatchObject({ score: 0, points: 0, recent_rounds: [] });
    expect(await guess(token, round, 'e')).toMatchObject({ hints: [], tries_left: 6, status: 'open' });
  });

  it('A2.5 that has expired cannot be won', async () => {
    const clock = deploy();
    const round = await start(await clock.signIn('too late'), { category: 'animals' }, clock);
    await setWord(round, 'elephant', 'elphant');
    clock.advance(3600);
    const token = await clock.signIn('too late');
    expect(await guess(token, round, 'elephant', clock)).toMatchObject({
      result: 'round_over',
      status: 'expired',
    });
    const hinted = await expectOk(await post(`/api/rounds/${round.round}/hints`, token, undefined, clock));
    expect(hinted).toMatchObject({ hints: [], status: 'expired' });
    expect(await expectOk(await clock.call('/api/scoring', { token }))).toMatchObject({
      score: 0,
      points: 0,
    });
  });

  it('A2.6 that was given up cannot be won', async () => {
    const token = await signIn('given up');
    const round = await startElephant(token);
    const { word } = await giveUp(token, round);
    expect(await guess(token, round, String(word))).toMatchObject({
      result: 'round_over',
      status: 'given_up',
    });
    expect(await readScore(token)).toMatchObject({ score: 0, points: 0, rounds_won: 0 });
  });

  it.each([
    [''],
    ['x'],
    ['animals-en-'],
    ['animals-en-000000000000x'],
    ['animals-en-00000000000_'],
    ['rivers-en-000000000000'],
    ['animals-fr-000000000000'],
    ['ANIMALS-en-000000000000'],
    ['animals-en-000000000000-1'],
    ['constructor-en-000000000000'],
    ['..%2F..%2Fscoring'],
    ["'%20OR%201=1"],
    ['%00'],
    ['x'.repeat(64)],
  ])('does not exist for the ID "%s"', async (id) => {
    const token = await signIn('made up');
    for (const path of ['hints', 'give-up']) {
      const response = await post(`/api/rounds/${id}/${path}`, token);
      expect(response.status).toBe(404);
    }
    const response = await post(`/api/rounds/${id}/guesses`, token, { guess: 'e' });
    expect(response.status).toBe(404);
  });
});

describe('A3 a script', () => {
  it('A3.1 that tries words has six wrong guesses in a round', async () => {
    const token = await signIn('script');
    const round = await startElephant(token);
    const words = getWordList({ category: 'animals', language: 'en' }).filter(
      ({ word }) => word !== 'elephant',
    );
    const results: unknown[] = [];
    for (const { word } of words.slice(0, 12)) results.push((await guess(token, round, word)).result);
    expect(results).toEqual([...Array(6).fill('wrong'), ...Array(6).fill('round_over')]);
    expect(await guess(token, round, 'elephant')).toMatchObject({ result: 'round_over', status: 'lost' });
  });

  it('A3.2 can start 30 rounds in an hour', async () => {
    const clock = deploy();
    const token = await clock.signIn('greedy');
    for (let count = 0; count < 30; count++) await start(token, { category: 'animals' }, clock);
    const response = await post('/api/rounds', token, { category: 'animals' }, clock);
    expect(response.status).toBe(429);
    expect(response.headers.get('retry-after')).toBe('600');
    expect(await response.json()).toMatchObject({
      detail: 'A player can start 30 rounds an hour. Try again in at most an hour.',
    });
    const daily = await post('/api/rounds', token, { category: 'daily' }, clock);
    expect(daily.status).toBe(429);
    clock.advance(3600);
    expect(await start(await clock.signIn('greedy'), { category: 'animals' }, clock)).toMatchObject({
      status: 'open',
    });
  });

  it('A3.3 is limited by the rate of calls, for each of the operations', async () => {
    const limit = async () => ({ success: false });
    const limited = deploy(env.DB, {}, {}, { rateLimitBindings: { writes: { limit } } });
    const token = await limited.signIn('fast');
    for (const path of [
      '',
      ...['guesses', 'hints', 'give-up'].map((name) => `/animals-en-000000000000/${name}`),
    ])
      expect((await post(`/api/rounds${path}`, token, {}, limited)).status).toBe(429);
  });
});

describe('each operation', () => {
  it('requires the scope score', async () => {
    const token = await signIn('without', 'words');
    for (const path of [
      '',
      ...['guesses', 'hints', 'give-up'].map((name) => `/animals-en-000000000000/${name}`),
    ]) {
      const response = await post(`/api/rounds${path}`, token, {});
      expect(response.status).toBe(403);
      expect(response.headers.get('www-authenticate')).toContain('scope="score"');
    }
  });

  it('takes one round trip', async () => {
    const { db, trips } = countingD1(env.DB);
    const counted = deploy(db);
    const token = await counted.signIn('counting');
    // Reads the revocations, as the first call of an isolate does.
    await counted.call('/api/words/animals', { token });
    const before = trips();
    const round = await start(token, { category: 'daily' }, counted);
    expect(trips() - before).toBe(1);
    await guess(token, round, 'e', counted);
    expect(trips() - before).toBe(2);
    await guess(token, round, 'elephant', counted);
    expect(trips() - before).toBe(3);
    await post(`/api/rounds/${round.round}/hints`, token, undefined, counted);
    expect(trips() - before).toBe(4);
    await post(`/api/rounds/${round.round}/give-up`, token, undefined, counted);
    expect(trips() - before).toBe(5);
    await counted.call('/api/scoring', { token });
    expect(trips() - before).toBe(6);
  });

  it('gets a 401 for a deleted player, so that the client starts a new sign-in', async () => {
    const token = await signIn('deleted');
    const round = await start(token);
    await env.DB.prepare(
      "DELETE FROM users WHERE id = (SELECT user_id FROM identities WHERE subject = 'deleted')",
    ).run();
    for (const response of [
      await post('/api/rounds', token, { category: 'animals' }),
      await post(`/api/rounds/${round.round}/guesses`, token, { guess: 'e' }),
      await post(`/api/rounds/${round.round}/hints`, token),
      await post(`/api/rounds/${round.round}/give-up`, token),
    ]) {
      expect(response.status).toBe(401);
      expect(response.headers.get('www-authenticate')).toContain('error="invalid_token"');
    }
  });

  it('gets a 503 if the words cannot be read, and works again later', async () => {
    const token = await signIn('without words');
    let isBroken = true;
    const fetch = async (url: string) =>
      isBroken
        ? new Response('<html>', { status: 404 })
        : Response.json(getWordList({ category: 'animals', language: url.includes('/de/') ? 'de' : 'en' }));
    const broken = deploy(env.DB, {}, {}, { assets: { fetch } });
    const logSpy = vi.spyOn(console, 'error').mockReturnValue();
    const response = await post('/api/rounds', token, { category: 'animals' }, broken);
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('10');
    expect(await response.json()).toMatchObject({
      detail: 'The game is temporarily unavailable. Try again in a moment.',
    });
    expect(JSON.parse(String(logSpy.mock.lastCall?.[0]))).toMatchObject({
      error: 'WordsUnavailable: a list of words could not be read',
    });
    logSpy.mockRestore();
    isBroken = false;
    expect(await start(token, { category: 'animals' }, broken)).toMatchObject({ status: 'open' });
  });
});

describe('a round over two entry points', () => {
  it('is one round: started in the Action, a hint and the win over MCP, one score', async () => {
    const actionToken = await signIn('both');
    const mcpToken = await signInToMcp(call, 'both');
    const callTool = async (name: string, args: object) => {
      const message = buildCall('2026-07-28', name, args);
      const headers = new Headers(message.headers);
      headers.delete('authorization');
      const response = await call('/mcp', { ...message, headers, token: mcpToken });
      return (await response.json<{ result: { structuredContent: Round } }>()).result.structuredContent;
    };
    const round = await startElephant(actionToken);
    expect(await callTool('get_hint', { round: round.round })).toMatchObject({ hints_left: 3 });
    expect(await guess(actionToken, round, 'e')).toMatchObject({ mask: 'e _ e _ _ _ _ _', hints_left: 3 });
    expect(await callTool('guess', { round: round.round, guess: 'elephant' })).toMatchObject({
      status: 'won',
      points_won: 13,
      score: 1,
    });
    expect(await readScore(actionToken)).toMatchObject({ score: 1, points: 13 });
    expect(await callTool('get_score', {})).toMatchObject({ score: 1, points: 13 });
  });
});
