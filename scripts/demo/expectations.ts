/** What every answer in the demonstration must be; anything else ends it. */
import {
  type BegunSignIn,
  type Departure,
  type Page,
  readCallback,
  type TokenAnswer,
} from '@words-with-chat/lab';

/** A step was answered otherwise than it must be. */
export class Unexpected extends Error {
  override readonly name = 'Unexpected';
}

export type Tokens = Extract<TokenAnswer, { readonly kind: 'tokens' }>;

export const pageOf = (arrival: Page | Departure): Page => {
  if (arrival.kind === 'departure') throw new Unexpected(`The browser was sent to ${arrival.location.host}.`);
  if (arrival.status !== 200)
    throw new Unexpected(`${arrival.url.pathname} answered with status ${arrival.status}.`);
  return arrival;
};

export const codeOf = (begun: BegunSignIn, arrival: Page | Departure): string => {
  if (arrival.kind === 'page')
    throw new Unexpected(`The sign-in ended on a page with status ${arrival.status}.`);
  const callback = readCallback(begun, arrival.location);
  switch (callback.kind) {
    case 'code':
      return callback.code;
    case 'refused':
      throw new Unexpected(`The sign-in was refused: ${callback.error}.`);
    case 'foreign':
      throw new Unexpected('The state that came back is not the one that was sent.');
  }
};

export const tokensOf = (answer: TokenAnswer): Tokens => {
  if (answer.kind === 'tokens') return answer;
  throw new Unexpected(`The token URL refused with status ${answer.status}.`);
};

export const scoreOf = (body: unknown): number => {
  const score: unknown = Reflect.get(Object(body), 'score');
  if (typeof score === 'number') return score;
  throw new Unexpected('There is no score in the answer.');
};
