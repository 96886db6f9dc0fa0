/** Acts as a GPT with an Action step by step: signs in, plays a round, and refreshes the token. */
import { randomUUID } from 'node:crypto';
import {
  callApi,
  createBrowser,
  type FakeUser,
  type GptAction,
  redeemCode,
  refreshTokens,
  startSignIn,
} from '@words-with-chat/lab';
import {
  expectCode,
  expectPage,
  expectTokens,
  type Score,
  type Tokens,
  UnexpectedResponse,
} from './expectations.ts';
import { type CallOperation, type GameContext, readScore, startRound, winRound } from './play-round.ts';
import type { Terminal } from './terminal.ts';
import { createLoggingFetch } from './transcript.ts';

export interface ActionDemoContext {
  readonly action: GptAction;
  /** The origin of the app. */
  readonly origin: string;
  readonly user: FakeUser;
  readonly terminal: Terminal;
}

/**
 * Runs all steps.
 * @throws UnexpectedResponse at the first unexpected response
 */
export const runActionDemo = async (context: ActionDemoContext): Promise<void> => {
  const code = await signIn(context);
  const tokens = await redeem(context, code);
  const score = await playRound(context, tokens.accessToken);
  const refreshedTokens = await refresh(context, tokens.refreshToken);
  await verifyScoreKept(context, refreshedTokens.accessToken, score);
};

const signIn = async ({ action, user, terminal }: ActionDemoContext): Promise<string> => {
  const startedSignIn = startSignIn(action, randomUUID());
  const browser = createBrowser({ fetch: createLoggingFetch(terminal) });

  terminal.step('ChatGPT opens the authorization URL in the browser, which shows the client and the scopes');
  const signInPage = expectPage(await browser.open(startedSignIn.url));
  terminal.step('The user continues with Google, and is redirected to the fake provider');
  const accountChooser = expectPage(await browser.clickButton(signInPage, 'Google'));
  terminal.step(`${user.name} signs in there, and is redirected through our callback to ChatGPT's`);
  const code = expectCode(startedSignIn, await browser.clickButton(accountChooser, user.email));
  terminal.print(
    `The browser would now open ${new URL(action.redirectUri).host}. The demo stops here, so nothing leaves this machine.`,
  );
  return code;
};

const redeem = async ({ action, terminal }: ActionDemoContext, code: string): Promise<Tokens> => {
  terminal.step('ChatGPT exchanges the code for tokens');
  return expectTokens(await redeemCode(action, code, createLoggingFetch(terminal)));
};

const playRound = async (context: ActionDemoContext, accessToken: string): Promise<Score> => {
  const game = createGame(context, accessToken);
  context.terminal.step('ChatGPT requests the score');
  const scoreBefore = await readScore(game);
  return winRound(game, await startRound(game), scoreBefore);
};

const refresh = async (
  { action, terminal }: ActionDemoContext,
  refreshToken: string | undefined,
): Promise<Tokens> => {
  terminal.step('Later, after the access token has expired, ChatGPT uses the refresh token');
  if (refreshToken === undefined) throw new UnexpectedResponse('There was no refresh token.');
  return expectTokens(await refreshTokens(action, refreshToken, createLoggingFetch(terminal)));
};

const verifyScoreKept = async (
  context: ActionDemoContext,
  accessToken: string,
  { score, points }: Score,
): Promise<void> => {
  context.terminal.step('With the new token, the score is unchanged');
  const current = await readScore(createGame(context, accessToken));
  if (current.score !== score || current.points !== points)
    throw new UnexpectedResponse(`The score was ${score} and is ${current.score}.`);
  context.terminal.print(`${context.user.name}'s score is ${score}. Run the demo again to add to it.`);
};

const createGame = (context: ActionDemoContext, accessToken: string): GameContext => ({
  caller: 'ChatGPT',
  terminal: context.terminal,
  call: createCall(context, accessToken),
});

/** The request of each operation, as the OpenAPI document describes it. */
const requests = {
  get_score: { method: 'GET', path: '/api/scoring' },
  start_round: { method: 'POST', path: '/api/rounds' },
  get_hint: { method: 'POST', path: '/api/rounds/{round}/hints' },
  guess: { method: 'POST', path: '/api/rounds/{round}/guesses' },
} as const;

const createCall =
  ({ origin, terminal }: ActionDemoContext, accessToken: string): CallOperation =>
  async (operation, input) => {
    const { round = '', ...body } = input ?? {};
    const { method, path } = requests[operation];
    const url = origin + path.replace('{round}', round);
    const request = { method, url, ...(Object.keys(body).length > 0 && { body }) };
    const result = await callApi(request, accessToken, createLoggingFetch(terminal));
    if (result.kind === 'response' && result.status === 200) return result.body;
    throw new UnexpectedResponse(`${method} ${path} did not respond with status 200.`);
  };
