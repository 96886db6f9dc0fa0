/**
 * Runs a client's callback on 127.0.0.1, with a path like ChatGPT's. It shows a page, or redirects the
 * browser.
 */
import { createServer } from 'node:http';
import { findFreePort } from '@words-with-chat/lab';

export interface ClientCallback {
  readonly redirectUri: string;
  /** The query of every request that it received. */
  readonly received: readonly URLSearchParams[];
  close(): void;
}

/**
 * Starts the callback.
 * @param behavior `show-page` to show a page, or `redirect-first` to redirect to a page on another host first
 * (localhost)
 */
export const startClientCallback = async (
  behavior: 'show-page' | 'redirect-first',
): Promise<ClientCallback> => {
  const port = await findFreePort();
  const path = '/aip/g-0123456789abcdef0123456789abcdef/oauth/callback';
  const received: URLSearchParams[] = [];
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', `http://127.0.0.1:${port}`);
    const isCallback = url.pathname === path;
    if (isCallback) received.push(url.searchParams);
    if (isCallback && behavior === 'redirect-first') {
      response.writeHead(302, { location: `http://localhost:${port}/signed-in` }).end();
    } else {
      response.setHeader('content-type', 'text/html').end(page);
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, '127.0.0.1', resolve);
  });
  const close = (): void => {
    server.close();
    server.closeAllConnections();
  };
  return { redirectUri: `http://127.0.0.1:${port}${path}`, received, close };
};

const page =
  '<!doctype html><html lang="en"><title>Signed in</title><link rel="icon" href="data:,"><h1>Back in the chat</h1>';
