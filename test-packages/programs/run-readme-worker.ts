/** Starts the MCP server of README.md in workerd, signs a user in as an MCP client does, and prints the outcome. */
import process from 'node:process';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { createEmulatedClient } from 'assistant-auth/testing';
import { startLocalWorker } from './local-worker.ts';

const [config = '', persist = '', ...buttons] = process.argv.slice(2);
const issuer = 'https://api.example';
const url = `${issuer}/mcp`;
const redirectUri = 'http://127.0.0.1/callback';
const { send, stop } = await startLocalWorker({ config, persist, issuer });

/** Registers a client, and signs a user in with it. */
const signIn = async (): Promise<string> => {
  const registration = await send(
    new Request(`${issuer}/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ redirect_uris: [redirectUri], token_endpoint_auth_method: 'none' }),
    }),
  );
  const { client_id: clientId }: { readonly client_id: string } = JSON.parse(await registration.text());
  const client = createEmulatedClient({
    ...{ issuer, clientId, redirectUri, resource: url, scope: 'account', fetch: send },
  });
  return (await client.signIn(buttons)).accessToken;
};

const callTool = async (accessToken: string): Promise<unknown> => {
  const client = new Client({ name: 'program', version: '1.0.0' });
  await client.connect(
    new StreamableHTTPClientTransport(new URL(url), {
      fetch: (input, init) => send(new Request(input, init)),
      requestInit: { headers: { authorization: `Bearer ${accessToken}` } },
    }),
  );
  const { structuredContent } = await client.callTool({ name: 'who_am_i' });
  return structuredContent;
};

const unauthenticated = await send(new Request(url, { method: 'POST' }));
const unknownPath = await send(new Request(`${issuer}/other`));
const result = await signIn().then(callTool, (error: unknown) => String(error));
console.log(
  JSON.stringify({
    unauthenticated: [unauthenticated.status, unauthenticated.headers.get('www-authenticate')],
    unknownPath: unknownPath.status,
    result,
  }),
);
await stop();
