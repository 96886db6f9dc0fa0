/** Acts as a GPT with an Action step by step: signs in, plays a round, adds a point, and refreshes the token. */
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
  expectScore,
  expectTokens,
  type Tokens,
  UnexpectedResponse,
} from './expectations.ts';
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

const playRound = async (context: ActionDemoContext, accessToken: string): Promise<number> => {
  context.terminal.step('ChatGPT requests a list of words');
  const words = await call(context, 'GET', '/api/words/animals', accessToken);
  if (!Array.isArray(words)) throw new UnexpectedResponse('The words are not a list.');
  context.terminal.step('ChatGPT requests the score');
  const scoreBefore = expectScore(await call(context, 'GET', '/api/scoring', accessToken));
  context.terminal.step('A word was guessed. ChatGPT adds a point');
  const scoreAfter = expectScore(await call(context, 'POST', '/api/scoring', accessToken));
  if (scoreAfter !== scoreBefore + 1)
    throw new UnexpectedResponse(`The score went from ${scoreBefore} to ${scoreAfter}.`);
  return scoreAfter;
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
  score: number,
): Promise<void> => {
  context.terminal.step('With the new token, the score is unchanged');
  const currentScore = expectScore(await call(context, 'GET', '/api/scoring', accessToken));
  if (currentScore !== score) throw new UnexpectedResponse(`The score was ${score} and is ${currentScore}.`);
  context.terminal.print(`${context.user.name}'s score is ${currentScore}. Run the demo again to add to it.`);
};

const call = async (
  context: ActionDemoContext,
  method: 'GET' | 'POST',
  path: string,
  accessToken: string,
): Promise<unknown> => {
  const result = await callApi(
    { method, url: context.origin + path },
    accessToken,
    createLoggingFetch(context.terminal),
  );
  if (result.kind === 'response' && result.status === 200) return result.body;
  throw new UnexpectedResponse(`${method} ${path} did not respond with status 200.`);
};
