/**
 * Acts as an MCP client step by step, with the client of the MCP SDK: registers itself, signs in, plays a round
 * with the tools, and refreshes the token.
 */
import { randomUUID } from 'node:crypto';
import {
  auth,
  Client,
  OAuthClientFlowError,
  type OAuthClientProvider,
  type OAuthDiscoveryState,
  OAuthError,
  ProtocolError,
  SdkError,
  type StoredOAuthClientInformation,
  type StoredOAuthTokens,
  StreamableHTTPClientTransport,
  UnauthorizedError,
} from '@modelcontextprotocol/client';
import { createBrowser, type FakeUser } from '@words-with-chat/lab';
import { expectCallback, expectPage, type Score, UnexpectedResponse } from './expectations.ts';
import { type GameContext, readScore, startRound, takeHint, winRound } from './play-round.ts';
import type { Terminal } from './terminal.ts';
import { createLoggingFetch } from './transcript.ts';

/** The app that the demo uses, the user who signs in, and where the demo prints. */
export interface McpDemoContext {
  /** The URL of the MCP server. */
  readonly url: string;
  readonly user: FakeUser;
  readonly terminal: Terminal;
}

/** Nothing listens there: the browser stops when it is redirected to this URI. */
const redirectUri = 'http://127.0.0.1:33333/callback';

/**
 * Runs all steps.
 * @throws UnexpectedResponse at the first unexpected response
 */
export const runMcpDemo = async (context: McpDemoContext): Promise<void> => {
  try {
    await runSteps(context);
  } catch (cause) {
    if (!isSdkError(cause)) throw cause;
    throw new UnexpectedResponse(`The client failed: ${cause.message}`, { cause });
  }
};

const isSdkError = (error: unknown): error is Error =>
  [SdkError, ProtocolError, OAuthError, OAuthClientFlowError, UnauthorizedError].some(
    (type) => error instanceof type,
  );

const runSteps = async (context: McpDemoContext): Promise<void> => {
  const { terminal, url } = context;
  const session = createSession();
  const send = announceSteps(terminal, createLoggingFetch(terminal));
  const createTransport = () =>
    new StreamableHTTPClientTransport(new URL(url), { fetch: send, authProvider: session.provider });

  terminal.step('The client calls the MCP server without a token, which responds with status 401');
  const transport = createTransport();
  await expectUnauthorized(createClient().connect(transport));
  const callback = await signIn(context, session);
  terminal.step(
    'The client exchanges the code for tokens, with the code verifier that proves that it started the sign-in',
  );
  await transport.finishAuth(callback.searchParams);

  const client = createClient();
  terminal.step('With the access token, the client asks what the server supports');
  await client.connect(createTransport());
  terminal.print(`Both use revision ${client.getNegotiatedProtocolVersion()} of the protocol.`);
  const score = await playRound(context, client);
  terminal.step('Later, after the access token has expired, the client uses the refresh token');
  if (session.tokens()?.refresh_token === undefined)
    throw new UnexpectedResponse('There was no refresh token.');
  const result = await auth(session.provider, { serverUrl: url, fetchFn: send });
  if (result !== 'AUTHORIZED') throw new UnexpectedResponse('The refresh token was not accepted.');
  terminal.step('With the new token, the score is unchanged');
  await verifyScoreKept(context, client, score);
  await client.close();
};

// With `auto`, the client uses the newest revision that both support.
const createClient = (): Client =>
  new Client({ name: 'words-with-chat-demo', version: '1.0.0' }, { versionNegotiation: { mode: 'auto' } });

// Sign-in.

/** What the client stores between the steps of the sign-in. */
interface Session {
  readonly provider: OAuthClientProvider;
  readonly state: string;
  readonly tokens: () => StoredOAuthTokens | undefined;
  /** @throws UnexpectedResponse if the client has not started a sign-in */
  readonly getAuthorizationUrl: () => URL;
}

const createSession = (): Session => {
  const state = randomUUID();
  let clientInformation: StoredOAuthClientInformation | undefined;
  let tokens: StoredOAuthTokens | undefined;
  let codeVerifier = '';
  let discovery: OAuthDiscoveryState | undefined;
  let authorizationUrl: URL | undefined;
  return {
    state,
    tokens: () => tokens,
    getAuthorizationUrl: () => {
      if (authorizationUrl === undefined) throw new UnexpectedResponse('The client did not start a sign-in.');
      return authorizationUrl;
    },
    provider: {
      redirectUrl: redirectUri,
      clientMetadata: {
        client_name: 'Demo',
        redirect_uris: [redirectUri],
        grant_types: ['authorization_code', 'refresh_token'],
        token_endpoint_auth_method: 'none',
      },
      state: () => state,
      clientInformation: () => clientInformation,
      saveClientInformation: (saved: StoredOAuthClientInformation) => {
        clientInformation = saved;
      },
      tokens: () => tokens,
      saveTokens: (saved) => {
        tokens = saved;
      },
      codeVerifier: () => codeVerifier,
      saveCodeVerifier: (saved) => {
        codeVerifier = saved;
      },
      discoveryState: () => discovery,
      saveDiscoveryState: (saved) => {
        discovery = saved;
      },
      redirectToAuthorization: (url) => {
        authorizationUrl = url;
      },
    },
  };
};

/** The steps that the client takes on its own, after the challenge. */
const automaticSteps = [
  ['/.well-known/', 'The client reads the metadata, to find the authorization server and its endpoints'],
  ['/register', 'The client registers itself, and gets a client ID'],
] as const;

/** Announces each of these steps at the first request whose path begins with that of the step. */
const announceSteps = (terminal: Terminal, send: typeof fetch): typeof fetch => {
  let announced = 0;
  return (input, init) => {
    const { pathname } = new URL(input instanceof Request ? input.url : input);
    const [path, title] = automaticSteps[announced] ?? [];
    if (path !== undefined && pathname.startsWith(path)) {
      announced += 1;
      terminal.step(title);
    }
    return send(input, init);
  };
};

const expectUnauthorized = async (connecting: Promise<void>): Promise<void> => {
  try {
    await connecting;
  } catch (error) {
    if (error instanceof UnauthorizedError) return;
    throw error;
  }
  throw new UnexpectedResponse('The MCP server accepted a request without a token.');
};

/** Returns the URL that the browser was redirected to, with the code. */
const signIn = async ({ user, terminal }: McpDemoContext, session: Session): Promise<URL> => {
  const browser = createBrowser({
    fetch: createLoggingFetch(terminal),
    shouldStopAt: ({ href }) => href.startsWith(redirectUri),
  });
  terminal.step(
    'The client opens the authorization URL in the browser, which shows the client and the scopes',
  );
  const signInPage = expectPage(await browser.open(session.getAuthorizationUrl()));
  terminal.step('The user continues with Google, and is redirected to the fake provider');
  const accountChooser = expectPage(await browser.clickButton(signInPage, 'Google'));
  terminal.step(`${user.name} signs in there, and is redirected through our callback to the client's`);
  const callback = expectCallback(await browser.clickButton(accountChooser, user.email));
  if (callback.searchParams.get('state') !== session.state)
    throw new UnexpectedResponse('The state in the callback is not the one that was sent.');
  terminal.print(`The browser would now open ${redirectUri}, where the client listens.`);
  return callback;
};

// Tools.

const playRound = async ({ terminal }: McpDemoContext, client: Client): Promise<Score> => {
  terminal.step('The client lists the tools for the model');
  const { tools } = await client.listTools();
  terminal.print(`The tools are ${tools.map(({ name }) => name).join(', ')}.`);
  const game = createGame(terminal, client);
  terminal.step('The model requests the score');
  const scoreBefore = await readScore(game);
  return winRound(game, await takeHint(game, await startRound(game)), scoreBefore);
};

const verifyScoreKept = async (
  { user, terminal }: McpDemoContext,
  client: Client,
  { score, points }: Score,
): Promise<void> => {
  const current = await readScore(createGame(terminal, client));
  if (current.score !== score || current.points !== points)
    throw new UnexpectedResponse(`The score was ${score} and is ${current.score}.`);
  terminal.print(
    `${user.name}'s score is ${score}. It is the same score as in a GPT: run the demo without --mcp to add to it.`,
  );
};

const createGame = (terminal: Terminal, client: Client): GameContext => ({
  caller: 'The model',
  terminal,
  call: async (name, input = {}) => {
    const { structuredContent, isError } = await client.callTool({ name, arguments: input });
    if (isError === true || structuredContent === undefined)
      throw new UnexpectedResponse(`The tool ${name} returned an error.`);
    return structuredContent;
  },
});
