/** ChatGPT's side, played step by step: sign in, play, score, come back with a refreshed token. */
import { randomUUID } from 'node:crypto';
import {
  beginSignIn,
  callApi,
  createBrowser,
  type GptAction,
  type Person,
  redeemCode,
  refreshTokens,
} from '@words-with-chat/lab';
import { codeOf, pageOf, scoreOf, type Tokens, tokensOf, Unexpected } from './expectations.ts';
import type { Terminal } from './terminal.ts';
import { writtenDown } from './transcript.ts';

export interface Stage {
  readonly action: GptAction;
  /** Of the app. */
  readonly origin: string;
  readonly person: Person;
  readonly terminal: Terminal;
}

/**
 * Plays it through.
 * @throws Unexpected at the first answer that is not as it must be
 */
export const play = async (stage: Stage): Promise<void> => {
  const code = await signIn(stage);
  const tokens = await redeem(stage, code);
  const score = await playAndScore(stage, tokens.accessToken);
  const renewed = await refresh(stage, tokens.refreshToken);
  await comeBack(stage, renewed.accessToken, score);
};

const signIn = async ({ action, person, terminal }: Stage): Promise<string> => {
  const begun = beginSignIn(action, randomUUID());
  const browser = createBrowser({ fetch: writtenDown(terminal) });

  terminal.step('ChatGPT opens the authorization URL in the browser: who asks, and what for?');
  const signInPage = pageOf(await browser.open(begun.url));
  terminal.step('The person agrees with "Google", and is sent to the stand-in');
  const accounts = pageOf(await browser.press(signInPage, 'Google'));
  terminal.step(`There it is ${person.name}, who comes back through our callback to ChatGPT's`);
  const code = codeOf(begun, await browser.press(accounts, person.email));
  terminal.say(
    `The browser would now open ${new URL(action.redirectUri).host}: nothing here leaves this machine.`,
  );
  return code;
};

const redeem = async ({ action, terminal }: Stage, code: string): Promise<Tokens> => {
  terminal.step('ChatGPT exchanges the code for tokens');
  return tokensOf(await redeemCode(action, code, writtenDown(terminal)));
};

const playAndScore = async (stage: Stage, accessToken: string): Promise<number> => {
  stage.terminal.step('ChatGPT asks for words');
  const words = await call(stage, 'GET', '/api/words/animals', accessToken);
  if (!Array.isArray(words)) throw new Unexpected('The words are no list.');
  stage.terminal.step('ChatGPT asks for the score');
  const before = scoreOf(await call(stage, 'GET', '/api/scoring', accessToken));
  stage.terminal.step('A word was guessed: ChatGPT adds a point');
  const after = scoreOf(await call(stage, 'POST', '/api/scoring', accessToken));
  if (after !== before + 1) throw new Unexpected(`The score went from ${before} to ${after}.`);
  return after;
};

const refresh = async ({ action, terminal }: Stage, refreshToken: string | undefined): Promise<Tokens> => {
  terminal.step('Later the access token has expired: ChatGPT refreshes it');
  if (refreshToken === undefined) throw new Unexpected('There was no refresh token.');
  return tokensOf(await refreshTokens(action, refreshToken, writtenDown(terminal)));
};

const comeBack = async (stage: Stage, accessToken: string, score: number): Promise<void> => {
  stage.terminal.step('With the new token the score is still there');
  const kept = scoreOf(await call(stage, 'GET', '/api/scoring', accessToken));
  if (kept !== score) throw new Unexpected(`The score was ${score} and is ${kept}.`);
  stage.terminal.say(`${stage.person.name}'s score is ${kept}; play again, and it goes on from there.`);
};

const call = async (
  stage: Stage,
  method: 'GET' | 'POST',
  path: string,
  accessToken: string,
): Promise<unknown> => {
  const answer = await callApi(
    { method, url: stage.origin + path },
    accessToken,
    writtenDown(stage.terminal),
  );
  if (answer.kind === 'answered' && answer.status === 200) return answer.body;
  throw new Unexpected(`${method} ${path} was refused.`);
};
