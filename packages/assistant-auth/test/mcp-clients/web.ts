/** Documents on the web for tests, and a deployment whose clients publish or register their metadata. */
import { type McpClientsOptions, mcpClients } from '../../src/mcp-clients/index.ts';
import {
  appRequest,
  createTestBrowser,
  expectTokens,
  requestTokens,
  type TokenBody,
  verifier,
} from '../browser.ts';
import { clients, type Deployment, deploy } from '../deployment.ts';

type Form = Readonly<Record<string, string>>;

/** The parameters of a request that identify its client. */
type ClientRequest = Form & { readonly client_id: string; readonly redirect_uri: string };
type Metadata = Readonly<Record<string, unknown>>;

/** Creates a `fetch` for documents that a test publishes. It records the requests. */
export const createWeb = () => {
  const pages = new Map<string, (request: Request) => Response | Promise<Response>>();
  const requested: string[] = [];
  const fetch: typeof globalThis.fetch = async (...[input, init]: Parameters<typeof globalThis.fetch>) => {
    const request = new Request(input, init);
    requested.push(request.url);
    return pages.get(request.url)?.(request) ?? new Response(null, { status: 404 });
  };
  const serve = (url: string, respond: (request: Request) => Response | Promise<Response>) =>
    void pages.set(url, respond);
  return {
    fetch,
    requested,
    serve,
    publish: (url: string, document: Metadata, headers: Form = {}) =>
      serve(url, () => Response.json(document, { headers })),
    fail: (url: string, status = 503) => serve(url, () => new Response(null, { status })),
    remove: (url: string) => void pages.delete(url),
  };
};

export type Web = ReturnType<typeof createWeb>;

/** Deploys a broker with `mcpClients`, besides the clients of `deploy`. */
export const deployWith = (
  web: Pick<Web, 'fetch'>,
  options: McpClientsOptions = {},
  changes: Parameters<typeof deploy>[0] = {},
): Deployment => deploy({ clients: [...clients, mcpClients({ fetch: web.fetch, ...options })], ...changes });

export const documentUrl = 'https://client.example/oauth/client.json';
export const redirectUri = 'https://client.example/callback';

/** A metadata document of a public client. */
export const buildDocument = (changes: Metadata = {}): Metadata => ({
  client_id: documentUrl,
  client_name: 'Example Client',
  redirect_uris: [redirectUri],
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code'],
  token_endpoint_auth_method: 'none',
  ...changes,
});

/** An authorization request of the client with that document. */
export const documentRequest = {
  ...appRequest,
  client_id: documentUrl,
  redirect_uri: redirectUri,
  scope: 'words',
};

/** Signs a user in, and returns the code. */
export const obtainCodeFor = async (
  deployment: Deployment,
  request: Form,
  subject?: string,
): Promise<string> => {
  const redirect = await createTestBrowser(deployment).signIn(request, subject);
  const code = redirect.searchParams.get('code');
  if (code === null) throw new Error(`no code: ${redirect}`);
  return code;
};

/** The form that redeems a code of the client that sent the request. */
export const buildRedemption = (request: ClientRequest, code: string, credentials: Form = {}): Form => ({
  grant_type: 'authorization_code',
  client_id: request.client_id,
  redirect_uri: request.redirect_uri,
  code_verifier: verifier,
  code,
  ...credentials,
});

/** Signs a user in, and returns the client's tokens. */
export const obtainTokensFor = async (
  deployment: Deployment,
  request: ClientRequest,
  credentials: Form = {},
): Promise<TokenBody> =>
  expectTokens(
    await requestTokens(
      deployment,
      buildRedemption(request, await obtainCodeFor(deployment, request), credentials),
    ),
  );

/** Uses a refresh token. */
export const refreshFor = (
  deployment: Deployment,
  request: ClientRequest,
  token: string,
  credentials: Form = {},
): Promise<Response> =>
  requestTokens(deployment, {
    grant_type: 'refresh_token',
    client_id: request.client_id,
    refresh_token: token,
    ...credentials,
  });

/** Registers a client, and returns the response. */
export const register = (
  { fetch, issuer }: Deployment,
  metadata: unknown,
  headers: Form = { 'content-type': 'application/json' },
): Promise<Response> =>
  fetch(
    new Request(`${issuer}/register`, {
      method: 'POST',
      headers,
      body: typeof metadata === 'string' ? metadata : JSON.stringify(metadata),
    }),
  );
