/** Gets tokens for the tests of the examples: signs a user in through a GPT with an Action. */
import {
  buildGptAction,
  clickButtons,
  createBrowser,
  type FakeUser,
  type GptAction,
  readCallback,
  redeemCode,
  startSignIn,
} from '@words-with-chat/lab';

/** The issuer, the client, the user and the resource of a token. */
export interface TokenRequest {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly user: FakeUser;
  /** Default: the broker's default resource. */
  readonly resource?: string;
}

/** Signs in and returns the code, which is not redeemed yet. */
export const obtainCode = async (tokenRequest: TokenRequest, send: typeof fetch): Promise<string> => {
  const action = buildAction(tokenRequest);
  const startedSignIn = startSignIn(action, crypto.randomUUID());
  if (tokenRequest.resource !== undefined)
    startedSignIn.url.searchParams.set('resource', tokenRequest.resource);
  const browser = createBrowser({ fetch: send });
  const location = await clickButtons(browser, startedSignIn.url, ['Google', tokenRequest.user.email]);
  const callback = readCallback(startedSignIn, location);
  if (callback.kind !== 'code') throw new Error(`no code: ${callback.kind}`);
  return callback.code;
};

/** Redeems a code and returns the access token. */
export const obtainToken = async (
  tokenRequest: TokenRequest,
  code: string,
  send: typeof fetch,
): Promise<string> => {
  const result = await redeemCode(buildAction(tokenRequest), code, send);
  if (result.kind !== 'tokens') throw new Error(`no tokens: ${result.status}`);
  return result.accessToken;
};

const buildAction = ({ issuer, ...credentials }: TokenRequest): GptAction =>
  buildGptAction(issuer, credentials);
