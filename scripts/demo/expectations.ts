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

export const expectScore = (body: unknown): number => {
  const score: unknown = Reflect.get(Object(body), 'score');
  if (typeof score === 'number') return score;
  throw new UnexpectedResponse('The response has no score.');
};
