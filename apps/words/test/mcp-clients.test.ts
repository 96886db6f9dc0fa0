/**
 * Tests MCP clients that are not in the configuration, from the metadata of the server to a call of a tool.
 */
import { env } from 'cloudflare:workers';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { emptyD1 } from '../../../packages/assistant-auth/test/storage/d1/empty-d1.ts';
import { buildCall } from '../../../packages/assistant-operations/test/mcp-library.ts';
import { readMcpClients } from '../src/config/clients.ts';
import { type Deployment, deploy, origin } from './deployment.ts';
import { type Requester, registerClient, signInToMcp, signInWithPkce } from './flows.ts';

beforeAll(emptyD1);

const documentUrl = 'https://client.example/oauth/client.json';
const documentClient: Requester = {
  client_id: documentUrl,
  redirect_uri: 'https://client.example/callback',
};

/** Serves the document of one client. */
const fetchDocument: typeof fetch = async (...[input, init]: Parameters<typeof fetch>) =>
  new Request(input, init).url === documentUrl
    ? Response.json({
        client_id: documentUrl,
        client_name: 'Example Client',
        redirect_uris: [documentClient.redirect_uri],
        token_endpoint_auth_method: 'none',
      })
    : new Response(null, { status: 404 });

const deployWith = (variables: Readonly<Record<string, string>>): Deployment =>
  deploy(env.DB, { fetch: fetchDocument }, { clients: readMcpClients(variables) });

/** The members that the server metadata has only if it accepts such clients. */
interface Metadata {
  readonly client_id_metadata_document_supported?: boolean;
  readonly registration_endpoint?: string;
}

const readMetadata = async ({ call }: Deployment): Promise<Metadata> =>
  (await call('/.well-known/oauth-authorization-server')).json();

const openSignInPage = ({ call }: Deployment, client: Requester): Promise<Response> =>
  call(
    `/authorize?${new URLSearchParams({
      ...client,
      response_type: 'code',
      code_challenge: 'c'.repeat(43),
      code_challenge_method: 'S256',
    })}`,
  );

const addPoint = async ({ call }: Deployment, token: string): Promise<unknown> => {
  const message = buildCall('2026-07-28', 'post_score');
  const response = await call('/mcp', { ...message, headers: new Headers(message.headers), token });
  return response.json();
};

describe('with MCP_CLIENTS', () => {
  it.each([
    [{}, true, true],
    [{ MCP_CLIENTS: 'all' }, true, true],
    [{ MCP_CLIENTS: 'metadata-documents' }, true, false],
    [{ MCP_CLIENTS: ' registration ' }, false, true],
    [{ MCP_CLIENTS: 'none' }, false, false],
  ])('%j: the metadata says what the server accepts', async (variables, hasDocuments, canRegister) => {
    const deployment = deployWith(variables);
    const metadata = await readMetadata(deployment);
    expect(metadata.client_id_metadata_document_supported).toBe(hasDocuments ? true : undefined);
    expect(metadata.registration_endpoint).toBe(canRegister ? `${origin}/register` : undefined);
    expect((await openSignInPage(deployment, documentClient)).status).toBe(hasDocuments ? 200 : 400);
    const registering = registerClient(deployment.call);
    if (canRegister) expect((await openSignInPage(deployment, await registering)).status).toBe(200);
    else await expect(registering).rejects.toThrow('not registered: 404');
  });
});

describe('a client that is not in the configuration', () => {
  it.each([
    ['that registered itself', registerClient, '127.0.0.1'],
    ['that has a metadata document', async () => documentClient, 'client.example'],
  ])('%s can use every tool, and the page names the host that it returns to', async (name, create, host) => {
    const deployment = deployWith({});
    const client = await create(deployment.call);
    const page = await (await openSignInPage(deployment, client)).text();
    expect(page).toContain(host);
    for (const description of ['read the word lists', 'play rounds, see and increase your score'])
      expect(page).toContain(description);
    const token = await signInToMcp(deployment.call, name, 'words score', `${origin}/mcp`, client);
    expect(await addPoint(deployment, token)).toMatchObject({ result: { structuredContent: { score: 1 } } });
  });

  it.each([
    ['that registered itself', registerClient],
    ['that has a metadata document', async () => documentClient],
  ])('%s cannot refresh its tokens when it is no longer accepted', async (_, create) => {
    const { call } = deployWith({});
    const { client_id, redirect_uri } = await create(call);
    const { refresh_token } = await signInWithPkce(call, 'leaving', {
      ...{ client_id, redirect_uri, resource: `${origin}/mcp`, scope: 'words offline_access' },
    });
    const body = new URLSearchParams({ grant_type: 'refresh_token', client_id, refresh_token });
    const response = await deployWith({ MCP_CLIENTS: 'none' }).call('/token', { method: 'POST', body });
    expect([response.status, await response.json()]).toEqual([
      401,
      { error: 'invalid_client', error_description: 'The client could not be authenticated.' },
    ]);
  });

  it('cannot register a redirect URI on a host that is not on the list', async () => {
    const { call } = deployWith({});
    const response = await call('/register', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ redirect_uris: ['https://evil.example/callback'] }),
    });
    expect([response.status, await response.json()]).toEqual([
      400,
      {
        error: 'invalid_redirect_uri',
        error_description:
          'The redirect_uris must be https URIs that this server allows, or http on loopback.',
      },
    ]);
  });
});

describe('a deployment without the compatibility flag', () => {
  // All test files share one isolate, and the next one may start a deployment before its first test.
  afterEach(() => vi.unstubAllGlobals());

  it('does not start, and says which flag is missing', () => {
    vi.stubGlobal('Cloudflare', { compatibilityFlags: {} });
    expect(() => deployWith({})).toThrow(
      /^mcpClients requires the compatibility flag global_fetch_strictly_public, [^.]*\. Add the flag to compatibility_flags in the Wrangler file\.$/,
    );
    expect(() => deployWith({ MCP_CLIENTS: 'registration' })).not.toThrow();
  });
});
