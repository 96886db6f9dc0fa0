/** A browser that plays on `/play`: it keeps cookies, follows redirects, and reads what a page shows. */

import { type Deployment, deploy, origin } from '../deployment.ts';
import { readWordListFile } from '../word-list-files.ts';

/** All flags that the page sets. */
export const flagNames = [
  'said',
  ...[
    'guest',
    'player',
    'overview',
    'problem',
    'round',
    'open',
    'over',
    'won',
    'lost',
    'given_up',
    'expired',
    'daily',
  ],
  ...['hints-left', 'has-wrong', 'has-hints', 'has-rounds', 'has-streak'],
  ...['daily-new', 'daily-open', 'daily-won', 'daily-over'],
  ...['correct', 'wrong', 'repeated', 'typo', 'round_over', 'not-a-guess', 'round-not-found', 'no-cookies']
    .concat(
      'too-many-rounds',
      'signed-out',
      'session-ended',
      'sign-in-failed',
      'canceled',
      'unavailable',
      'too-many-requests',
    )
    .map((message) => `said-${message}`),
];

/** All values that the page sets. */
export const valueNames = [
  ...(['triesLeft', 'hintsLeft', 'length', 'date', 'word', 'wonPoints', 'shareText', 'score'] as const),
  ...(['points', 'streak', 'longestStreak', 'roundsStarted', 'roundsWon', 'category', 'language'] as const),
  'status',
] as const;

/** A template that shows everything that a page can show. */
const template = [
  ...flagNames.slice(1).map((flag) => `<i data-if="${flag}">${flag}</i>`),
  ...valueNames.map((value) => `<b id="${value}" data-text="${value}">?</b>`),
  '<ol id="mask" data-list="mask" data-lang></ol><ol id="hints" data-list="hints"></ol>',
  '<ul id="wrong" data-list="wrong"></ul><ol id="rounds" data-list="rounds" data-open="Continue" data-won="Guessed" data-food="Food"></ol>',
  '<input type="hidden" name="round"><button name="guess" value="q">Q</button>',
].join('\n');

/** Creates a deployment whose templates show everything. */
export const deployPlay = (...[db, options, config, bindings]: Parameters<typeof deploy>): Deployment =>
  deploy(db, options, config, {
    assets: {
      fetch: async (url) => {
        const { pathname } = new URL(url);
        return readWordListFile(pathname) ?? new Response(`<p>${pathname}</p>${template}`);
      },
    },
    ...bindings,
  });

/** What a page shows. */
interface Page {
  readonly status: number;
  readonly url: string;
  readonly headers: Headers;
  readonly html: string;
  readonly flags: readonly string[];
  readonly values: Readonly<Partial<Record<(typeof valueNames)[number], string>>>;
  /** The texts of the lists. */
  readonly mask: string;
  readonly hints: readonly string[];
  readonly wrong: readonly string[];
  /** The value of the field `round`. */
  readonly roundId: string;
}

/** A browser. */
export interface Browser {
  readonly cookies: Map<string, string>;
  /** Opens a path, and follows redirects within the origin. */
  open(path: string, init?: RequestInit): Promise<Page>;
  /** Sends one request. */
  send(path: string, init?: RequestInit): Promise<Response>;
  /** Submits a form of the page. */
  submit(form: Readonly<Record<string, string>>, path?: string): Promise<Page>;
  /** Signs in through Google, from the page. */
  signIn(subject: string, language?: string): Promise<Page>;
}

/** Opens a browser that prefers English. */
export const openBrowser = ({ app }: Deployment): Browser => {
  const cookies = new Map<string, string>();
  const send: Browser['send'] = async (path, init = {}) => {
    const headers = new Headers(init.headers);
    if (cookies.size > 0)
      headers.set('cookie', [...cookies].map(([name, value]) => `${name}=${value}`).join('; '));
    const request = new Request(new URL(path, origin), { redirect: 'manual', ...init, headers });
    const response = await app.fetch(request);
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (line.includes('Max-Age=0')) cookies.delete(name);
      else cookies.set(name, value);
    }
    return response;
  };
  const open: Browser['open'] = async (path, init) => {
    const response = await send(path, init);
    const location = response.headers.get('location');
    if (location === null) return readPage(path, response);
    const target = new URL(location, origin);
    if (target.origin !== origin) throw new Error(`redirected to ${location}`);
    return open(target.pathname + target.search);
  };
  const submit: Browser['submit'] = (form, path = '/en/play') =>
    open(path, { method: 'POST', headers: { origin }, body: new URLSearchParams(form) });
  return {
    cookies,
    open,
    send,
    submit,
    signIn: async (subject, language = 'en') => {
      const page = await open(`/${language}/play/sign-in`);
      const [, consent = ''] = /name="consent" value="([^"]*)"/.exec(page.html) ?? [];
      const response = await send('/authorize/consent', {
        method: 'POST',
        headers: { origin, 'sec-fetch-site': 'same-origin' },
        body: new URLSearchParams({ consent, choice: 'google' }),
      });
      const state = new URL(response.headers.get('location') ?? '').searchParams.get('state') ?? '';
      return open(`/callback/google?${new URLSearchParams({ state, code: subject })}`);
    },
  };
};

const readPage = async (url: string, response: Response): Promise<Page> => {
  const html = await response.text();
  const readItems = (id: string): readonly string[] => {
    const [, list = ''] = new RegExp(`id="${id}"[^>]*>(.*?)</[ou]l>`).exec(html) ?? [];
    return [...list.matchAll(/<li[^>]*>(.*?)<\/li>/g)].map(([, item = '']) => item);
  };
  return {
    status: response.status,
    url,
    headers: response.headers,
    html,
    flags: [...html.matchAll(/<i>([^<]+)<\/i>/g)].map(([, flag = '']) => flag),
    values: Object.fromEntries(
      [...html.matchAll(/<b id="([^"]+)">([^<]*)<\/b>/g)].map(([, name = '', value = '']) => [name, value]),
    ),
    mask: readItems('mask').join(''),
    hints: readItems('hints'),
    wrong: readItems('wrong'),
    roundId: /name="round" value="([^"]*)"/.exec(html)?.[1] ?? '',
  };
};
