/** Signs a user in, and calls the MCP server that `npm run dev` started. It knows only the URL. */
import { Client, StreamableHTTPClientTransport, UnauthorizedError } from '@modelcontextprotocol/client';
import { clickButtons, createBrowser } from 'assistant-auth/testing';

const url = new URL(`http://localhost:${process.env.PORT || 8787}/mcp`);
const redirectUrl = 'http://127.0.0.1:33333/callback';

/** What the client remembers. The MCP SDK reads and changes it with `authProvider`. */
const stored = {};

const authProvider = {
  redirectUrl,
  clientMetadata: {
    client_name: 'My MCP client',
    redirect_uris: [redirectUrl],
    token_endpoint_auth_method: 'none',
  },
  clientInformation: () => stored.client,
  saveClientInformation: (client) => Object.assign(stored, { client }),
  tokens: () => stored.tokens,
  saveTokens: (tokens) => Object.assign(stored, { tokens }),
  codeVerifier: () => stored.codeVerifier,
  saveCodeVerifier: (codeVerifier) => Object.assign(stored, { codeVerifier }),
  discoveryState: () => stored.discovery,
  saveDiscoveryState: (discovery) => Object.assign(stored, { discovery }),
  // Opens the sign-in page, and clicks these buttons. The browser stops at the redirect URL.
  redirectToAuthorization: async (signInUrl) => {
    const browser = createBrowser({ shouldStopAt: ({ href }) => href.startsWith(redirectUrl) });
    stored.callback = await clickButtons(browser, signInUrl, ['Sign in with Acme', 'Ada Marlow']);
  },
};

const createTransport = () => new StreamableHTTPClientTransport(url, { authProvider });
const createClient = () => new Client({ name: 'my-mcp-client', version: '1.0.0' });

// The server responds with 401. The SDK then reads the metadata, registers the client, and signs the user in.
const transport = createTransport();
await createClient()
  .connect(transport)
  .catch((error) => {
    if (!(error instanceof UnauthorizedError)) throw error;
  });
await transport.finishAuth(stored.callback.searchParams);

const client = createClient();
await client.connect(createTransport());
const { tools } = await client.listTools();
console.log(`Tools: ${tools.map(({ name }) => name).join(', ')}`);
const me = await client.callTool({ name: 'who_am_i' });
console.log(`who_am_i: ${JSON.stringify(me.structuredContent)}`);
const roll = await client.callTool({ name: 'roll_die', arguments: { sides: 6 } });
console.log(`roll_die: ${JSON.stringify(roll.structuredContent)}`);
await client.close();
