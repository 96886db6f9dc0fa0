/**
 * A broker in this process with a fake provider on loopback, a clock that tests advance, and an emulated GPT
 * Action.
 */
import { type Broker, createBroker, gptAction, type IdentityProvider, type LogEntry } from 'assistant-auth';
import { memoryStorage } from 'assistant-auth/memory';
import {
  buildGptCallbackUrl,
  createBrowser,
  type FakeUser,
  fakeUsers,
  type GptAction,
  readCallback,
  redeemCode,
  refreshTokens,
  type StartFakeProvider,
  startSignIn,
  type TokenResult,
} from '../../src/index.ts';
import { client, startFakeProvider } from '../fake-providers/sign-in.ts';

export const issuer = 'http://localhost:8787';

const action: GptAction = {
  authorizationUrl: `${issuer}/authorize`,
  tokenUrl: `${issuer}/token`,
  clientId: 'gpt',
  clientSecret: 'gpt-secret-0123456789-0123456789-0123456789',
  scope: 'words',
  redirectUri: buildGptCallbackUrl('g-0123456789abcdef0123456789abcdef'),
  tokenExchange: 'post',
};

/**
 * Creates a `fetch` that calls the broker for its own origin, and sends other requests to the fake provider.
 */
export const createFetch =
  (broker: Broker): typeof fetch =>
  async (input, init) => {
    const request = new Request(input, init);
    return new URL(request.url).origin === issuer ? broker.fetch(request) : fetch(request);
  };

/** Starts a fake provider, and a broker with one provider, which `createProvider` creates for its URL. */
export const deployWithFakeProvider = async (
  start: StartFakeProvider,
  createProvider: (baseUrl: string, id: typeof client) => IdentityProvider,
) => {
  const fakeProvider = await startFakeProvider(start, undefined, [
    `${issuer}/callback/acme`,
    `${issuer}/callback/google`,
  ]);
  const provider = createProvider(fakeProvider.issuer, client);
  const log: LogEntry[] = [];
  const { tokens, fetch: recordingFetch } = recordUpstreamTokens();
  let clockOffset = 0;
  const broker = createBroker({
    issuer,
    sealingKeys: 'test-1.nJf9-2P7jQRmJJYTuxkQlkw9BQVyIGT9UVsbqpYP25g',
    scopes: { words: 'read the word lists' },
    clients: [gptAction({ id: 'gpt', name: 'GPT', secrets: [action.clientSecret], scopes: ['words'] })],
    providers: [provider],
    storage: memoryStorage(),
    log: (entry) => void log.push(entry),
    fetch: recordingFetch,
    now: () => Math.floor(Date.now() / 1000) + clockOffset,
  });

  const brokerFetch = createFetch(broker);

  const signIn = async (user: FakeUser): Promise<string> => {
    const startedSignIn = startSignIn(action, 'a state');
    const browser = createBrowser({ fetch: brokerFetch });
    let destination = await browser.open(startedSignIn.url);
    for (const label of [provider.displayName, user.email])
      if (destination.kind === 'page') destination = await browser.clickButton(destination, label);
    if (destination.kind === 'page') throw new Error(`${destination.url} ${destination.html}`);
    const callback = readCallback(startedSignIn, destination.location);
    if (callback.kind !== 'code') throw new Error(JSON.stringify(callback));
    return expectTokens(await redeemCode(action, callback.code, brokerFetch)).refreshToken ?? '';
  };

  return {
    ...{ fakeProvider, log, tokens, signIn },
    refresh: (token: string) => refreshTokens(action, token, brokerFetch),
    call: async (token: string) => {
      const headers = { authorization: `Bearer ${token}` };
      return (await broker.protect(new Request(`${issuer}/api`, { headers }))).ok;
    },
    advance(seconds: number) {
      clockOffset += seconds;
    },
  };
};

/** Returns the result if it has tokens, and fails otherwise. */
export const expectTokens = (result: TokenResult) => {
  if (result.kind !== 'tokens') throw new Error(JSON.stringify(result));
  return result;
};

/** Records the provider's refresh tokens: those that it issued, and those that the broker sent to it. */
const recordUpstreamTokens = () => {
  const tokens: { readonly sent: string[]; readonly received: string[] } = { sent: [], received: [] };
  const recordingFetch: typeof fetch = async (input, init) => {
    const sent = init?.body instanceof URLSearchParams ? init.body.get('refresh_token') : null;
    if (sent !== null) tokens.sent.push(sent);
    const response = await fetch(input, init);
    const { refresh_token: received } = Object(
      await response
        .clone()
        .json()
        .catch(() => undefined),
    );
    if (typeof received === 'string') tokens.received.push(received);
    return response;
  };
  return { tokens, fetch: recordingFetch };
};

export const [ada, bruno] = fakeUsers;
