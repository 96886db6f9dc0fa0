/** The page `/play`: what guests and players can do there, and what happens to requests that its forms do not send. */
import { env } from 'cloudflare:workers';
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
    expect(page.roundId).toBe('guest');
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
    const correct = await browser.submit({ round: 'guest', guess: first });
    expect(correct.flags).toContain('said-correct');
    expect(correct.mask.startsWith(first)).toBe(true);
    const wrong = await browser.submit({ round: 'guest', guess: 'x' });
    expect(wrong.flags).toEqual(expect.arrayContaining(['said-wrong', 'has-wrong']));
    expect(wrong.wrong).toEqual(['x']);
    expect((await browser.submit({ round: 'guest', guess: 'x' })).flags).toContain('said-repeated');
    expect((await browser.submit({ round: 'guest', guess: '?' })).flags).toContain('said-not-a-guess');
    const hinted = await browser.submit({ round: 'guest', action: 'hint' });
    expect(hinted.hints).toEqual(hints.slice(0, 1));
    const won = await browser.submit({ round: 'guest', guess: word });
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
    const page = await browser.submit({ round: 'guest', action: 'give-up' });
    expect(page.flags).toEqual(['guest', 'round', 'over', 'given_up', 'daily']);
    expect(page.values.word).toBe((await findDailyWord()).word);
  });

  it('has a round in each language', async () => {
    const browser = openBrowser(deployPlay());
    await browser.submit({ round: 'guest', guess: 'x' });
    expect((await browser.open('/de/play')).wrong).toEqual([]);
    await browser.submit({ round: 'guest', action: 'give-up' }, '/de/play');
    expect((await browser.open('/en/play')).flags).toContain('open');
    expect((await browser.open('/de/play')).values.word).toBe((await findDailyWord('de')).word);
  });

  it('gets the next daily word on the next day', async () => {
    const deployment = deployPlay();
    const browser = openBrowser(deployment);
    await browser.submit({ round: 'guest', guess: 'x' });
    deployment.advance(86_400);
    const page = await browser.open('/en/play');
    expect(page.values.date).toBe('2027-01-16');
    expect(page.wrong).toEqual([]);
  });

  it('sees each message once', async () => {
    const browser = openBrowser(deployPlay());
    const { url, flags } = await browser.submit({ round: 'guest', guess: 'x' });
    expect(flags).toContain('said-wrong');
    expect((await browser.open(url)).flags).not.toContain('said-wrong');
  });

  it('is told that the browser refuses cookies', async () => {
    const browser = openBrowser(deployPlay());
    const { url } = await browser.submit({ round: 'guest', guess: 'x' });
    browser.cookies.clear();
    expect((await browser.open(url)).flags).toContain('said-no-cookies');
  });

  it('A5.1 A5.2 cannot read or change the cookie of the round', async () => {
    const browser = openBrowser(deployPlay());
    const { word } = await findDailyWord();
    await browser.submit({ round: 'guest', guess: 'x' });
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
      expect(page.flags).toEqual(['guest', 'round', 'open', 'daily', 'hints-left', 'said-signed-out']);
    }
    expect((await player.open(`/en/play?round=${roundId}`)).flags).toContain('open');
  });

  it('A3.3 is limited by address', async () => {
    const browser = openBrowser(deployPlay());
    const open = (address: string) => browser.open('/en/play', { headers: { 'cf-connecting-ip': address } });
    for (let count = 0; count < 600; count++) await open('192.0.2.1');
    const page = await open('192.0.2.1');
    expect(page.status).toBe(429);
    expect(page.flags).toEqual(['said-too-many-requests']);
    expect((await open('192.0.2.2')).status).toBe(200);
  });
});

describe('a player', () => {
  it('signs in through the broker, and sees what can be played', async () => {
    const browser = openBrowser(deployPlay());
    const page = await browser.signIn('ada', 'de');
    expect(page.url).toBe('/de/play');
    expect(page.flags).toEqual(['player', 'lobby', 'daily-new']);
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
    const lobby = await browser.open('/en/play');
    expect(lobby.flags).toEqual(['player', 'lobby', 'has-rounds', 'daily-new']);
    expect(lobby.html).toContain(
      `<ol id="rounds"><li class="won"><a href="?round=${round}"><span class="mask" lang="de">${[...(word ?? '')].join(' ')}</span> <span>Guessed +13</span></a></li></ol>`,
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
      await eve.submit({ round: 'guest', guess: 'x' }),
      await eve.submit({ round: '../account', guess: 'x' }),
    ]) {
      expect(page.status).toBe(200);
      expect(page.flags).toContain('lobby');
    }
    expect((await ada.open(`/en/play?round=${round}`)).flags).toContain('open');
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
      ...['player', 'lobby', 'has-rounds', 'daily-new', 'said-too-many-rounds'],
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
    expect(page.flags).toEqual(['guest', 'round', 'open', 'daily', 'hints-left']);
    expect(browser.cookies.has('__Host-play')).toBe(false);
    deployment.advance(60);
    browser.cookies.set('__Host-play', cookie);
    expect((await browser.open('/en/play')).flags).toEqual(
      expect.arrayContaining(['guest', 'said-signed-out']),
    );
    expect(browser.cookies.has('__Host-play')).toBe(false);
  });

  it('ends when the user is deleted', async () => {
    const browser = openBrowser(deployPlay());
    await browser.signIn('deleted');
    const { roundId: round } = await browser.submit({ action: 'start', category: 'food', language: 'en' });
    const remove = env.DB.prepare('DELETE FROM users WHERE id = (SELECT user_id FROM rounds WHERE id = ?1)');
    await remove.bind(round).run();
    expect((await browser.open('/en/play')).flags).toEqual(
      expect.arrayContaining(['guest', 'said-signed-out']),
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
      expect(page.flags).toEqual(expect.arrayContaining(['guest', 'said-signed-out']));
      expect(browser.cookies.has('__Host-play')).toBe(false);
    },
  );

  it('A6.4 has cookies that scripts cannot read and that other sites cannot send with forms', async () => {
    const browser = openBrowser(deployPlay());
    const started = await browser.send('/en/play/sign-in');
    expect(started.headers.getSetCookie()).toEqual([
      expect.stringMatching(
        /^__Host-play-sign-in=[\w-]{22}\.[\w-]{43}\.en; Max-Age=3600; Path=\/; Secure; HttpOnly; SameSite=Lax$/,
      ),
    ]);
    const moved = await browser.send('/en/play', {
      method: 'POST',
      headers: { origin },
      body: new URLSearchParams({ round: 'guest', guess: 'x' }),
    });
    expect(moved.status).toBe(303);
    expect(moved.headers.get('location')).toBe('/en/play?round=guest#round');
    expect(moved.headers.getSetCookie()).toEqual([
      expect.stringMatching(
        /^__Host-guest-en=[\w-]+; Max-Age=604800; Path=\/; Secure; HttpOnly; SameSite=Lax$/,
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
    expect(ada.cookies.has('__Host-play-sign-in')).toBe(false);
  });

  it('stays under way if a response for another one arrives', async () => {
    const browser = openBrowser(deployPlay());
    await browser.send('/en/play/sign-in');
    await browser.open('/play/callback?code=x&state=other');
    expect(browser.cookies.has('__Host-play-sign-in')).toBe(true);
  });

  it('A6.5 does not redirect to the language of a forged cookie', async () => {
    const browser = openBrowser(deployPlay());
    browser.cookies.set('__Host-play-sign-in', 'state.verifier.//evil');
    const response = await browser.send('/play/callback?state=state&error=access_denied');
    expect(response.headers.get('location')).toBe('/en/play');
  });
});

describe('a request that no form of the page sends', () => {
  const form = new URLSearchParams({ round: 'guest', guess: 'x' });

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
    ['JSON', '{"round":"guest","guess":"x"}'],
    ['no guess', 'round=guest'],
    ['no round', 'guess=x'],
    ['an unknown action', 'round=guest&action=win'],
    ['an unknown category', 'action=start&category=cars&language=en'],
    ['an unknown language', 'action=start&category=food&language=fr'],
    ['a guess of 61 characters', `round=guest&guess=${'x'.repeat(61)}`],
    ['a form of 1,001 characters', `round=guest&guess=x&more=${'x'.repeat(1001 - 25)}`],
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

  it.each([
    ['PUT', '/play', 'GET, HEAD, POST'],
    ['DELETE', '/de/play', 'GET, HEAD, POST'],
    ['POST', '/en/play/sign-in', 'GET, HEAD'],
    ['POST', '/play/callback', 'GET, HEAD'],
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
    expect(page.flags).toEqual(['said-unavailable']);
    expect(other.cookies.has('__Host-play')).toBe(true);
    other.cookies.clear();
    expect((await other.submit({ round: 'guest', guess: 'x' })).flags).toContain('said-wrong');
    consoleError.mockRestore();
  });
});
