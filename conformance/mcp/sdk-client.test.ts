/**
 * Tests the client of the MCP SDK against the game, in both protocol eras: from a 401 without a token to the
 * score, a refresh, a revocation, a missing scope, and the account page.
 */
import {
  buildGptAction,
  callApi,
  createBrowser,
  type Page,
  refreshTokens,
  type StoppedRedirect,
} from '@words-with-chat/lab';
import { describe, expect, inject, it, vi } from 'vitest';
import { scoreWithoutRounds } from '../scores.ts';
import { obtainTokens } from '../sign-in.ts';
import { testUser } from '../test-users.ts';
import { preRegistered, registrations } from './registrations.ts';
import { callTool, createMcpApp, eras, type McpApp } from './sdk-client.ts';

const { origin, gpt } = inject('system');
const mcpUrl = `${origin}/mcp`;

const toolNames = [
  ...['get_allanimals', 'get_allplaces', 'get_allcolors'],
  ...['start_round', 'guess', 'get_hint', 'give_up', 'get_score', 'post_score'],
];

const readScore = async (app: McpApp): Promise<number> => {
  const { score } = await app.use((client) => callTool(client, 'get_score'));
  if (typeof score === 'number') return score;
  throw new Error('no score');
};

/**
 * The requests of a client since `start`, without bodies. In the legacy era, the client asks for a stream of
 * messages from the server at any time after it has connected, which is left out.
 */
const listRequests = (app: McpApp, start = 0): readonly string[] =>
  app.requests
    .slice(start)
    .filter(({ method, url }) => method !== 'GET' || url !== mcpUrl)
    .map(({ method, url, status }) => `${method} ${url.replace(origin, '')} ${status}`);

/** The parameters of each request to the token endpoint since `start`. */
const listTokenRequests = (app: McpApp, start = 0) =>
  app.requests
    .slice(start)
    .filter(({ url }) => url === `${origin}/token`)
    .map(({ body }) => Object.fromEntries(new URLSearchParams(body)));

const readClientId = (app: McpApp): string =>
  app.authorizationRequests.at(-1)?.searchParams.get('client_id') ?? '';

/** Replaces the access token with one that gets the response of an expired one. */
const expireAccessToken = (app: McpApp): void => {
  if (app.tokens === undefined) throw new Error('The client has no tokens.');
  app.tokens = { ...app.tokens, access_token: `${app.tokens.access_token}x` };
};

/** Revokes the refresh token (RFC 7009), which ends the grant. */
const revoke = async (app: McpApp): Promise<void> => {
  const body = { client_id: readClientId(app), token: app.tokens?.refresh_token ?? '' };
  const response = await fetch(`${origin}/revoke`, { method: 'POST', body: new URLSearchParams(body) });
  expect(response.status).toBe(200);
};

/** Returns whether the access token is accepted. If it is, a GET request gets 405. */
const isAccepted = async ({ tokens }: McpApp): Promise<boolean> => {
  const headers = { authorization: `Bearer ${tokens?.access_token}` };
  const { status } = await fetch(mcpUrl, { headers });
  expect([401, 405]).toContain(status);
  return status === 405;
};

/** Returns whether the refresh token is accepted. */
const refresh = async (app: McpApp): Promise<boolean> => {
  const body = { grant_type: 'refresh_token', client_id: readClientId(app), resource: mcpUrl };
  const response = await fetch(`${origin}/token`, {
    method: 'POST',
    body: new URLSearchParams({ ...body, refresh_token: app.tokens?.refresh_token ?? '' }),
  });
  return response.status === 200;
};

/** After a revocation, an access token may be accepted for up to ten seconds. The rest is for a busy machine. */
const polling = { timeout: 60_000, interval: 500 };

describe.each(registrations)('$name', (registration) => {
  describe.each(eras)('in revision $revision', ({ mode, revision }) => {
    const user = testUser(`${registration.users}-${mode}`);
    const createApp = () => createMcpApp({ registration, mode, user });

    it('finds the authorization server after a 401, and signs the user in', async () => {
      const app = createApp();
      const client = await app.connect();
      expect(client.getNegotiatedProtocolVersion()).toBe(revision);

      const [first, ...others] = listRequests(app);
      expect(first).toBe('POST /mcp 401');
      expect(others.slice(0, 2)).toEqual([
        'GET /.well-known/oauth-protected-resource/mcp 200',
        'GET /.well-known/oauth-authorization-server 200',
      ]);
      expect(others.filter((request) => !/ 20[02]$/.test(request))).toEqual(registration.requests);
      expect(others.at(-1)).toMatch(/^POST \/mcp 20[02]$/);

      const [authorizationRequest] = app.authorizationRequests;
      const parameters = authorizationRequest?.searchParams;
      expect(`${authorizationRequest?.origin}${authorizationRequest?.pathname}`).toBe(`${origin}/authorize`);
      expect(Object.fromEntries(parameters ?? [])).toMatchObject({
        response_type: 'code',
        code_challenge_method: 'S256',
        code_challenge: expect.stringMatching(/^[\w-]{43}$/),
        client_id: registration.clientId ?? expect.stringMatching(/^[\w-]{90,}$/),
        scope: 'words score offline_access',
        resource: mcpUrl,
      });
      expect(listTokenRequests(app)).toEqual([
        expect.objectContaining({
          grant_type: 'authorization_code',
          code_verifier: expect.stringMatching(/^[\w.~-]{43,128}$/),
          client_id: parameters?.get('client_id'),
          redirect_uri: parameters?.get('redirect_uri'),
          resource: mcpUrl,
        }),
      ]);
      expect(app.tokens).toEqual({
        access_token: expect.any(String),
        refresh_token: expect.any(String),
        token_type: 'bearer',
        expires_in: 1800,
        scope: 'words score offline_access',
        issuer: origin,
      });
    });

    it('lists the tools, and plays with all of them', async () => {
      const app = createApp();
      const client = await app.connect();
      expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(toolNames);
      for (const name of toolNames.slice(0, 3)) {
        const content = await callTool(client, name);
        expect(content).toEqual({ result: expect.arrayContaining([expect.any(String)]) });
      }
      const started = await callTool(client, 'start_round', { category: 'food', language: 'de' });
      expect(started).toMatchObject({ category: 'food', language: 'de', status: 'open', tries_left: 6 });
      const { round } = started;
      const guessed = await callTool(client, 'guess', { round, guess: 'xyz' });
      expect(guessed).toMatchObject({ round, result: 'wrong', wrong_guesses: ['xyz'], tries_left: 5 });
      const hinted = await callTool(client, 'get_hint', { round });
      expect(hinted).toMatchObject({ round, hints: [expect.any(String)], hints_left: 3 });
      const givenUp = await callTool(client, 'give_up', { round });
      expect(givenUp).toMatchObject({ round, status: 'given_up', word: expect.any(String) });
      const score = await readScore(app);
      expect(await callTool(client, 'post_score')).toEqual({ score: score + 1 });
      expect(await readScore(app)).toBe(score + 1);
    });

    it('lists the prompt, and gets it with and without an argument', async () => {
      const client = await createApp().connect();
      const { prompts } = await client.listPrompts();
      expect(prompts).toEqual([
        {
          name: 'play',
          title: 'Play a round',
          description: 'Starts a round of Words With Chat.',
          arguments: [{ name: 'category', description: expect.stringContaining('animals') }],
        },
      ]);
      const readPrompt = async (values: Record<string, string>): Promise<string> => {
        const { messages } = await client.getPrompt({ name: 'play', arguments: values });
        expect(messages).toHaveLength(1);
        return messages.map(({ content }) => (content.type === 'text' ? content.text : '')).join();
      };
      expect(await readPrompt({ category: 'colors' })).toContain('in the category colors.');
      expect(await readPrompt({})).not.toContain('in the category');
    });

    it('refreshes an access token that is no longer valid, without the user', async () => {
      const app = createApp();
      await app.connect();
      const { tokens } = app;
      expireAccessToken(app);
      const start = app.requests.length;
      const score = await readScore(app);
      expect(score).toBeGreaterThanOrEqual(0);
      expect(listRequests(app, start)).toEqual(['POST /mcp 401', 'POST /token 200', 'POST /mcp 200']);
      expect(listTokenRequests(app, start)).toEqual([
        expect.objectContaining({ grant_type: 'refresh_token', resource: mcpUrl }),
      ]);
      expect(app.authorizationRequests).toHaveLength(1);
      expect(app.tokens?.access_token).not.toBe(tokens?.access_token);
      expect(app.tokens?.refresh_token).not.toBe(tokens?.refresh_token);
    });

    it('signs the user in again after a revocation, and finds the same score', async () => {
      const app = createApp();
      const client = await app.connect();
      await callTool(client, 'post_score');
      const score = await readScore(app);
      const { tokens } = app;
      await revoke(app);
      expireAccessToken(app);

      const warn = vi.spyOn(console, 'warn').mockReturnValue();
      expect(await readScore(app)).toBe(score);
      expect(warn.mock.calls).toEqual([[expect.stringContaining('OAuth "invalid_grant"')]]);
      warn.mockRestore();
      expect(app.authorizationRequests).toHaveLength(2);
      expect(app.tokens?.refresh_token).not.toBe(tokens?.refresh_token);
    });

    it('asks for the scope that a tool requires, and keeps the scope that it has', async () => {
      const app = createApp();
      await app.signInWithScope('words');
      expect(app.tokens?.scope).toBe('words offline_access');
      const words = await app.use((client) => callTool(client, 'get_allcolors'));
      expect(words).toEqual({ result: expect.arrayContaining(['magenta']) });

      const start = app.requests.length;
      expect(await readScore(app)).toBeGreaterThanOrEqual(0);
      expect(listRequests(app, start)[0]).toBe('POST /mcp 403');
      expect(app.authorizationRequests.map((request) => request.searchParams.get('scope'))).toEqual([
        'words offline_access',
        'words offline_access score',
      ]);
      expect(app.tokens?.scope?.split(' ').sort()).toEqual(['offline_access', 'score', 'words']);
      expect(listRequests(app, start).at(-1)).toBe('POST /mcp 200');
    });
  });
});

describe('a user who plays through the Action and an MCP client', () => {
  const action = buildGptAction(origin, gpt);

  const callScoring = (method: 'GET' | 'POST', accessToken: string) =>
    callApi({ method, url: `${origin}/api/scoring` }, accessToken, fetch);

  describe.each(registrations)('$name', (registration) => {
    it.each(eras)('has one score: $revision', async ({ mode }) => {
      const user = testUser('mcp-and-action');
      const { accessToken } = await obtainTokens(action, user);
      const app = createMcpApp({ registration, mode, user });
      const score = await readScore(app);
      expect(await callScoring('POST', accessToken)).toMatchObject({ body: { score: score + 1 } });
      expect(await readScore(app)).toBe(score + 1);
      expect(await app.use((client) => callTool(client, 'post_score'))).toEqual({ score: score + 2 });
      const body = scoreWithoutRounds(score + 2);
      expect(await callScoring('GET', accessToken)).toEqual({ kind: 'response', status: 200, body });
    });
  });

  it.each([
    { disconnected: 'ChatGPT', registration: preRegistered },
    ...registrations.map((registration) => ({ disconnected: registration.appName, registration })),
  ])(
    'disconnects $disconnected on the account page, and only that app stops working: $registration.name',
    async ({ disconnected: disconnectedName, registration }) => {
      const { appName } = registration;
      const user = testUser(`${registration.users}-account`);
      const actionTokens = await obtainTokens(action, user);
      const app = createMcpApp({ registration, mode: 'auto', user });
      await app.connect();
      const apps: Readonly<Record<string, ConnectedApp>> = {
        ChatGPT: {
          isAccepted: async () => (await callScoring('GET', actionTokens.accessToken)).kind === 'response',
          refresh: async () =>
            (await refreshTokens(action, actionTokens.refreshToken ?? '', fetch)).kind === 'tokens',
        },
        [appName]: { isAccepted: () => isAccepted(app), refresh: () => refresh(app) },
      };
      const remainingName = disconnectedName === 'ChatGPT' ? appName : 'ChatGPT';
      const [disconnected, remaining] = [apps[disconnectedName], apps[remainingName]];

      const account = await openAccount(user.email);
      expect(listConnectedApps(account.page)).toEqual([`${appName} 127.0.0.1`, 'ChatGPT chatgpt.com'].sort());
      expect(await disconnected?.isAccepted()).toBe(true);
      const page = await account.disconnect(disconnectedName);
      expect(page.html).toContain('The app is disconnected.');
      expect(listConnectedApps(page)).toEqual([expect.stringContaining(remainingName)]);

      expect(await disconnected?.refresh()).toBe(false);
      await expect.poll(() => disconnected?.isAccepted(), polling).toBe(false);
      expect(await remaining?.isAccepted()).toBe(true);
      expect(await remaining?.refresh()).toBe(true);
    },
  );
});

interface ConnectedApp {
  /** Returns whether the access token is accepted. */
  readonly isAccepted: () => Promise<boolean>;
  /** Returns whether the refresh token is accepted. */
  readonly refresh: () => Promise<boolean>;
}

/** Opens the account page in a browser of its own, and signs in. */
const openAccount = async (email: string) => {
  const browser = createBrowser({ fetch });
  let page = requirePage(await browser.open(new URL(`${origin}/account`)));
  for (const label of ['Google', email]) page = requirePage(await browser.clickButton(page, label));
  /** Clicks the button on the card of an app. All buttons have the same text, so the other cards are removed. */
  const disconnect = async (name: string): Promise<Page> => {
    const html = page.html.replaceAll(appCard, (card) => (card.includes(name) ? card : ''));
    return requirePage(await browser.clickButton({ ...page, html }, 'Disconnect'));
  };
  return { page, disconnect };
};

const appCard = /<h3 id="app-.*?<\/h3>.*?<\/button>/gs;

/** Returns the headings of the connected apps: the name, and the host of the redirect URI. */
const listConnectedApps = ({ html }: Page): readonly string[] =>
  [...html.matchAll(/<h3 id="app-\d+">(.*?)<\/h3>/gs)]
    .map(([, heading = '']) => heading.replaceAll(/<[^>]*>/g, ''))
    .sort();

const requirePage = (destination: Page | StoppedRedirect): Page => {
  if (destination.kind === 'page') return destination;
  throw new Error(`The browser was redirected to ${destination.location.origin}.`);
};
