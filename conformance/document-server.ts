/** Serves documents on loopback: metadata documents of clients, and their keys. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { pipeline } from 'node:stream/promises';

/** Builds the response to a request for a document, from the URL of the document. */
type Respond = (url: string) => Response;

export interface DocumentServer {
  readonly origin: string;
  /** The paths of all requests, in order. */
  readonly requests: readonly string[];
  /** Serves a document from now on, and returns its URL. Any other path gets 404. */
  serve(path: string, respond: Respond): string;
  close(): Promise<void>;
}

/** Starts a server without documents on a free port. */
export const startDocumentServer = async (): Promise<DocumentServer> => {
  const documents = new Map<string, Respond>();
  const requests: string[] = [];
  const server = createServer((incoming, outgoing) => {
    const path = incoming.url ?? '';
    requests.push(path);
    const { status, headers, body } =
      documents.get(path)?.(origin + path) ?? new Response(null, { status: 404 });
    outgoing.writeHead(status, Object.fromEntries(headers));
    if (body === null) outgoing.end();
    // The app closes the connection when it has read enough.
    else pipeline(body, outgoing).catch(() => {});
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The server has no port.');
  const origin = `http://127.0.0.1:${address.port}`;
  return {
    ...{ origin, requests },
    serve(path, respondToRequest) {
      documents.set(path, respondToRequest);
      return origin + path;
    },
    async close() {
      const closed = once(server.close(), 'close');
      server.closeAllConnections();
      await closed;
    },
  };
};

/** Builds the metadata document of a public client with `/callback` on any port of 127.0.0.1 as redirect URI. */
export const buildClientDocument = (
  url: string,
  changes: Readonly<Record<string, unknown>> = {},
): Readonly<Record<string, unknown>> => ({
  client_id: url,
  client_name: 'Demo app with a document',
  redirect_uris: ['http://127.0.0.1/callback'],
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code'],
  token_endpoint_auth_method: 'none',
  ...changes,
});
