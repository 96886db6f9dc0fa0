/**
 * The page `/play`: the game on the web, for players who sign in, and for guests, who play the daily word. A form
 * changes the round and redirects to the page, so the page works without scripts.
 */
import { type RateLimiter, toAddressBlock } from 'assistant-auth';
import { createProblemResponse } from 'assistant-operations';
import * as v from 'valibot';
import { categories, type WordLanguage, wordLanguages } from '../game/categories.ts';
import {
  createRounds,
  type Game,
  type NoRound,
  type PlayedGuess,
  type PlayedRound,
  type RoundOptions,
  type Rounds,
} from '../game/game.ts';
import { GameUnavailable } from '../game/game-store.ts';
import { createGuestStore } from '../game/guest-store.ts';
import { WordsUnavailable } from '../game/word-list.ts';
import { clientAddress } from '../limits.ts';
import { type LogRefusal, refuseMethod } from '../refusal.ts';
import { readLanguage } from '../site-routes.ts';
import { clearCookie, readCookie, setCookie } from './cookies.ts';
import type { GuestRounds } from './guest.ts';
import { callbackPath, type Session, type Sessions } from './session.ts';
import { fillTemplate, type PlayView } from './template.ts';
import { viewOverview, viewRound } from './view.ts';

/** What the page needs from the app. */
export interface PlayOptions {
  readonly origin: string;
  /** Reads the template of a language. */
  readonly readTemplate: (language: string) => Promise<string>;
  readonly game: Game;
  /** For the round of a guest. */
  readonly roundOptions: Omit<RoundOptions, 'store'>;
  readonly guests: GuestRounds;
  readonly sessions: Sessions;
  /** Limits the requests of guests, by address. */
  readonly guestLimiter: RateLimiter;
  readonly logRefusal: LogRefusal;
  readonly logError: (error: unknown) => void;
}

/** The path of the page. Below a language, such as `/de/play`, it is in this language. */
export const playPath = '/play';

/** The message that the next page shows: the name of a flag in the template, without `said-`. */
const messageCookie = '__Host-play-message';

type Handle = (options: PlayOptions, request: Request, language: WordLanguage) => Promise<Response>;

/** Creates the handler of the page. It returns `undefined` for any other path. */
export const createPlayPage = (
  options: PlayOptions,
): ((request: Request) => Promise<Response | undefined>) => {
  const { origin, logRefusal, logError } = options;
  const routes = new Map<string, ReadonlyMap<string, Handle>>([
    [
      playPath,
      new Map([...['GET', 'HEAD'].map((method) => [method, showPage] as const), ['POST', handleForm]]),
    ],
    [`${playPath}/sign-in`, new Map([['GET', startSignIn]])],
    [callbackPath, new Map([['GET', finishSignIn]])],
  ]);
  return async (request) => {
    const language = readLanguage(request);
    const url = new URL(request.url);
    const prefix = `/${language}`;
    const isPrefixed = url.pathname.startsWith(`${prefix}/`);
    const handlers = routes.get(isPrefixed ? url.pathname.slice(prefix.length) : url.pathname);
    if (handlers === undefined) return undefined;
    const handle = handlers.get(request.method);
    if (handle === undefined) return refuseMethod([...handlers.keys()].join(', '), logRefusal);
    if (url.origin !== origin) {
      logRefusal('app.host');
      return showProblem(options, language, { status: 421 });
    }
    try {
      return await handle(options, request, language);
    } catch (error) {
      if (!(error instanceof GameUnavailable || error instanceof WordsUnavailable)) throw error;
      logError(error);
      return showProblem(options, language, { status: 503 });
    }
  };
};

const showPage: Handle = async (options, request, language) => {
  const session = await identify(options, request);
  if (session.kind === 'unknown') return showProblem(options, language, session);
  const message = readCookie(request, messageCookie);
  const cookies = [...session.cookies, ...(message === undefined ? [] : [clearCookie(messageCookie)])];
  const roundId = new URL(request.url).searchParams.get('round') ?? undefined;
  if (session.kind === 'player') {
    const { game, roundOptions } = options;
    const played = roundId === undefined ? undefined : await game.readRound(session.userId, roundId);
    if (played?.kind === 'round')
      return showView(options, language, viewRound(played, 'player', played.round.id), { message, cookies });
    const history = await game.readHistory(session.userId);
    if (history.kind !== 'history') return endSession(options, request, language);
    return showView(options, language, viewOverview(history, roundOptions.now()), {
      message: message ?? played?.kind,
      cookies,
    });
  }
  const { played, isStored } = await openGuestRound(options, request, language);
  const view = viewRound(played, 'guest', toGuestRoundId(played));
  // The form that led here was on this site, but the browser did not keep the round.
  const isWithoutCookies =
    !isStored && roundId !== undefined && request.headers.get('sec-fetch-site') === 'same-origin';
  const guestMessage = session.hasEnded ? 'session-ended' : isWithoutCookies ? 'no-cookies' : message;
  return showView(options, language, view, { message: guestMessage, cookies });
};

/** A guest has one round for each day, so its forms and URLs name the day. */
const toGuestRoundId = ({ round }: PlayedRound): string => `guest-${round.daily}`;

/** Opens the round of a guest, or starts the daily word. `save` returns the `Set-Cookie` value of its new state. */
const openGuestRound = async (
  { guests, roundOptions }: PlayOptions,
  request: Request,
  language: WordLanguage,
) => {
  // The second one is for a round whose list does not exist anymore.
  for (const stored of [await guests.read(request, language), undefined]) {
    const store = createGuestStore(stored);
    const rounds = createRounds({ ...roundOptions, store });
    const played = await rounds.startRound('guest', 'daily', language);
    const save = async (): Promise<string[]> => {
      const round = store.current();
      return round === undefined ? [] : [await guests.write(round, language)];
    };
    if (played.kind === 'round') return { rounds, played, isStored: stored !== undefined, save };
  }
  throw new Error('the daily word cannot be played');
};

const formSchema = v.union([
  v.object({
    action: v.literal('start'),
    category: v.picklist([...categories, 'daily']),
    language: v.picklist(wordLanguages),
  }),
  v.object({ action: v.picklist(['hint', 'give-up']), round: v.string() }),
  v.object({ action: v.literal('sign-out') }),
  v.object({
    action: v.optional(v.literal('guess'), 'guess'),
    round: v.string(),
    guess: v.pipe(v.string(), v.maxLength(60)),
  }),
]);

type Form = v.InferOutput<typeof formSchema>;

const handleForm: Handle = async (options, request, language) => {
  // Browsers send this header with every form, and forms of other sites cannot change it.
  if (request.headers.get('origin') !== options.origin) {
    options.logRefusal('app.origin');
    return createProblemResponse({ status: 403, detail: 'The form is not from this site.' });
  }
  const form = await readForm(request);
  if (form === undefined) {
    options.logRefusal('app.form');
    return createProblemResponse({ status: 400, detail: 'The form is not valid.' });
  }
  if (form.action === 'sign-out') return signOut(options, request, language);
  const session = await identify(options, request);
  if (session.kind === 'unknown') return showProblem(options, language, session);
  if (session.kind === 'player') {
    const outcome = await makeMove(options.game, session.userId, form);
    if (outcome.kind === 'user-not-found') return endSession(options, request, language);
    const roundId = findRoundId(outcome, form);
    return redirect(language, { roundId, message: describeMove(outcome), cookies: session.cookies });
  }
  // The form of a player whose session has ended.
  if (form.action === 'start' || !form.round.startsWith('guest-'))
    return redirect(language, { message: 'session-ended', cookies: session.cookies });
  const { rounds, played, save } = await openGuestRound(options, request, language);
  const roundId = toGuestRoundId(played);
  if (form.round !== roundId)
    return redirect(language, { message: 'round-not-found', cookies: session.cookies });
  const outcome = await makeMove(rounds, 'guest', { ...form, round: played.round.id });
  const cookies = [...session.cookies, ...(await save())];
  return redirect(language, { roundId, message: describeMove(outcome), cookies });
};

const makeMove = (
  rounds: Rounds,
  userId: string,
  form: Exclude<Form, { action: 'sign-out' }>,
): Promise<PlayedRound | PlayedGuess | NoRound> => {
  switch (form.action) {
    case 'start':
      return rounds.startRound(userId, form.category, form.language);
    case 'hint':
      return rounds.takeHint(userId, form.round);
    case 'give-up':
      return rounds.giveUp(userId, form.round);
    case 'guess':
      return rounds.guess(userId, form.round, form.guess);
  }
};

/** A guess that was not counted changes nothing, so the player sees the same round again. */
const findRoundId = (outcome: PlayedRound | NoRound, form: Form): string | undefined => {
  if (outcome.kind === 'round') return outcome.round.id;
  return outcome.kind === 'not-a-guess' && 'round' in form ? form.round : undefined;
};

const describeMove = (outcome: PlayedRound | PlayedGuess | NoRound): string | undefined => {
  if (outcome.kind !== 'round') return outcome.kind;
  if (!('result' in outcome)) return undefined;
  return outcome.isTypo ? 'typo' : outcome.result;
};

/** In characters. More than any form of the page needs. */
const maxFormLength = 1000;

/** Reads a form. Returns `undefined` if it is too long, or is not a form of the page. */
const readForm = async ({ body }: Request): Promise<Form | undefined> => {
  const decoder = new TextDecoder();
  let text = '';
  try {
    for await (const chunk of body ?? []) {
      text += decoder.decode(chunk, { stream: true });
      if (text.length > maxFormLength) return undefined;
    }
  } catch {
    // The client did not send all of it.
    return undefined;
  }
  const fields = [...new URLSearchParams(text)];
  const form = v.safeParse(formSchema, Object.fromEntries(fields));
  const isRepeated = new Set(fields.map(([name]) => name)).size < fields.length;
  return form.success && !isRepeated ? form.output : undefined;
};

// Signing in and out.

const startSignIn: Handle = async ({ sessions }, _request, language) => {
  const { url, cookies } = await sessions.start(language);
  return seeOther(url, cookies);
};

const finishSignIn: Handle = async ({ sessions }, request, browserLanguage) => {
  const { kind, language = browserLanguage, cookies } = await sessions.finish(request);
  return redirect(language, { message: kind === 'signed-in' ? undefined : kind, cookies });
};

const signOut: Handle = async (options, request, language) => {
  if (await isLimited(options, request)) return showProblem(options, language, { status: 429 });
  const result = await options.sessions.end(request);
  return result.kind === 'failed'
    ? showProblem(options, language, result)
    : redirect(language, { message: 'signed-out', cookies: result.cookies });
};

/** Signs out a player whose user was deleted after the tokens were issued. */
const endSession: Handle = async (options, request, language) => {
  const result = await options.sessions.end(request);
  return result.kind === 'failed'
    ? showProblem(options, language, result)
    : redirect(language, { message: 'session-ended', cookies: result.cookies });
};

/** Finds out who sent a request, and limits the requests of guests. */
const identify = async (options: PlayOptions, request: Request): Promise<Session> => {
  const session = await options.sessions.read(request);
  return session.kind === 'guest' && (await isLimited(options, request))
    ? { kind: 'unknown', status: 429, cookies: session.cookies }
    : session;
};

/** Counts requests without a user by address, as the broker does. A limiter that fails allows the request. */
const isLimited = async (
  { guestLimiter, logRefusal, logError }: PlayOptions,
  request: Request,
): Promise<boolean> => {
  const address = toAddressBlock(clientAddress(request) ?? '');
  if (address === undefined) return false;
  const result = await guestLimiter.take(`guest ${address}`).catch(logError);
  if (result !== 'limited') return false;
  logRefusal('app.limited');
  return true;
};

// Responses.

/** What a response has besides its page. */
interface Extras {
  readonly message?: string | undefined;
  readonly cookies?: readonly string[];
  readonly status?: number;
}

const seeOther = (location: string, cookies: readonly string[]): Response =>
  respond(null, 303, { location }, cookies);

/** Redirects to the page. It scrolls to the round, which matters without scripts. */
const redirect = (
  language: string,
  { message, roundId, cookies = [] }: Extras & { readonly roundId?: string | undefined },
): Response =>
  seeOther(
    `/${language}${playPath}${roundId === undefined ? '' : `?round=${encodeURIComponent(roundId)}#round`}`,
    message === undefined ? cookies : [...cookies, setCookie(messageCookie, message, messageLifetime)],
  );

/** In seconds. */
const messageLifetime = 60;

/** Shows only a message, because it is unknown who plays. */
const showProblem = (
  options: PlayOptions,
  language: string,
  { status, cookies = [] }: { readonly status: number; readonly cookies?: readonly string[] },
): Promise<Response> =>
  showView(
    options,
    language,
    { flags: new Set(['problem']), values: {} },
    { status, cookies, message: status === 429 ? 'too-many-requests' : 'unavailable' },
  );

const showView = async (
  { origin, readTemplate }: PlayOptions,
  language: string,
  view: PlayView,
  { message, cookies = [], status = 200 }: Extras,
): Promise<Response> => {
  const flags = new Set([...view.flags, ...(message === undefined ? [] : ['said', `said-${message}`])]);
  const { body } = fillTemplate(await readTemplate(language), { ...view, flags });
  return respond(body, status, buildPageHeaders(origin, language), cookies);
};

const buildPageHeaders = (origin: string, language: string) => ({
  'content-type': 'text/html; charset=utf-8',
  'content-language': language,
  'content-security-policy': `default-src 'none'; script-src ${origin}/play.js; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`,
  'x-frame-options': 'DENY',
});

const respond = (
  body: Response['body'],
  status: number,
  headers: Readonly<Record<string, string>>,
  cookies: readonly string[],
): Response => {
  const response = new Response(body, {
    status,
    headers: {
      ...headers,
      'cache-control': 'no-store',
      // With `no-referrer`, browsers would send `Origin: null` with forms.
      'referrer-policy': 'same-origin',
      'x-content-type-options': 'nosniff',
    },
  });
  for (const cookie of cookies) response.headers.append('set-cookie', cookie);
  return response;
};
