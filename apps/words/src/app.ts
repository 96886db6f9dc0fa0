/**
 * Creates the app of one deployment: the broker's endpoints, the guarded API over HTTP and MCP, and the pages that
 * are served in the language of the browser.
 */
import {
  type AuthorizedCall,
  type Branding,
  type BrokerOptions,
  createBroker,
  type Log,
} from 'assistant-auth';
import { accountPages } from 'assistant-auth/account';
import { d1Storage } from 'assistant-auth/d1';
import { german, pageLanguages } from 'assistant-auth/languages';
import { createHttpHandler, createProblemResponse } from 'assistant-operations';
import { apiBasePath, createErrorMapper, createUnknownPathProblem, gameApi } from './api/game-api.ts';
import { buildMcpUrl, createMcpEndpoint, mcpPath } from './api/mcp-endpoint.ts';
import type { OperationContext } from './api/player.ts';
import { scopes } from './api/scopes.ts';
import { exportHistory } from './api/score-operations.ts';
import type { Bindings } from './bindings.ts';
import type { Publisher } from './config/publisher.ts';
import type { Config } from './config.ts';
import { systemClock, systemRandom } from './defaults.ts';
import { createDailyWords } from './game/daily-word.ts';
import { createGame, type Game, type History, type NoRound, type RoundOptions } from './game/game.ts';
import { clientAddress, createLimits } from './limits.ts';
import { notFound } from './not-found.ts';
import { createGuestRounds } from './play/guest.ts';
import { createPlayPage, playPath } from './play/page.ts';
import { createSessions, playClient } from './play/session.ts';
import { createTemplateReader } from './play/template.ts';
import type { LogRefusal } from './refusal.ts';
import { createSiteHandler } from './site-routes.ts';
import { d1GameStore } from './store/game-store.ts';
import { createWordListReader } from './store/word-lists.ts';

/** The app of one deployment. */
export interface App {
  readonly fetch: (request: Request) => Promise<Response>;
  /** Deletes what has expired. */
  readonly cleanup: () => Promise<void>;
}

/** The options that depend on the runtime or that tests replace. Default: the broker's defaults. */
export type RuntimeOptions = Pick<BrokerOptions, 'now' | 'log' | 'fetch' | 'cleanupInterval' | 'waitUntil'>;

/** Creates the app. Create it once per isolate: the broker caches derived keys and revocations. */
export const createApp = (config: Config, bindings: Bindings, runtimeOptions: RuntimeOptions = {}): App => {
  const { origin, sealingKeys } = config;
  const roundOptions = createRoundOptions(config, bindings, runtimeOptions);
  const game = createGame({ ...roundOptions, store: d1GameStore(bindings.db) });
  const limits = createLimits(bindings.rateLimitBindings, runtimeOptions.now);
  const { selectLimiter } = limits;
  const broker = createBroker({
    ...runtimeOptions,
    ...buildBrokerOptions(config, bindings),
    limits: limits.broker,
    account: createAccountPages(game),
  });
  const logEvent = runtimeOptions.log ?? writeToConsole;
  const toContext = ({ user }: AuthorizedCall): OperationContext => ({ userId: user.id, game });
  const handleApi = createHttpHandler(gameApi, {
    basePath: apiBasePath,
    guard: (request, requiredScopes) =>
      broker.protect(request, { scopes: requiredScopes, limiter: selectLimiter(request) }),
    context: toContext,
    notFound: createUnknownPathProblem,
    mapError: createErrorMapper(origin, ''),
    logError,
    onRefusal: logEvent,
  });
  const handleMcp = createMcpEndpoint({
    origin,
    assets: bindings.assets,
    guard: (request, requiredScopes, challengeScopes) =>
      broker.protect(request, {
        resource: buildMcpUrl(origin),
        scopes: requiredScopes,
        challengeScopes,
        limiter: selectLimiter(request),
      }),
    context: toContext,
    logError,
    onRefusal: logEvent,
  });
  const logRefusal = createRefusalLogger(logEvent);
  const handlePlay = createPlayPage({
    origin,
    readTemplate: createTemplateReader(origin, bindings.assets),
    game,
    roundOptions,
    guests: createGuestRounds(sealingKeys, origin),
    sessions: createSessions({ origin, broker, selectLimiter, randomBytes: systemRandom }),
    guestLimiter: limits.guests,
    logRefusal,
    logError,
  });
  const handleSite = createSiteHandler(origin, bindings.assets, logRefusal);
  /** Handles a request to a path that is not one of the broker's. */
  const respond = async (request: Request): Promise<Response> => {
    try {
      const apiResponse = await handleApi(request);
      if (apiResponse !== undefined) return apiResponse;
      if (new URL(request.url).pathname === mcpPath) return await handleMcp(request);
      const response = (await handlePlay(request)) ?? (await handleSite(request));
      return response ?? (await notFound(request, origin, bindings.assets, logRefusal));
    } catch (error) {
      logError(error);
      logRefusal('app.failed');
      return createProblemResponse({ status: 500, detail: 'Something went wrong on our side.' });
    }
  };
  return {
    fetch: async (request) =>
      (await broker.handle(request)) ?? omitBodyForHead(request, await respond(request)),
    cleanup: () => broker.cleanup(),
  };
};

const buildBrokerOptions = (
  { origin, publisher, sealingKeys, clients, providers, auditRetention }: Config,
  { db }: Bindings,
): Omit<BrokerOptions, keyof RuntimeOptions> => ({
  scopes,
  branding: buildBranding(publisher),
  languages: pageLanguages([german]),
  issuer: origin,
  resources: [origin, buildMcpUrl(origin)],
  sealingKeys,
  clients: [playClient(origin), ...clients],
  providers,
  storage: d1Storage(db),
  clientAddress,
  ...(auditRetention !== undefined && { auditRetention }),
});

const createRoundOptions = (
  { origin, dailySecret }: Config,
  { assets }: Bindings,
  { now = systemClock }: RuntimeOptions,
): Omit<RoundOptions, 'store'> => ({
  url: origin + playPath,
  readWordList: createWordListReader(origin, assets),
  chooseDailyWord: createDailyWords(dailySecret),
  now,
  randomBytes: systemRandom,
});

/** Returns the response to HEAD without the body that the response to GET has (RFC 9110 §9.3.2). */
const omitBodyForHead = ({ method }: Request, response: Response): Response =>
  method === 'HEAD' ? new Response(null, response) : response;

const createRefusalLogger =
  (log: Log): LogRefusal =>
  (reason) =>
    log({ event: 'refused', endpoint: 'app', reason });

const writeToConsole: Log = (entry) => console.log(JSON.stringify(entry));

const buildBranding = ({ contactEmail }: Publisher): Branding => ({
  name: 'Words With Chat',
  logo: '/favicon.svg',
  clientIcons,
  links: {
    home: '/',
    privacyPolicy: '/privacy',
    terms: '/terms',
    ...(contactEmail !== undefined && { support: `mailto:${contactEmail}` }),
  },
});

/** By the host that a client's code is sent to. */
const clientIcons = {
  'chatgpt.com': '/icons/chatgpt.svg',
  'chat.openai.com': '/icons/chatgpt.svg',
  'claude.ai': '/icons/claude.svg',
  'claude.com': '/icons/claude.svg',
};

/** Deleting a user needs no code here: the database deletes the score and the rounds with the user. */
const createAccountPages = (game: Game) =>
  accountPages({
    summarizeUser: async (userId, language) => describeScore(await game.readHistory(userId), language),
    onExportUser: async (userId) => {
      const history = await game.readHistory(userId);
      return history.kind === 'history' ? exportHistory(history) : undefined;
    },
  });

const describeScore = (history: History | NoRound, language: string) => {
  if (history.kind !== 'history') return [];
  const { score, points, streak } = history.achievements;
  const [scoreLabel, pointsLabel, streakLabel] =
    language === 'de'
      ? ['Erratene Wörter', 'Punkte', 'Wörter des Tages in Folge']
      : ['Words guessed', 'Points', 'Daily words in a row'];
  return [
    { label: scoreLabel, value: String(score) },
    { label: pointsLabel, value: String(points) },
    { label: streakLabel, value: String(streak) },
  ];
};

/** Logs an error. An error of the MCP endpoint has the reference ID that the client sees. */
const logError = (error: unknown, referenceId?: string): void => {
  const { stack, cause } = error instanceof Error ? error : {};
  const entry = { event: 'failed', referenceId, error: String(error), cause: cause && String(cause), stack };
  console.error(JSON.stringify(entry));
};
