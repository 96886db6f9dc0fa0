/** The flows whose costs are measured: what users, clients and the cleanup do. */
import { env } from 'cloudflare:workers';
import { createAccountBrowser } from '../../../../packages/assistant-auth/test/account-browser.ts';
import { buildCall } from '../../../../packages/assistant-operations/test/mcp-library.ts';
import { keptRounds } from '../../src/game/scoring.ts';
import type { Deployment } from '../deployment.ts';
import {
  type Call,
  gptQuery,
  openSignInPage,
  origin,
  postToken,
  redeem,
  refresh,
  registerClient,
  returnFromProvider,
  signInForTokens,
  signInToMcp,
  submitConsent,
} from '../flows.ts';
import { openBrowser } from '../play/browser.ts';

/** Runs the steps before the measurement, and returns the function to measure. */
export type Flow = (deployment: Deployment) => Promise<() => Promise<unknown>>;

/** All flows, by their names in docs/explanation/costs.md. */
export const flows: Readonly<Record<string, Flow>> = {
  'a new player signs in': async ({ call }) => {
    // The very first sign-in with a provider also stores the provider.
    await signInForTokens(call, 'the first');
    return () => signInForTokens(call, 'new');
  },
  'a known player signs in': async ({ call }) => {
    await signInForTokens(call, 'known');
    return () => signInForTokens(call, 'known');
  },
  'an MCP client registers itself':
    async ({ call }) =>
    () =>
      registerClient(call),
  'a new player signs in with that MCP client': async ({ call }) => {
    const client = await registerClient(call);
    return () => signInToMcp(call, 'new over MCP', 'words score', `${origin}/mcp`, client);
  },
  'a visitor opens the landing page at /':
    async ({ call }) =>
    async () =>
      expectOk(await call('/')),
  'a visitor opens the sign-in page and leaves':
    async ({ call }) =>
    () =>
      openSignInPage(call),
  'the page’s stylesheet, once an hour in a browser':
    async ({ call }) =>
    async () =>
      expectOk(await call('/authorize/style.css')),
  'a visitor leaves at the provider':
    async ({ call }) =>
    async () =>
      submitConsent(call, await openSignInPage(call), { choice: 'google' }),
  'a visitor cancels':
    async ({ call }) =>
    async () =>
      submitConsent(call, await openSignInPage(call), { cancel: '1' }),
  'ChatGPT refreshes': async ({ call }) => {
    const tokens = await signInForTokens(call, 'refreshing');
    return () => refresh(call, tokens);
  },
  'ChatGPT refreshes, with a recheck at the provider': async ({ call }) => {
    const tokens = await signInForTokens(call, 'rechecked');
    return () => refresh(call, tokens);
  },
  'an expired code is presented again': async ({ call, advance }) => {
    const callbackStep = await submitConsent(call, await openSignInPage(call), { choice: 'google' });
    const code = await returnFromProvider(call, callbackStep, 'again');
    await redeem(call, code);
    advance(61);
    return () => expectRejection(redeem(call, code));
  },
  'a list of words': prepareApiCall('/api/words/animals'),
  'a list of words, over MCP': async ({ call }) => {
    const token = await signInToMcp(call, 'busy over MCP');
    const message = buildCall('2026-07-28', 'get_allanimals');
    const headers = new Headers(message.headers);
    headers.delete('authorization');
    const listWords = async () => expectOk(await call('/mcp', { ...message, headers, token }));
    await listWords();
    return listWords;
  },
  'a round is started': async (deployment) => {
    const player = await preparePlayer(deployment, 'starting');
    return () => player.start();
  },
  'a guess': async (deployment) => {
    const player = await preparePlayer(deployment, 'guessing');
    const round = await player.start();
    return () => player.guess(round, 'zzz');
  },
  'the guess that wins a round': async (deployment) => {
    const player = await preparePlayer(deployment, 'winning');
    const round = await player.start();
    const { word } = await readRow(round);
    return () => player.guess(round, word);
  },
  'a hint': async (deployment) => {
    const player = await preparePlayer(deployment, 'asking');
    const round = await player.start();
    return () => player.play(`/${round}/hints`);
  },
  'the score is read': async (deployment) => {
    const player = await preparePlayer(deployment, 'reading');
    return async () => expectOk(await deployment.call('/api/scoring', { token: player.token }));
  },
  '`post_score` for the first time': prepareApiCall('/api/scoring', { method: 'POST' }),
  '`post_score` again': async (deployment) => {
    const addPoint = await prepareApiCall('/api/scoring', { method: 'POST' })(deployment);
    await addPoint();
    return addPoint;
  },
  'a guest opens /play': async (deployment) => () => openBrowser(deployment).open('/en/play'),
  'a guest guesses there': async (deployment) => () =>
    openBrowser(deployment).submit({ round: 'guest-2027-01-15', guess: 'zzz' }),
  'a player signs in at /play': async (deployment) => {
    await openBrowser(deployment).signIn('known on the web');
    return () => openBrowser(deployment).signIn('known on the web');
  },
  'a player opens /play': async (deployment) => {
    const { browser } = await prepareBrowser(deployment, 'opening on the web');
    return () => browser.open('/en/play');
  },
  'a player guesses there': async (deployment) => {
    const { browser, round } = await prepareBrowser(deployment, 'guessing on the web');
    return () => browser.submit({ round, guess: 'zzz' });
  },
  'a list of words, ten seconds after the last read of revocations': async (deployment) => {
    const listWords = await prepareApiCall('/api/words/animals')(deployment);
    deployment.advance(10);
    return listWords;
  },
  'a new isolate’s first call, after some 500 sign-outs in half an hour': async ({ call, signIn }) => {
    const token = await signIn('first');
    return async () => expectOk(await call('/api/words/animals', { token }));
  },
  'a call without a token':
    async ({ call }) =>
    () =>
      call('/api/scoring'),
  'a call with an expired token': async ({ call, signIn, advance }) => {
    const token = await signIn('late');
    advance(1800);
    return () => call('/api/scoring', { token });
  },
  'a player signs in at the account page':
    async ({ app }) =>
    () =>
      createAccountBrowser({ issuer: origin, fetch: app.fetch }).signInToAccount('visiting'),
  'a player opens the account page': async ({ app }) => {
    const accountBrowser = createAccountBrowser({ issuer: origin, fetch: app.fetch });
    await accountBrowser.signInToAccount('looking');
    return () => accountBrowser.openAccountPage();
  },
  'a player disconnects an app there': async (deployment) => {
    const { accountBrowser, form } = await openAccount(deployment, 'ending');
    return () => accountBrowser.post('/apps/disconnect', { app: 'gpt chatgpt.com' }, form);
  },
  'a player continues in the session': async (deployment) => {
    const { accountBrowser } = await openAccount(deployment, 'rechecked-session');
    return async () => {
      const { consent } = await accountBrowser.openSignInPage(gptQuery);
      const response = await accountBrowser.submitConsent(consent, { choice: 'continue' });
      const code = new URL(response.headers.get('location') ?? '').searchParams.get('code');
      return redeem(deployment.call, code ?? '');
    };
  },
  'a player deletes their account': async (deployment) => {
    const { accountBrowser, form } = await openAccount(deployment, 'session');
    return () => accountBrowser.post('/delete', { confirm: 'yes' }, form);
  },
  'a client revokes a token': async ({ call }) => {
    const tokens = await signInForTokens(call, 'leaving');
    return async () => expectOk(await postToken(call, '/revoke', tokens.refresh_token));
  },
  'introspection of a token': async ({ call, signIn }) => {
    const token = await signIn('introspected');
    return async () => expectActive(await postToken(call, '/introspect', token));
  },
  'introspection of something that is not a token':
    async ({ call }) =>
    async () =>
      expectOk(await postToken(call, '/introspect', 'x')),
  'the hourly cleanup finds nothing': async ({ app, advance }) => {
    advance(7200);
    await app.cleanup();
    return () => app.cleanup();
  },
  'the hourly cleanup deletes a grant': async ({ app, call, advance }) => {
    await app.cleanup();
    await returnFromProvider(
      call,
      await submitConsent(call, await openSignInPage(call), { choice: 'google' }),
      'unredeemed',
    );
    // An hour, and the margin of the cleanup.
    advance(3900);
    return () => app.cleanup();
  },
};

/** Creates a flow: a signed-in user calls the API in an isolate that has just read the revocations. */
function prepareApiCall(path: string, init: RequestInit = {}): Flow {
  return async ({ call, signIn }) => {
    const token = await signIn(`busy ${path} ${init.method}`);
    expectOk(await call('/api/words/places', { token }));
    return async () => expectOk(await call(path, { ...init, token }));
  };
}

/** Signs a player in who has as many rounds as are kept. */
const preparePlayer = async ({ call, signIn, advance }: Deployment, subject: string) => {
  for (let count = 0; count < keptRounds; count++) {
    advance(180);
    const token = await signIn(subject);
    expectOk(await post(call, token, '', { category: 'animals' }));
  }
  await env.DB.prepare(orderRounds).bind(subject).run();
  const token = await signIn(subject);
  // Reads the revocations, as the first call of an isolate does.
  expectOk(await call('/api/words/places', { token }));
  const play = async (path: string, body?: object) => {
    const response = await post(call, token, path, body);
    expectOk(response);
    return response.json<{ readonly round: string }>();
  };
  return {
    token,
    play,
    start: async () => (await play('', { category: 'animals' })).round,
    guess: (round: string, text: string) => play(`/${round}/guesses`, { guess: text }),
  };
};

/** Signs in at /play as a player with as many rounds as are kept, one of which is open. */
const prepareBrowser = async (deployment: Deployment, subject: string) => {
  const player = await preparePlayer(deployment, subject);
  const round = await player.start();
  const browser = openBrowser(deployment);
  await browser.signIn(subject);
  return { browser, round };
};

/** Replaces the random IDs: in another order of the rows, SQLite sorts with other numbers of reads. */
const orderRounds = `
  UPDATE rounds SET id = 'animals-en-' || printf('%012d', started_at)
  WHERE user_id = (SELECT user_id FROM identities WHERE subject = ?1)`;

const post = (call: Call, token: string, path: string, body?: object): Promise<Response> =>
  call(`/api/rounds${path}`, {
    method: 'POST',
    token,
    ...(body && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  });

const readRow = async (round: string): Promise<{ readonly word: string }> => {
  const row = await env.DB.prepare('SELECT word FROM rounds WHERE id = ?1')
    .bind(round)
    .first<{ word: string }>();
  if (row === null) throw new Error(`there is no round ${round}`);
  return row;
};

/** Signs a user in at the account page. The user has one connected app. */
const openAccount = async ({ app, call }: Deployment, subject: string) => {
  await signInForTokens(call, subject);
  const accountBrowser = createAccountBrowser({ issuer: origin, fetch: app.fetch });
  await accountBrowser.signInToAccount(subject);
  return { accountBrowser, form: (await accountBrowser.openAccountPage()).form };
};

const expectOk = (response: Response): void => {
  if (response.status !== 200) throw new Error(`expected status 200, got ${response.status}`);
};

const expectActive = async (response: Response): Promise<void> => {
  const body: unknown = await response.json();
  if (typeof body !== 'object' || body === null || !('active' in body) || body.active !== true)
    throw new Error(`expected an active token, got ${JSON.stringify(body)}`);
};

const expectRejection = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => Promise.reject(new Error('the request was not refused')),
    () => undefined,
  );
