/** How the examples' tests come by a token: a person signs in, and a GPT with an Action gets what it would get. */
import {
  beginSignIn,
  createBrowser,
  type GptAction,
  gptCallback,
  type Person,
  readCallback,
  redeemCode,
} from '@words-with-chat/lab';

/** Who issues the token, to whom, and what for. */
export interface Asked {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly person: Person;
  /** Left out: what the broker gives to who does not say. */
  readonly resource?: string;
}

/** Signs in and gives the code, which is not redeemed yet. */
export const codeFor = async (asked: Asked, send: typeof fetch): Promise<string> => {
  const action = actionOf(asked);
  const begun = beginSignIn(action, crypto.randomUUID());
  if (asked.resource !== undefined) begun.url.searchParams.set('resource', asked.resource);
  const browser = createBrowser({ fetch: send });
  let arrival = await browser.open(begun.url);
  for (const label of ['Google', asked.person.email]) {
    if (arrival.kind === 'departure') throw new Error(`sent to ${arrival.location.origin} before "${label}"`);
    arrival = await browser.press(arrival, label);
  }
  if (arrival.kind === 'page') throw new Error(`ended on ${arrival.url} with status ${arrival.status}`);
  const callback = readCallback(begun, arrival.location);
  if (callback.kind !== 'code') throw new Error(`no code: ${callback.kind}`);
  return callback.code;
};

/** Redeems a code for an access token. */
export const tokenFor = async (asked: Asked, code: string, send: typeof fetch): Promise<string> => {
  const answer = await redeemCode(actionOf(asked), code, send);
  if (answer.kind !== 'tokens') throw new Error(`no tokens: ${answer.status}`);
  return answer.accessToken;
};

const actionOf = ({ issuer, clientId, clientSecret }: Asked): GptAction => ({
  authorizationUrl: `${issuer}/authorize`,
  tokenUrl: `${issuer}/token`,
  ...{ clientId, clientSecret, scope: '' },
  redirectUri: gptCallback('g-0123456789abcdef0123456789abcdef'),
  tokenExchange: 'post',
});
