/**
 * Tests rounds as they are played: by one person in the Action and over MCP, and by nobody else. The lists of words
 * are static files that only the app reads.
 */
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { type IncomingMessage, request } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { buildGptAction, callApi } from '@words-with-chat/lab';
import { describe, expect, inject, it } from 'vitest';
import { publicFolder } from '../scripts/app/paths.ts';
import { preRegistered } from './mcp/registrations.ts';
import { callTool, createMcpApp } from './mcp/sdk-client.ts';
import { obtainTokens } from './sign-in.ts';
import { type TestUserName, testUser } from './test-users.ts';

const { origin, gpt } = inject('system');

type Fields = Readonly<Record<string, unknown>>;

interface Word {
  readonly word: string;
  readonly hints: readonly string[];
}

/** Signs the same person in to the Action and to an MCP client. */
const signInToBoth = async (testUserName: TestUserName) => {
  const user = testUser(testUserName);
  const { accessToken } = await obtainTokens(buildGptAction(origin, gpt), user);
  const app = createMcpApp({ registration: preRegistered, mode: 'auto', user });
  const callAction = async (path: string, body?: Fields): Promise<{ status: number; body: Fields }> => {
    const method = path === '/api/scoring' ? 'GET' : 'POST';
    const result = await callApi({ method, url: origin + path, ...(body && { body }) }, accessToken, fetch);
    if (result.kind === 'unauthorized') throw new Error(`${path} responded with 401`);
    return { status: result.status, body: Object(result.body) };
  };
  return {
    callAction,
    /** Calls the API, and expects status 200. */
    play: async (path: string, body?: Fields): Promise<Fields> => {
      const result = await callAction(path, body);
      expect(result.status).toBe(200);
      return result.body;
    },
    callTool: (name: string, input?: Fields) => app.use((client) => callTool(client, name, input)),
  };
};

const readList = async (path: string): Promise<readonly Word[]> =>
  JSON.parse(await readFile(join(publicFolder, path), 'utf8'));

/** Returns the animal with this first hint. A player could only guess. */
const findAnimal = async (hints: unknown): Promise<string> => {
  const [hint] = Array.isArray(hints) ? hints : [];
  const found = (await readList('words/en/animals.json')).find((animal) => animal.hints[0] === hint);
  if (found === undefined) throw new Error(`no animal has the hint ${hint}`);
  return found.word;
};

const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z$/);

const openRound = {
  round: expect.stringMatching(/^animals-en-[0-9a-z]{12}$/),
  ...{ category: 'animals', language: 'en', started_at: time, expires_at: time },
  ...{ status: 'open', length: expect.any(Number), mask: expect.stringMatching(/^_( _)+$/) },
  ...{ wrong_guesses: [], tries_left: 6, hints: [], hints_left: 4 },
};

describe('a round that is started in the Action', () => {
  it('gets a hint and a guess over MCP, is won in the Action, and both have one score', async () => {
    const player = await signInToBoth('rounds');
    const started = await player.play('/api/rounds', { category: 'animals' });
    expect(started).toEqual(openRound);
    const { round, started_at, expires_at } = started;
    expect(Date.parse(String(expires_at)) - Date.parse(String(started_at))).toBe(3_600_000);

    const hinted = await player.callTool('get_hint', { round });
    expect(hinted).toEqual({ ...started, hints: [expect.any(String)], hints_left: 3 });
    const wrong = await player.callTool('guess', { round, guess: 'A unicorn!' });
    const afterWrong = { ...hinted, wrong_guesses: ['unicorn'], tries_left: 5 };
    expect(wrong).toEqual({ ...afterWrong, result: 'wrong', is_typo: false });

    const { hints } = hinted;
    const word = await findAnimal(hints);
    const path = `/api/rounds/${round}/guesses`;
    const repeated = await player.play(path, { guess: 'Unicorns' });
    expect(repeated).toMatchObject({ result: 'wrong' });
    const won = await player.play(path, { guess: `the ${word.toUpperCase()}` });
    expect(won).toMatchObject({ round, result: 'correct', status: 'won', word, mask: [...word].join(' ') });
    expect(won).toMatchObject({
      hints,
      hints_left: 3,
      points_won: 11,
      score: 1,
      points: 11,
    });

    const late = await player.callTool('guess', { round, guess: word });
    expect(late).toEqual({ ...won, result: 'round_over' });
    expect(await player.callTool('get_hint', { round })).toMatchObject({ hints });
    expect(await player.callTool('give_up', { round })).toMatchObject({ status: 'won', points_won: 11 });
    const score = {
      ...{ score: 1, points: 11, rounds_started: 1, rounds_won: 1, streak: 0, longest_streak: 0 },
      recent_rounds: [
        {
          ...{ round, category: 'animals', language: 'en', started_at },
          ...{ status: 'won', mask: [...word].join(' '), word, points_won: 11 },
        },
      ],
    };
    expect(await player.play('/api/scoring')).toEqual(score);
    expect(await player.callTool('get_score')).toEqual(score);
  });

  it('is won once, although both clients send the word at the same time', async () => {
    const player = await signInToBoth('rounds');
    const { score, points, rounds_won } = await player.play('/api/scoring');
    const { round } = await player.play('/api/rounds', { category: 'animals' });
    const { hints } = await player.callTool('get_hint', { round });
    const guess = await findAnimal(hints);
    const guesses = await Promise.all([
      player.play(`/api/rounds/${round}/guesses`, { guess }),
      player.callTool('guess', { round, guess }),
      player.play(`/api/rounds/${round}/guesses`, { guess }),
      player.callTool('guess', { round, guess }),
    ]);
    expect(guesses.map(({ result }) => result).sort()).toEqual([
      'correct',
      ...['round_over', 'round_over', 'round_over'],
    ]);
    for (const won of guesses) expect(won).toMatchObject({ status: 'won', points_won: 13 });
    expect(await player.callTool('get_score')).toMatchObject({
      score: Number(score) + 1,
      points: Number(points) + 13,
      rounds_won: Number(rounds_won) + 1,
    });
  });

  it('does not exist for another person, who gets the same response as for any other ID', async () => {
    const owner = await signInToBoth('rounds');
    const other = await signInToBoth('rounds-other');
    const started = await owner.play('/api/rounds', { category: 'animals' });
    const { round: ownersRound } = started;
    const detail = 'The player has no such round. Call start_round to start one.';
    for (const round of [ownersRound, 'animals-en-000000000000', 'animals', '-', '%00']) {
      for (const [path, body] of [
        ['guesses', { guess: 'e' }],
        ['hints', undefined],
        ['give-up', undefined],
      ] as const)
        expect(await other.callAction(`/api/rounds/${round}/${path}`, body)).toEqual({
          status: 404,
          body: { type: 'about:blank', title: 'Not Found', status: 404, detail },
        });
      for (const [name, input] of [
        ['guess', { guess: 'e' }],
        ['get_hint', {}],
        ['give_up', {}],
      ] as const)
        await expect(other.callTool(name, { ...input, round })).rejects.toThrow(detail);
    }
    expect(await other.callTool('get_score')).toMatchObject({ rounds_started: 0, recent_rounds: [] });
    const hinted = await owner.callTool('get_hint', { round: ownersRound });
    expect(hinted).toEqual({ ...started, hints: [expect.any(String)], hints_left: 3 });
  });
});

describe('a list of words', () => {
  /** Sends a request with exactly this path, which `fetch` would normalize. */
  const send = async (path: string, method: string, headers: Readonly<Record<string, string>>) => {
    const { hostname, port } = new URL(origin);
    const sent = request({ hostname, port, path, method, headers }).end();
    const [response]: IncomingMessage[] = await once(sent, 'response');
    if (response === undefined) throw new Error('no response');
    return { status: response.statusCode, headers: response.headers, body: await text(response) };
  };

  const readFiles = async (): Promise<readonly string[]> =>
    (await readdir(join(publicFolder, 'words'), { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => `${parentPath.slice(publicFolder.length)}/${name}`);

  const requests = ['GET', 'HEAD'].flatMap((method) =>
    [
      {},
      { 'if-none-match': '*' },
      { 'if-modified-since': new Date().toUTCString() },
      { range: 'bytes=0-99' },
      { accept: 'text/html' },
    ].map((headers) => ({ method, headers })),
  );

  it('A1.7 is not served, whatever the method and the headers', async () => {
    const files = await readFiles();
    expect(files).toHaveLength(8);
    expect(files).toEqual(expect.arrayContaining(['/words/en/animals.json', '/words/de/food.json']));
    for (const path of files)
      for (const { method, headers } of requests) {
        const { status, body } = await send(path, method, headers);
        expect({ path, method, headers, status }).toEqual({ path, method, headers, status: 404 });
        expect(body).not.toContain('hints');
      }
  });

  // Before the app gets a request, Cloudflare redirects other encodings of a file's path to that path, without a body.
  it.each([
    ['/words/en/animals.json', 'Words/en/animals.json', 'WORDS/EN/ANIMALS.JSON', 'words/en/animals.JSON'],
    ['/words/de/food.json', 'words/DE/food.json', 'words/de/Food.json', 'words/de/food.Json'],
  ])('is not served by another path either: %s', async (path, ...otherCases) => {
    const [, , language, file = ''] = path.split('/');
    const name = file.replace('.json', '');
    const otherPaths = [
      ...otherCases.map((otherCase) => `/${otherCase}`),
      ...[`${path}?x`, `${path}/`, `${path}.`, `${path}%20`, `${path}%00`, `${path};x`, `${path}.gz`],
      ...[`/words/${language}/${name}`, `/words/${language}/`, `/words/${language}`, '/words/', '/words'],
      ...[`/%77ords/${language}/${file}`, `/%2577ords/${language}/${file}`, `/%57ords/${language}/${file}`],
      ...[
        `/words/${language}/${name}%2Ejson`,
        `/words/${language}%2F${file}`,
        `/words%2f${language}/${file}`,
      ],
      ...[
        `/${path}`,
        `/.${path}`,
        `/./${path}`,
        `/words//${language}/${file}`,
        `/words/./${language}/${file}`,
      ],
      ...[
        `/en/..${path}`,
        `/icons/%2e%2e${path}`,
        `/icons/..%2F${path.slice(1)}`,
        `/de/..%5C${path.slice(1)}`,
      ],
      ...[`/en/..%2F${path.slice(1)}`, `/de/%2e%2e%2F${path.slice(1)}`, `/en/%2E%2E${path}`],
      ...[`/words\\${language}\\${file}`, `/public${path}`, `/en${path}`, `${origin}${path}`],
    ];
    for (const otherPath of otherPaths)
      for (const { method, headers } of requests) {
        const { status, headers: responseHeaders, body } = await send(otherPath, method, headers);
        const { location } = responseHeaders;
        const target = location && new URL(location, origin).href;
        const expected = location ? { status: 307, target: origin + path, body: '' } : { status: 404 };
        const received = { otherPath, method, headers, status, target, body };
        expect(received).toMatchObject({ otherPath, method, headers, ...expected });
        expect(body).not.toContain('hints');
      }
  });
});
