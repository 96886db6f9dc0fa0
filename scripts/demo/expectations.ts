/** Checks every response in the demo. An unexpected one ends it. */
import {
  type Page,
  readCallback,
  type StartedSignIn,
  type StoppedRedirect,
  type TokenResult,
} from '@words-with-chat/lab';

/** A step got an unexpected response. */
export class UnexpectedResponse extends Error {
  override readonly name = 'UnexpectedResponse';
}

export type Tokens = Extract<TokenResult, { readonly kind: 'tokens' }>;

export const expectPage = (destination: Page | StoppedRedirect): Page => {
  if (destination.kind === 'stopped-redirect')
    throw new UnexpectedResponse(`The browser was sent to ${destination.location.host}.`);
  if (destination.status !== 200)
    throw new UnexpectedResponse(`${destination.url.pathname} responded with status ${destination.status}.`);
  return destination;
};

/** Returns the URL that the browser did not open, which is the client's callback. */
export const expectCallback = (destination: Page | StoppedRedirect): URL => {
  if (destination.kind === 'stopped-redirect') return destination.location;
  throw new UnexpectedResponse(`The sign-in ended on a page with status ${destination.status}.`);
};

export const expectCode = (startedSignIn: StartedSignIn, destination: Page | StoppedRedirect): string => {
  const callback = readCallback(startedSignIn, expectCallback(destination));
  switch (callback.kind) {
    case 'code':
      return callback.code;
    case 'error':
      throw new UnexpectedResponse(`The sign-in failed: ${callback.error}.`);
    case 'state-mismatch':
      throw new UnexpectedResponse('The state in the callback is not the one that was sent.');
  }
};

export const expectTokens = (result: TokenResult): Tokens => {
  if (result.kind === 'tokens') return result;
  throw new UnexpectedResponse(`The token URL responded with status ${result.status}.`);
};

/** The words guessed so far, and the points. */
export interface Score {
  readonly score: number;
  readonly points: number;
}

export const expectScore = (body: unknown): Score => {
  const { score, points }: Readonly<Record<string, unknown>> = Object(body);
  if (typeof score === 'number' && typeof points === 'number') return { score, points };
  throw new UnexpectedResponse('The response has no score.');
};

/** A round as the demo uses it. */
export interface Round {
  readonly id: string;
  readonly status: string;
  readonly mask: string;
  readonly triesLeft: number;
  readonly wrongGuesses: readonly string[];
  readonly hints: readonly unknown[];
}

/** Returns the round. While it is open, the response must not contain the word. */
export const expectRound = (body: unknown): Round => {
  const fields: Readonly<Record<string, unknown>> = Object(body);
  const { round: id, status, mask, tries_left: triesLeft, wrong_guesses: wrongGuesses, hints, word } = fields;
  if (
    typeof id !== 'string' ||
    typeof status !== 'string' ||
    typeof mask !== 'string' ||
    typeof triesLeft !== 'number' ||
    !Array.isArray(wrongGuesses) ||
    !Array.isArray(hints)
  )
    throw new UnexpectedResponse('The response has no round.');
  if ((status === 'open') !== (word === undefined))
    throw new UnexpectedResponse(`The round is ${status}, and the word is ${word}.`);
  return { id, status, mask, triesLeft, wrongGuesses: wrongGuesses.map(String), hints };
};
