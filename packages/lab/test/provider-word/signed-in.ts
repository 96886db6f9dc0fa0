/** A broker in this process over a real stand-in on loopback, with a clock that can be moved on, and ChatGPT in front. */
import { createBroker, gptAction, type IdentityProvider, type LogEntry } from 'assistant-auth';
import { memoryLedger } from 'assistant-auth/memory';
import {
  beginSignIn,
  createBrowser,
  type GptAction,
  gptCallback,
  type Person,
  people,
  readCallback,
  redeemCode,
  refreshTokens,
  type StartUpstream,
  type TokenAnswer,
} from '../../src/index.ts';
import { client, startWith } from '../upstreams/visit.ts';

const issuer = 'http://localhost:8787';

const action: GptAction = {
  authorizationUrl: `${issuer}/authorize`,
  tokenUrl: `${issuer}/token`,
  clientId: 'gpt',
  clientSecret: 'gpt-secret-0123456789-0123456789-0123456789',
  scope: 'words',
  redirectUri: gptCallback('g-0123456789abcdef0123456789abcdef'),
  tokenExchange: 'post',
};

/** Starts the stand-in, and a broker whose one provider `provide` makes for the stand-in's address. */
export const deployOver = async (
  start: StartUpstream,
  provide: (standIn: string, id: typeof client) => IdentityProvider,
) => {
  const upstream = await startWith(start, undefined, [
    `${issuer}/callback/stand-in`,
    `${issuer}/callback/google`,
  ]);
  const provider = provide(upstream.issuer, client);
  const log: LogEntry[] = [];
  const { tokens, fetch: watched } = watchTokens();
  let ahead = 0;
  const { routes, protect } = createBroker({
    issuer,
    sealingKeys: 'test-1.AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8',
    scopes: { words: 'read the word lists' },
    clients: [gptAction({ id: 'gpt', name: 'GPT', secrets: [action.clientSecret], scopes: ['words'] })],
    providers: [provider],
    ledger: memoryLedger(),
    log: (entry) => void log.push(entry),
    fetch: watched,
    now: () => Math.floor(Date.now() / 1000) + ahead,
  });

  /** Ends at the broker, or at the stand-in. */
  const visit: typeof fetch = async (input, init) => {
    const request = new Request(input, init);
    const { origin, pathname } = new URL(request.url);
    if (origin !== issuer) return fetch(request);
    const route = routes.find(({ path }) =>
      path.endsWith('/*') ? pathname.startsWith(path.slice(0, -1)) : pathname === path,
    );
    return route?.endpoint(request) ?? new Response(null, { status: 404 });
  };

  const signIn = async (person: Person): Promise<string> => {
    const begun = beginSignIn(action, 'a state');
    const browser = createBrowser({ fetch: visit });
    let arrival = await browser.open(begun.url);
    for (const label of [provider.label, person.email])
      if (arrival.kind === 'page') arrival = await browser.press(arrival, label);
    if (arrival.kind === 'page') throw new Error(`${arrival.url} ${arrival.html}`);
    const callback = readCallback(begun, arrival.location);
    if (callback.kind !== 'code') throw new Error(JSON.stringify(callback));
    return tokensIn(await redeemCode(action, callback.code, visit)).refreshToken ?? '';
  };

  return {
    ...{ upstream, log, tokens, signIn },
    refresh: (token: string) => refreshTokens(action, token, visit),
    call: async (token: string) => {
      const headers = { authorization: `Bearer ${token}` };
      return (await protect(new Request(`${issuer}/api`, { headers }))).kind;
    },
    advance(seconds: number) {
      ahead += seconds;
    },
  };
};

/** The tokens in an answer, or the test ends here. */
export const tokensIn = (answer: TokenAnswer) => {
  if (answer.kind !== 'tokens') throw new Error(JSON.stringify(answer));
  return answer;
};

/** The refresh tokens of the provider's that passed by: those that came, and those that it was asked with. */
const watchTokens = () => {
  const tokens: { readonly sent: string[]; readonly came: string[] } = { sent: [], came: [] };
  const watched: typeof fetch = async (input, init) => {
    const sent = init?.body instanceof URLSearchParams ? init.body.get('refresh_token') : null;
    if (sent !== null) tokens.sent.push(sent);
    const response = await fetch(input, init);
    const { refresh_token: came } = Object(
      await response
        .clone()
        .json()
        .catch(() => undefined),
    );
    if (typeof came === 'string') tokens.came.push(came);
    return response;
  };
  return { tokens, fetch: watched };
};

export const [ada, bruno] = people;
