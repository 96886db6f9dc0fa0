/** The page `/play`: what guests and players can do there, and what happens to requests that its forms do not send. */
import { env } from 'cloudflare:workers';
import { createSealer, parseKeyRing } from 'assistant-auth/seal';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { countingD1 } from '../../../../packages/assistant-auth/test/storage/d1/counting-d1.ts';
import { emptyD1 } from '../../../../packages/assistant-auth/test/storage/d1/empty-d1.ts';
import { createDailyWords } from '../../src/game/daily-word.ts';
import { type Deployment, origin } from '../deployment.ts';
import { makeUnreachable } from '../store/database.ts';
import { getWordList } from '../word-list-files.ts';
import { deployPlay, openBrowser } from './browser.ts';

beforeAll(emptyD1);

/** The first day of the clock of each deployment. */
const today = '2027-01-15';

/** The value of the field `round` in the forms of a guest. */
const guestRound = `guest-${today}`;

const chooseDailyWord = createDailyWords(Uint8Array.from({ length: 32 }, (_, index) => index));

/** Returns the daily word with its hints. */
const findDailyWord = async (language: 'en' | 'de' = 'en', date = today) => {
  const { category, word } = await chooseDailyWord(date);
  const list = getWordList({ category, language });
  const entry = list[word % list.length];
  if (entry === undefined) throw new Error('there is no daily word');
  return { category, ...entry };
};

const listRefusals = ({ log }: Deployment) => log.filter(({ event }) => event === 'refused');

const countRows = async (): Promise<readonly (number | null)[]> => {
  const tables = ['users', 'rounds', 'scores', 'grants'];
  const counts = await env.DB.batch<{ count: number }>(
    tables.map((table) => env.DB.prepare(`SELECT count(*) AS count FROM ${table}`)),
  );
  return counts.map(({ results }) => results[0]?.count ?? null);
};

const sealingKeys = 'test-1.nJf9-2P7jQRmJJYTuxkQlkw9BQVyIGT9UVsbqpYP25g';

/** The stored round of a guest who has guessed an X. */
const storedRound = {
  ...{ id: 'food-en-000000000000', daily: today, word: 'pie', hidden_letters: 'pie', moves: ' -x' },
  ...{ wrong_guesses: 1, hints: 0, outcome: null, points: 0 },
  ...{ started_at: 1_800_000_000, expires_at: 1_800_090_000 },
};

describe('a guest', () => {
  it('A5.1 sees the daily word at once, without a cookie', async () => {
    const browser = openBrowser(deployPlay());
    const { word, category } = await findDailyWord();
    const page = await browser.open('/en/play');
    expect(page.status).toBe(200);
    expect(page.flags).toEqual(['guest', 'round', 'open', 'daily', 'hints-left']);
    expect(page.values).toMatchObject({
      triesLeft: '6',
      hintsLeft: '4',
      length: String(word.length),
      date: today,
      word: '',
      category,
      language: 'en',
    });
    expect(page.mask).toBe('_'.repeat(word.length));
    expect(page.roundId).toBe(guestRound);
    expect(page.html).not.toContain(word);
    expect(browser.cookies).toEqual(new Map());
  });

  it('gets the page in the language of the browser, or of the path', async () => {
    const browser = openBrowser(deployPlay());
    const open = (path: string, language: string) =>
      browser.open(path, { headers: { 'accept-language': language } });
    for (const [path, accepted, language] of [
      ['/play', 'de', 'de'],
      ['/play', 'fr', 'en'],
      ['/de/play', 'en', 'de'],
      ['/en/play', 'de', 'en'],
    ] as const) {
      const page = await open(path, accepted);
      expect(page.html).toContain(`<p>/${language}/play</p>`);
      expect(page.headers.get('content-language')).toBe(language);
      expect(page.values.language).toBe(language);
    }
  });

  it('A6.3 gets a page that may run scripts and send forms only here, and that is not cached', async () => {
    const { headers } = await openBrowser(deployPlay()).open('/en/play');
    expect(Object.fromEntries(headers)).toEqual({
      'cache-control': 'no-store',
      'content-language': 'en',
      'content-security-policy':
        "default-src 'none'; script-src https://words.example/play.js; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
      'content-type': 'text/html; charset=utf-8',
      'referrer-policy': 'same-origin',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
    });
  });

  it('A5.3 guesses, takes hints, and wins, and nothing is stored', async () => {
    const { word, hints } = await findDailyWord();
    const [first = ''] = word;
    const db = countingD1(env.DB);
    const browser = openBrowser(deployPlay(db.db));
    const before = await countRows();
    const correct = await browser.submit({ round: guestRound, guess: first });
    expect(correct.flags).toContain('said-correct');
    expect(correct.mask.startsWith(first)).toBe(true);
    const wrong = await browser.submit({ round: guestRound, guess: 'x' });
    expect(wrong.flags).toEqual(expect.arrayContaining(['said-wrong', 'has-wrong']));
    expect(wrong.wrong).toEqual(['x']);
    expect((await browser.submit({ round: guestRound, guess: 'x' })).flags).toContain('said-repeated');
    expect((await browser.submit({ round: guestRound, guess: '?' })).flags).toContain('said-not-a-guess');
    const hinted = await browser.submit({ round: guestRound, action: 'hint' });
    expect(hinted.hints).toEqual(hints.slice(0, 1));
    const won = await browser.submit({ round: guestRound, guess: word });
    expect(won.flags).toEqual([
      ...['guest', 'round', 'over', 'won', 'daily', 'has-wrong', 'has-hints', 'said-correct'],
    ]);
    expect(won.values).toMatchObject({ wonPoints: '12', word, score: '0', points: '0' });
    expect(won.values.shareText).toBe(
      `Words With Chat, daily word of ${today}\n🟩🟥💡🟩🏆\n12 points\n${origin}/play`,
    );
    expect(db.trips()).toBe(0);
    expect(await countRows()).toEqual(before);
  });

  it('gives up, and sees the word', async () => {
    const browser = openBrowser(deployPlay());
    const page = await browser.submit({ round: guestRound, action: 'give-up' });
    expect(page.flags).toEqual(['guest', 'round', 'over', 'given_up', 'daily']);
    expect(page.values.word).toBe((await findDailyWord()).word);
  });

  it('has a round in each language', async () => {
    const browser = openBrowser(deployPlay());
    await browser.submit({ round: guestRound, guess: 'x' });
    expect((await browser.open('/de/play')).wrong).toEqual([]);
    await browser.submit({ round: guestRound, action: 'give-up' }, '/de/play');
    expect((await browser.open('/en/play')).flags).toContain('open');
    expect((await browser.open('/de/play')).values.word).toBe((await findDailyWord('de')).word);
  });

  it('gets the next daily word on the next day', async () => {
    const deployment = deployPlay();
    const browser = openBrowser(deployment);
    await browser.submit({ round: guestRound, guess: 'x' });
    deployment.advance(86_400);
    const page = await browser.open('/en/play');
    expect(page.values.date).toBe('2027-01-16');
    expect(page.wrong).toEqual([]);
  });

  it('sees each message once', async () => {
    const browser = openBrowser(deployPlay());
    const { url, flags } = await browser.submit({ round: guestRound, guess: 'x' });
    expect(flags).toContain('said-wrong');
    expect((await browser.open(url)).flags).not.toContain('said-wrong');
  });

  it('is told that the browser refuses cookies', async () => {
    const browser = openBrowser(deployPlay());
    const { url } = await browser.submit({ round: guestRound, guess: 'x' });
    browser.cookies.clear();
    const fromThisSite = { headers: { 'sec-fetch-site': 'same-origin' } };
    expect((await browser.open(url, fromThisSite)).flags).toContain('said-no-cookies');
    // Somebody opened a link to the page.
    for (const from of ['none', 'cross-site', 'same-site'])
      expect((await browser.open(url, { headers: { 'sec-fetch-site': from } })).html).not.toContain(
        '<i>said-',
      );
    expect((await browser.open('/en/play', fromThisSite)).html).not.toContain('<i>said-');
  });

  it('A5.1 A5.2 cannot read or change the cookie of the round', async () => {
    const browser = openBrowser(deployPlay());
    const { word } = await findDailyWord();
    await browser.submit({ round: guestRound, guess: 'x' });
    const cookie = browser.cookies.get('__Host-guest-en') ?? '';
    expect(atob(cookie.replaceAll('-', '+').replaceAll('_', '/'))).not.toContain(word);
    for (const forged of [cookie.slice(0, -1), `${cookie.slice(0, 60)}AAAA${cookie.slice(64)}`, 'x', '']) {
      browser.cookies.set('__Host-guest-en', forged);
      const page = await browser.open('/en/play');
      expect(page.status).toBe(200);
      expect(page.wrong).toEqual([]);
    }
  });

  it('A5.4 cannot play the round of a player, or start rounds', async () => {
    const deployment = deployPlay();
    const player = openBrowser(deployment);
    await player.signIn('owner');
    const { roundId } = await player.submit({ action: 'start', category: 'animals', language: 'en' });
    const guest = openBrowser(deployment);
    for (const form of [
      { round: roundId, guess: 'x' },
      { round: roundId, action: 'give-up' },
      { action: 'start', category: 'animals', language: 'en' },
    ]) {
      const page = await guest.submit(form);
      expect(page.flags).toEqual(['guest', 'round', 'open', 'daily', 'hints-left', 'said-session-ended']);
    }
    expect((await player.open(`/en/play?round=${roundId}`)).flags).toContain('open');
  });

  it('A3.3 is limited by address', async () => {
    const deployment = deployPlay();
    const browser = openBrowser(deployment);
    const open = (address: string) => browser.open('/en/play', { headers: { 'cf-connecting-ip': address } });
    for (let count = 0; count < 600; count++) await open('192.0.2.1');
    const page = await open('192.0.2.1');
    expect(page.status).toBe(429);
    expect(page.flags).toEqual(['problem', 'said-too-many-requests']);
    expect((await open('192.0.2.2')).status).toBe(200);
    expect(listRefusals(deployment)).toMatchObject([{ endpoint: 'app', reason: 'app.limited' }]);
    const headers = { origin, 'cf-connecting-ip': '192.0.2.1' };
    for (const form of [{ round: guestRound, guess: 'x' }, { action: 'sign-out' }]) {
      const response = await browser.send('/en/play', {
        method: 'POST',
        headers,
        body: new URLSearchParams(form),
      });
      expect(response.status).toBe(429);
    }
  });

  it('is limited by the block of an IPv6 address', async () => {
    const browser = openBrowser(deployPlay());
    const open = (address: string) => browser.open('/en/play', { headers: { 'cf-connecting-ip': address } });
    for (let count = 0; count < 600; count++) await open(`2001:db8::${count.toString(16)}`);
    expect((await open('2001:db8::ffff')).status).toBe(429);
    expect((await open('2001:db8:0:1::')).status).toBe(200);
  });

  it('can play if the limiter fails', async () => {
    const consoleError = vi.spyOn(console, 'error').mockImplementation(() => {});
    const failing = { limit: () => Promise.reject(new Error('no counter')) };
    const deployment = deployPlay(undefined, {}, {}, { rateLimitBindings: { reads: failing } });
    const page = await openBrowser(deployment).open('/en/play', {
      headers: { 'cf-connecting-ip': '192.0.2.1' },
    });
    expect(page.status).toBe(200);
    expect(consoleError.mock.calls).toEqual([[expect.stringContaining('no counter')]]);
  });

  it('loses after six wrong guesses, and gets four hints', async () => {
    const browser = openBrowser(deployPlay());
    for (let count = 0; count < 5; count++) await browser.submit({ round: guestRound, action: 'hint' });
    const { word, hints } = await findDailyWord();
    expect((await browser.open('/en/play')).hints).toEqual(hints);
    const wrong = [...'zxqjvkwyfb'].filter((letter) => !word.includes(letter)).slice(0, 6);
    for (const [index, guess] of wrong.entries()) {
      const page = await browser.submit({ round: guestRound, guess });
      expect(page.flags).toContain(index < 5 ? 'open' : 'lost');
      expect(page.values).toMatchObject({ triesLeft: String(5 - index), hintsLeft: '0' });
      expect(page.flags).not.toContain('hints-left');
    }
  });

  it('cannot play on with the page of an earlier day', async () => {
    const deployment = deployPlay();
    const browser = openBrowser(deployment);
    await browser.submit({ round: guestRound, action: 'give-up' });
    deployment.advance(86_400);
    const page = await browser.submit({ round: guestRound, action: 'give-up' });
    expect(page.flags).toEqual(['guest', 'round', 'open', 'daily', 'hints-left', 'said-round-not-found']);
  });

  it('starts again if the list of the stored round does not exist anymore', async () => {
    const browser = openBrowser(deployPlay());
    const sealer = createSealer(parseKeyRing(sealingKeys), { name: 'guest-round', issuer: origin });
    const seal = async (round: object) =>
      sealer.seal(new TextEncoder().encode(JSON.stringify({ ...storedRound, ...round })));
    browser.cookies.set('__Host-guest-en', await seal({}));
    expect((await browser.open('/en/play')).wrong).toEqual(['x']);
    browser.cookies.set('__Host-guest-en', await seal({ id: 'cars-en-000000000000' }));
    expect((await browser.open('/en/play')).wrong).toEqual([]);
  });

  it('A5.2 cannot use the cookie of another deployment', async () => {
    const browser = openBrowser(deployPlay());
    const sealer = createSealer(parseKeyRing(sealingKeys), {
      name: 'guest-round',
      issuer: 'https://other.example',
    });
    const sealed = await sealer.seal(new TextEncoder().encode(JSON.stringify(storedRound)));
    browser.cookies.set('__Host-guest-en', sealed);
    expect((await browser.open('/en/play')).wrong).toEqual([]);
  });

  it('A5.1 has a cookie whose length does not depend on the word', async () => {
    const lengths = new Set<number>();
    for (let day = 0; day < 8; day++) {
      const deployment = deployPlay();
      deployment.advance(day * 86_400);
      const browser = openBrowser(deployment);
      const { roundId } = await browser.open('/en/play');
      await browser.submit({ round: roundId, action: 'hint' });
      lengths.add(browser.cookies.get('__Host-guest-en')?.length ?? 0);
    }
    expect(lengths.size).toBe(1);
  });
});

describe('a player', () => {
  it('signs in through the broker, and sees what can be played', async () => {
    const browser = openBrowser(deployPlay());
    const page = await browser.signIn('ada', 'de');
    expect(page.url).toBe('/de/play');
    expect(page.flags).toEqual(['player', 'overview', 'daily-new']);
    expect(page.values).toMatchObject({ score: '0', points: '0', streak: '0', roundsStarted: '0' });
    expect([...browser.cookies.keys()].filter((name) => name.startsWith('__Host-play'))).toEqual([
      '__Host-play',
    ]);
  });

  it('plays a round to its end, which counts', async () => {
    const browser = openBrowser(deployPlay());
    await browser.signIn('grace');
    const started = await browser.submit({ action: 'start', category: 'food', language: 'de' });
    expect(started.flags).toEqual(['player', 'round', 'open', 'hints-left']);
    expect(started.url).toBe(`/en/play?round=${started.roundId}`);
    const { roundId: round } = started;
    const [word] = await readWords(round);
    expect((await browser.submit({ round, action: 'hint' })).flags).toContain('has-hints');
    const won = await browser.submit({ round, guess: word ?? '' });
    expect(won.flags).toEqual(['player', 'round', 'over', 'won', 'has-hints', 'said-correct']);
    expect(won.values).toMatchObject({ score: '1', points: '13', wonPoints: '13', roundsWon: '1', word });
    const overview = await browser.open('/en/play');
    expect(overview.flags).toEqual(['player', 'overview', 'has-rounds', 'daily-new']);
    expect(overview.html).toContain(
      `<ol id="rounds"><li class="won"><a href="?round=${round}"><span class="mask" lang="de">${[...(word ?? '')].join(' ')}</span> <span>Food</span> <span>Guessed +13</span></a></li></ol>`,
    );
  });

  it('plays the daily word once', async () => {
    const browser = openBrowser(deployPlay());
    await browser.signIn('daily');
    const start = { action: 'start', category: 'daily', language: 'en' };
    const { roundId: round } = await browser.submit(start);
    expect((await browser.open('/en/play')).flags).toContain('daily-open');
    await browser.submit({ round, guess: (await findDailyWord()).word });
    expect((await browser.open('/en/play')).flags).toContain('daily-won');
    expect((await browser.submit(start)).flags).toEqual(expect.arrayContaining(['over', 'won', 'daily']));
  });

  it('uses one storage round trip for each request', async () => {
    const db = countingD1(env.DB);
    const browser = openBrowser(deployPlay(db.db));
    await browser.signIn('counted');
    const count = async (path: string, form?: Readonly<Record<string, string>>) => {
      const before = db.trips();
      await browser.send(path, {
        ...(form && { method: 'POST', headers: { origin }, body: new URLSearchParams(form) }),
      });
      return db.trips() - before;
    };
    // The first request also reads revocations.
    await browser.open('/en/play');
    const { roundId: round } = await browser.submit({ action: 'start', category: 'food', language: 'en' });
    expect(await count('/en/play')).toBe(1);
    expect(await count(`/en/play?round=${round}`)).toBe(1);
    expect(await count('/en/play', { round, guess: 'x' })).toBe(1);
    expect(await count('/en/play', { round, action: 'hint' })).toBe(1);
    expect(await count('/en/play', { action: 'start', category: 'food', language: 'en' })).toBe(1);
  });

  it('A2.4 does not see the rounds of others', async () => {
    const deployment = deployPlay();
    const [ada, eve] = [openBrowser(deployment), openBrowser(deployment)];
    await ada.signIn('ada of two');
    await eve.signIn('eve of two');
    const { roundId: round } = await ada.submit({ action: 'start', category: 'food', language: 'en' });
    for (const page of [
      await eve.open(`/en/play?round=${round}`),
      await eve.submit({ round, guess: 'x' }),
      await eve.submit({ round, action: 'give-up' }),
      await eve.submit({ round: guestRound, guess: 'x' }),
      await eve.submit({ round: '../account', guess: 'x' }),
    ]) {
      expect(page.status).toBe(200);
      expect(page.flags).toContain('overview');
    }
    expect((await ada.open(`/en/play?round=${round}`)).flags).toContain('open');
  });

  it('is told if there is no such round', async () => {
    const browser = openBrowser(deployPlay());
    await browser.signIn('lost');
    for (const round of ['food-en-000000000000', 'guest-2027-01-15', 'x'])
      expect((await browser.open(`/en/play?round=${round}`)).flags).toEqual(
        expect.arrayContaining(['overview', 'said-round-not-found']),
      );
  });

  it('A3.3 is limited like at the API, for forms and for pages', async () => {
    const rateLimitBindings = {
      reads: { limit: async () => ({ success: true }) },
      writes: { limit: async () => ({ success: false }) },
    };
    const browser = openBrowser(deployPlay(undefined, {}, {}, { rateLimitBindings }));
    await browser.signIn('limited');
    expect((await browser.open('/en/play')).status).toBe(200);
    const page = await browser.submit({ action: 'start', category: 'food', language: 'en' });
    expect(page.status).toBe(429);
    expect(page.flags).toEqual(['problem', 'said-too-many-requests']);
    expect(browser.cookies.has('__Host-play')).toBe(true);
  });

  it('stays on the round after a guess that was not counted', async () => {
    const browser = openBrowser(deployPlay());
    await browser.signIn('typist');
    const { roundId: round } = await browser.submit({ action: 'start', category: 'food', language: 'en' });
    const page = await browser.submit({ round, guess: 'is it a pie?' });
    expect(page.roundId).toBe(round);
    expect(page.flags).toContain('said-not-a-guess');
  });

  it('is told after 30 rounds in an hour', async () => {
    const browser = openBrowser(deployPlay());
    await browser.signIn('busy');
    const start = { action: 'start', category: 'food', language: 'en' };
    for (let count = 0; count < 30; count++) await browser.submit(start);
    expect((await browser.submit(start)).flags).toEqual([
      ...['player', 'overview', 'has-rounds', 'daily-new', 'said-too-many-rounds'],
    ]);
  });
});

/** The words of a round, from the database. */
const readWords = async (roundId: string): Promise<readonly string[]> => {
  const select = env.DB.prepare('SELECT word FROM rounds WHERE id = ?1').bind(roundId);
  return (await select.all<{ word: string }>()).results.map(({ word }) => word);
};

describe('the session of a player', () => {
  it('is refreshed when the access token has expired', async () => {
    const deployment = deployPlay();
    const browser = openBrowser(deployment);
    await browser.signIn('refreshed');
    const before = browser.cookies.get('__Host-play');
    deployment.advance(1801);
    expect((await browser.open('/en/play')).flags).toContain('player');
    expect(browser.cookies.get('__Host-play')).not.toBe(before);
    expect((await browser.open('/en/play')).flags).toContain('player');
  });

  it('survives two requests at the same time that refresh', async () => {
    const deployment = deployPlay();
    const browser = openBrowser(deployment);
    await browser.signIn('twice');
    deployment.advance(1801);
    const pages = await Promise.all([browser.open('/en/play'), browser.open('/en/play')]);
    expect(pages.map(({ flags }) => flags.includes('player'))).toEqual([true, true]);
    deployment.advance(1801);
    expect((await browser.open('/en/play')).flags).toContain('player');
  });

  it('A6.6 ends when the player signs out: the tokens are revoked', async () => {
    const deployment = deployPlay();
    const browser = openBrowser(deployment);
    await browser.signIn('leaver');
    const cookie = browser.cookies.get('__Host-play') ?? '';
    const page = await browser.submit({ action: 'sign-out' });
    expect(page.flags).toEqual(['guest', 'round', 'open', 'daily', 'hints-left', 'said-signed-out']);
    expect(browser.cookies.has('__Host-play')).toBe(false);
    deployment.advance(60);
    browser.cookies.set('__Host-play', cookie);
    expect((await browser.open('/en/play')).flags).toEqual(
      expect.arrayContaining(['guest', 'said-session-ended']),
    );
    expect(browser.cookies.has('__Host-play')).toBe(false);
  });

  it('A6.6 does not end if the tokens cannot be revoked', async () => {
    const deployment = deployPlay();
    const browser = openBrowser(deployment);
    await browser.signIn('stuck');
    const broken = openBrowser(deployPlay(makeUnreachable(env.DB)));
    for (const [name, value] of browser.cookies) broken.cookies.set(name, value);
    const page = await broken.submit({ action: 'sign-out' });
    expect(page.status).toBe(503);
    expect(page.flags).toEqual(['problem', 'said-unavailable']);
    expect(broken.cookies.has('__Host-play')).toBe(true);
  });

  it('does not end if the tokens cannot be refreshed for the moment', async () => {
    const deployment = deployPlay();
    const browser = openBrowser(deployment);
    await browser.signIn('waiting');
    const consoleError = vi.spyOn(console, 'error').mockImplementation(() => {});
    const brokenDeployment = deployPlay(makeUnreachable(env.DB));
    brokenDeployment.advance(1801);
    const broken = openBrowser(brokenDeployment);
    for (const [name, value] of browser.cookies) broken.cookies.set(name, value);
    expect((await broken.open('/en/play')).status).toBe(503);
    expect(broken.cookies.has('__Host-play')).toBe(true);
    consoleError.mockRestore();
  });

  it('A6.7 cannot be that of another client', async () => {
    const deployment = deployPlay();
    const browser = openBrowser(deployment);
    browser.cookies.set('__Host-play', `${await deployment.signIn('gpt user')}.x`);
    expect((await browser.open('/en/play')).flags).toContain('said-session-ended');
  });

  it('is kept in a form whose tokens were refreshed, and cleared in one whose session has ended', async () => {
    const deployment = deployPlay();
    const browser = openBrowser(deployment);
    await browser.signIn('refreshed by a form');
    const before = browser.cookies.get('__Host-play');
    deployment.advance(1801);
    await browser.submit({ action: 'start', category: 'food', language: 'en' });
    expect(browser.cookies.get('__Host-play')).not.toBe(before);
    for (const form of [
      { round: guestRound, guess: 'x' },
      { round: 'food-en-000000000000', guess: 'x' },
    ]) {
      browser.cookies.set('__Host-play', 'x.y');
      await browser.submit(form);
      expect(browser.cookies.has('__Host-play')).toBe(false);
    }
  });

  it('ends when the user is deleted, also for a form', async () => {
    const browser = openBrowser(deployPlay());
    await browser.signIn('deleted');
    const { roundId: round } = await browser.submit({ action: 'start', category: 'food', language: 'en' });
    const remove = env.DB.prepare('DELETE FROM users WHERE id = (SELECT user_id FROM rounds WHERE id = ?1)');
    await remove.bind(round).run();
    const session = browser.cookies.get('__Host-play') ?? '';
    expect((await browser.submit({ round, guess: 'x' })).flags).toContain('said-session-ended');
    browser.cookies.set('__Host-play', session);
    expect((await browser.open('/en/play')).flags).toEqual(
      expect.arrayContaining(['guest', 'said-session-ended']),
    );
    expect(browser.cookies.has('__Host-play')).toBe(false);
  });

  it.each(['', 'x', '.', 'x.y', 'a.b.c', `${'x'.repeat(3000)}.y`])(
    'does not exist with the cookie "%.20s"',
    async (cookie) => {
      const browser = openBrowser(deployPlay());
      browser.cookies.set('__Host-play', cookie);
      const page = await browser.open('/en/play');
      expect(page.status).toBe(200);
      expect(page.flags).toEqual(expect.arrayContaining(['guest', 'said-session-ended']));
      expect(browser.cookies.has('__Host-play')).toBe(false);
    },
  );

  it('A6.4 has cookies that scripts cannot read and that other sites cannot send with forms', async () => {
    const browser = openBrowser(deployPlay());
    const started = await browser.send('/en/play/sign-in');
    expect(started.headers.getSetCookie()).toEqual([
      expect.stringMatching(
        /^__Host-play-sign-in-[\w-]{22}=[\w-]{43}\.en; Max-Age=3600; Path=\/; Secure; HttpOnly; SameSite=Lax$/,
      ),
    ]);
    const moved = await browser.send('/en/play', {
      method: 'POST',
      headers: { origin },
      body: new URLSearchParams({ round: guestRound, guess: 'x' }),
    });
    expect(moved.status).toBe(303);
    expect(moved.headers.get('location')).toBe(`/en/play?round=${guestRound}#round`);
    expect(moved.headers.getSetCookie()).toEqual([
      expect.stringMatching(
        /^__Host-guest-en=[\w-]+; Max-Age=172800; Path=\/; Secure; HttpOnly; SameSite=Lax$/,
      ),
      '__Host-play-message=wrong; Max-Age=60; Path=/; Secure; HttpOnly; SameSite=Lax',
    ]);
  });
});

describe('a sign-in', () => {
  it('asks the broker for a code with PKCE, for the API, and nothing else', async () => {
    const { headers } = await openBrowser(deployPlay()).send('/de/play/sign-in');
    const { pathname, searchParams } = new URL(headers.get('location') ?? '', origin);
    expect(pathname).toBe('/authorize');
    expect(Object.fromEntries(searchParams)).toEqual({
      response_type: 'code',
      client_id: 'play',
      redirect_uri: `${origin}/play/callback`,
      resource: origin,
      scope: 'words score',
      state: expect.stringMatching(/^[\w-]{22}$/),
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge_method: 'S256',
    });
  });

  it('that the person cancels returns to the page', async () => {
    const browser = openBrowser(deployPlay());
    const page = await browser.open('/en/play/sign-in');
    const [, consent = ''] = /name="consent" value="([^"]*)"/.exec(page.html) ?? [];
    const canceled = await browser.open('/authorize/consent', {
      method: 'POST',
      headers: { origin },
      body: new URLSearchParams({ consent, cancel: '1' }),
    });
    expect(canceled.flags).toEqual(expect.arrayContaining(['guest', 'said-canceled']));
  });

  it('A6.2 fails if another browser started it, or nobody did', async () => {
    const deployment = deployPlay();
    const [ada, eve] = [openBrowser(deployment), openBrowser(deployment)];
    await eve.signIn('eve');
    const started = await ada.send('/en/play/sign-in');
    const state = new URL(started.headers.get('location') ?? '', origin).searchParams.get('state') ?? '';
    for (const query of [
      '',
      'code=x',
      'code=x&state=',
      `code=x&state=${state}x`,
      `state=${state}`,
      `code=x&state=${state}`,
    ]) {
      const page = await eve.open(`/play/callback?${query}`);
      expect(page.flags).toEqual(expect.arrayContaining(['player', 'said-sign-in-failed']));
    }
    const page = await ada.open(`/play/callback?code=x&state=${state}`);
    expect(page.flags).toEqual(expect.arrayContaining(['guest', 'said-sign-in-failed']));
    expect(ada.cookies.has('__Host-play')).toBe(false);
    // A sign-in is finished once.
    expect(ada.cookies.has(`__Host-play-sign-in-${state}`)).toBe(false);
  });

  it('stays under way if a response for another one arrives, in another tab for example', async () => {
    const browser = openBrowser(deployPlay());
    const first = await browser.send('/en/play/sign-in');
    await browser.open('/play/callback?code=x&state=other');
    await browser.signIn('two tabs');
    const state = new URL(first.headers.get('location') ?? '', origin).searchParams.get('state') ?? '';
    expect(browser.cookies.has(`__Host-play-sign-in-${state}`)).toBe(true);
    const page = await browser.open(`/play/callback?error=server_error&state=${state}`);
    expect(page.flags).toEqual(expect.arrayContaining(['player', 'said-sign-in-failed']));
    expect(browser.cookies.has(`__Host-play-sign-in-${state}`)).toBe(false);
  });

  it('has another state and another challenge each time', async () => {
    const browser = openBrowser(deployPlay());
    const read = async () => {
      const { headers } = await browser.send('/en/play/sign-in');
      const { searchParams } = new URL(headers.get('location') ?? '', origin);
      return ['state', 'code_challenge'].map((name) => searchParams.get(name));
    };
    const values = [...(await read()), ...(await read())];
    expect(new Set(values).size).toBe(4);
  });

  it('revokes the grant of the one before', async () => {
    const deployment = deployPlay();
    const browser = openBrowser(deployment);
    await browser.signIn('before');
    const before = browser.cookies.get('__Host-play') ?? '';
    await browser.signIn('after');
    deployment.advance(60);
    expect((await browser.open('/en/play')).flags).toContain('player');
    browser.cookies.set('__Host-play', before);
    expect((await browser.open('/en/play')).flags).toContain('said-session-ended');
  });

  it('A6.5 does not redirect to the language of a forged cookie', async () => {
    const browser = openBrowser(deployPlay());
    for (const name of ['', '%2F', '*', '.*']) {
      browser.cookies.set(`__Host-play-sign-in-state${name}`, 'verifier.//evil');
      const response = await browser.send(`/play/callback?state=state${name}&error=access_denied`);
      expect(response.headers.get('location')).toBe('/en/play');
    }
  });
});

describe('a request that no form of the page sends', () => {
  const form = new URLSearchParams({ round: guestRound, guess: 'x' });

  it.each([undefined, 'null', 'https://evil.example', `${origin}.evil.example`, origin.toUpperCase()])(
    'A6.1 from the origin %s is refused',
    async (from) => {
      const deployment = deployPlay();
      const browser = openBrowser(deployment);
      const headers = from === undefined ? {} : { origin: from };
      const response = await browser.send('/en/play', { method: 'POST', headers, body: form });
      expect(response.status).toBe(403);
      expect(response.headers.getSetCookie()).toEqual([]);
      expect(listRefusals(deployment)).toMatchObject([
        { event: 'refused', endpoint: 'app', reason: 'app.origin' },
      ]);
    },
  );

  it.each<[string, BodyInit]>([
    ['nothing', ''],
    ['JSON', JSON.stringify({ round: guestRound, guess: 'x' })],
    ['no guess', `round=${guestRound}`],
    ['no round', 'guess=x'],
    ['an unknown action', `round=${guestRound}&action=win`],
    ['an unknown category', 'action=start&category=cars&language=en'],
    ['an unknown language', 'action=start&category=food&language=fr'],
    ['a guess of 61 characters', `round=${guestRound}&guess=${'x'.repeat(61)}`],
    ['a form of 1,001 characters', `round=${guestRound}&guess=x&more=${'x'.repeat(1001 - 36)}`],
    ['a repeated field', `round=${guestRound}&guess=x&guess=y`],
    ['bytes that are no text', new Uint8Array([0xff, 0xfe, 0x00])],
  ])('with %s is refused', async (_, body) => {
    const deployment = deployPlay();
    const response = await openBrowser(deployment).send('/en/play', {
      method: 'POST',
      headers: { origin },
      body,
    });
    expect(response.status).toBe(400);
    expect(response.headers.getSetCookie()).toEqual([]);
    expect(listRefusals(deployment)).toMatchObject([
      { event: 'refused', endpoint: 'app', reason: 'app.form' },
    ]);
  });

  it('A6.1 from the own origin of another host is refused', async () => {
    const deployment = deployPlay();
    const other = 'https://words.evil.example';
    for (const init of [{}, { method: 'POST', headers: { origin: other }, body: form }]) {
      const response = await deployment.app.fetch(new Request(`${other}/en/play`, init));
      expect(response.status).toBe(421);
      expect(response.headers.getSetCookie()).toEqual([]);
    }
    for (const path of ['/en/play/sign-in', '/play/callback?code=x&state=x'])
      expect((await deployment.app.fetch(new Request(other + path))).status).toBe(421);
    expect(new Set(listRefusals(deployment).map(({ reason }) => reason))).toEqual(new Set(['app.host']));
  });

  it('whose body ends early is refused', async () => {
    const body = new ReadableStream({
      start: (controller) => controller.error(new Error('gone')),
    });
    const response = await openBrowser(deployPlay()).send('/en/play', {
      method: 'POST',
      headers: { origin },
      body,
    });
    expect(response.status).toBe(400);
  });

  it.each([
    ['PUT', '/play', 'GET, HEAD, POST'],
    ['HEAD', '/en/play/sign-in', 'GET'],
    ['HEAD', '/play/callback', 'GET'],
    ['DELETE', '/de/play', 'GET, HEAD, POST'],
    ['POST', '/en/play/sign-in', 'GET'],
    ['POST', '/play/callback', 'GET'],
  ])('%s %s is refused', async (method, path, allow) => {
    const deployment = deployPlay();
    const response = await openBrowser(deployment).send(path, { method, headers: { origin } });
    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe(allow);
    expect(listRefusals(deployment)).toMatchObject([{ event: 'refused', reason: 'app.method' }]);
  });

  it.each([
    '/en/play/',
    '/en/play/x',
    '/fr/play',
    '/play/sign-in/x',
    '/en/en/play',
    '/Play',
    '/en/play.html',
  ])('for %s is not found', async (path) => {
    expect((await openBrowser(deployPlay()).send(path)).status).toBe(404);
  });
});

describe('without its database or its word lists', () => {
  it('the page says so to players, and guests can play', async () => {
    const consoleError = vi.spyOn(console, 'error').mockImplementation(() => {});
    const deployment = deployPlay();
    const browser = openBrowser(deployment);
    await browser.signIn('stranded');
    // An isolate that has read the revocations.
    const broken = deployPlay(makeUnreachable(env.DB));
    const other = openBrowser(broken);
    for (const [name, value] of browser.cookies) other.cookies.set(name, value);
    const page = await other.open('/en/play');
    expect(page.status).toBe(503);
    expect(page.flags).toEqual(['problem', 'said-unavailable']);
    expect(other.cookies.has('__Host-play')).toBe(true);
    other.cookies.clear();
    expect((await other.submit({ round: guestRound, guess: 'x' })).flags).toContain('said-wrong');
    consoleError.mockRestore();
  });
});
