/**
 * Connects the client of the MCP SDK to the game, as an application would: it keeps credentials in memory, and
 * its user signs in with a browser.
 */
import {
  auth,
  Client,
  type OAuthClientProvider,
  type OAuthDiscoveryState,
  type StoredOAuthClientInformation,
  type StoredOAuthTokens,
  StreamableHTTPClientTransport,
  UnauthorizedError,
} from '@modelcontextprotocol/client';
import type { FakeUser } from '@words-with-chat/lab';
import { inject } from 'vitest';
import { signIn } from '../sign-in.ts';
import type { Registration } from './registrations.ts';

/** The protocol eras, as the SDK calls them, and the revision that is negotiated. */
export const eras = [
  { mode: 'legacy', revision: '2025-11-25' },
  { mode: 'auto', revision: '2026-07-28' },
] as const;

type NegotiationMode = (typeof eras)[number]['mode'];

/** A request of the client: its method, URL and body, and the status of the response. */
interface SentRequest {
  readonly method: string;
  readonly url: string;
  readonly body: string;
  readonly status: number;
}

/** A client with one user. */
export interface McpApp {
  /** Every request that the client sent, in order. The requests of the browser are not listed. */
  readonly requests: readonly SentRequest[];
  /** The authorization requests that the user opened, in order. */
  readonly authorizationRequests: readonly URL[];
  /** The tokens that are stored. */
  tokens: StoredOAuthTokens | undefined;
  /** Connects, and signs the user in if the server requires it. */
  readonly connect: () => Promise<Client>;
  /** Signs the user in with this scope, instead of the one that the server asks for. */
  readonly signInWithScope: (scope: string) => Promise<void>;
  /** Does something with the connection. If it requires authorization, the user signs in, and it is repeated. */
  readonly use: <Result>(action: (client: Client) => Promise<Result>) => Promise<Result>;
}

/** The path on loopback to which the user returns. Nothing listens there: the browser stops. */
const redirectUrl = 'http://127.0.0.1:51234/callback';

interface McpAppOptions {
  readonly registration: Pick<Registration, 'clientInformation' | 'clientMetadataUrl' | 'authenticate'>;
  readonly mode: NegotiationMode;
  readonly user: FakeUser;
}

/** Creates a client that is not connected. */
export const createMcpApp = ({ registration, mode, user }: McpAppOptions): McpApp => {
  const requests: SentRequest[] = [];
  const authorizationRequests: URL[] = [];
  const url = new URL('/mcp', inject('system').origin);
  const { provider, store } = createProvider(registration, (request) => authorizationRequests.push(request));
  const createTransport = () =>
    new StreamableHTTPClientTransport(url, { authProvider: provider, fetch: recordRequests(requests) });
  let transport = createTransport();
  let client: Client | undefined;

  const openLastRequest = async (): Promise<URLSearchParams> => {
    const request = authorizationRequests.at(-1);
    if (request === undefined) throw new Error('The client did not open an authorization request.');
    return (await signIn(request, user)).searchParams;
  };
  const authorize = async <Result>(action: () => Promise<Result>): Promise<Result> => {
    try {
      return await action();
    } catch (error) {
      if (!(error instanceof UnauthorizedError)) throw error;
      await transport.finishAuth(await openLastRequest());
      return action();
    }
  };
  const connect = async (): Promise<Client> => {
    await client?.close();
    client = await authorize(async () => {
      transport = createTransport();
      const connected = new Client(
        { name: 'conformance', version: '1.0.0' },
        { versionNegotiation: { mode } },
      );
      await connected.connect(transport);
      return connected;
    });
    return client;
  };
  return {
    requests,
    authorizationRequests,
    get tokens() {
      return store.tokens;
    },
    set tokens(value) {
      store.tokens = value;
    },
    connect,
    signInWithScope: async (scope) => {
      await auth(provider, { serverUrl: url, scope, fetchFn: recordRequests(requests) });
      transport = createTransport();
      await transport.finishAuth(await openLastRequest());
    },
    use: async (action) => {
      const connected = client ?? (await connect());
      return authorize(() => action(connected));
    },
  };
};

/**
 * Calls a tool and returns its structured content.
 * @throws Error with the text of the result if it is an error
 */
export const callTool = async (
  client: Client,
  name: string,
  input: Readonly<Record<string, unknown>> = {},
): Promise<Readonly<Record<string, unknown>>> => {
  const { structuredContent, isError, content } = await client.callTool({ name, arguments: input });
  if (isError === true) throw new Error(`${name} failed: ${JSON.stringify(content)}`);
  return Object(structuredContent);
};

interface Store {
  clientInformation?: StoredOAuthClientInformation;
  tokens?: StoredOAuthTokens | undefined;
  codeVerifier?: string;
  discoveryState?: OAuthDiscoveryState | undefined;
}

/**
 * Decides as the SDK does for the option `clientMetadataUrl`, which requires https: the URL is the client ID if
 * the server accepts metadata documents. Otherwise, the client registers itself.
 */
const identifyByDocument = (
  url: string | undefined,
  { authorizationServerMetadata }: Partial<OAuthDiscoveryState> = {},
): StoredOAuthClientInformation | undefined =>
  url !== undefined && authorizationServerMetadata?.client_id_metadata_document_supported === true
    ? { client_id: url, issuer: authorizationServerMetadata.issuer }
    : undefined;

const createProvider = (
  { clientInformation, clientMetadataUrl, authenticate }: McpAppOptions['registration'],
  openInBrowser: (url: URL) => void,
): { readonly provider: OAuthClientProvider; readonly store: Store } => {
  const store: Store = { ...(clientInformation && { clientInformation }) };
  const provider: OAuthClientProvider = {
    redirectUrl,
    ...(authenticate && { addClientAuthentication: authenticate }),
    clientMetadata: {
      client_name: 'Conformance test',
      redirect_uris: [redirectUrl],
      grant_types: ['authorization_code', 'refresh_token'],
      token_endpoint_auth_method: 'none',
    },
    state: () => crypto.randomUUID(),
    clientInformation: () =>
      store.clientInformation ?? identifyByDocument(clientMetadataUrl, store.discoveryState),
    saveClientInformation: (information: StoredOAuthClientInformation) => {
      store.clientInformation = information;
    },
    tokens: () => store.tokens,
    saveTokens: (saved: StoredOAuthTokens) => {
      store.tokens = saved;
    },
    redirectToAuthorization: openInBrowser,
    saveCodeVerifier: (codeVerifier: string) => {
      store.codeVerifier = codeVerifier;
    },
    codeVerifier: () => store.codeVerifier ?? '',
    discoveryState: () => store.discoveryState,
    saveDiscoveryState: (state: OAuthDiscoveryState) => {
      store.discoveryState = state;
    },
    invalidateCredentials: (scope) => {
      if (scope === 'all' || scope === 'tokens') store.tokens = undefined;
      if (scope === 'all' || scope === 'discovery') store.discoveryState = undefined;
    },
  };
  return { provider, store };
};

/** Sends requests with `fetch`, and records them. */
const recordRequests =
  (requests: SentRequest[]) =>
  async (input: string | URL, init: RequestInit = {}): Promise<Response> => {
    const response = await fetch(input, init);
    const { method = 'GET', body } = init;
    requests.push({ method, url: String(input), body: String(body ?? ''), status: response.status });
    return response;
  };
