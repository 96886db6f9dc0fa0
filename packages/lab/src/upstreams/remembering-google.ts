/**
 * The Google stand-in as one meets it while signed in there already: with the cookie `signed-in=<e-mail>` on its host the
 * authorization request is answered with a redirect at once, without a page between. Everything else is passed through.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { readForms } from '../browser/forms.ts';
import { startGoogle } from './emulated.ts';
import { freePort } from './free-port.ts';
import { issuerOf, type StartUpstream } from './upstream.ts';

export const startRememberingGoogle: StartUpstream = async (options) => {
  const hiddenPort = await freePort();
  const issuer = issuerOf(options);
  const front = createServer((incoming, outgoing) => {
    answer(`http://127.0.0.1:${hiddenPort}`, incoming)
      .then((response) => write(response, outgoing))
      .catch((error: unknown) => outgoing.writeHead(502).end(String(error)));
  });
  await new Promise<void>((resolve, reject) => {
    front.once('error', reject).listen(options.port, '127.0.0.1', resolve);
  });
  const google = await startGoogle({ ...options, port: hiddenPort, issuer });
  const close = async (): Promise<void> => {
    front.close();
    front.closeAllConnections();
    await google.close();
  };
  return { issuer, close };
};

const answer = async (hidden: string, incoming: IncomingMessage): Promise<Response> => {
  const path = incoming.url ?? '/';
  const method = incoming.method ?? 'GET';
  const email = /(?:^|;\s*)signed-in=([^;]+)/.exec(incoming.headers.cookie ?? '')?.[1];
  const response = await fetch(hidden + path, {
    method,
    redirect: 'manual',
    headers: passedOn(incoming),
    ...(method === 'GET' || method === 'HEAD' ? {} : { body: new Uint8Array(await buffer(incoming)) }),
  });
  const isChoice = path.startsWith('/o/oauth2/v2/auth?') && response.ok;
  return isChoice && email !== undefined ? choose(hidden, await response.text(), email) : response;
};

/** Presses the person's own button in her place. */
const choose = async (hidden: string, html: string, email: string): Promise<Response> => {
  const form = readForms(html).find(({ fields }) => fields.some(([, value]) => value === email));
  if (form === undefined) return new Response(`Nobody here is called ${email}`, { status: 400 });
  const body = new URLSearchParams(form.fields.map(([name, value]) => [name, value]));
  return fetch(hidden + form.action, { method: 'POST', redirect: 'manual', body });
};

const passedOn = ({ headers }: IncomingMessage): Readonly<Record<string, string>> =>
  Object.fromEntries(
    ['accept', 'authorization', 'content-type'].flatMap((name) => {
      const value = headers[name];
      return typeof value === 'string' ? [[name, value]] : [];
    }),
  );

const write = async (response: Response, outgoing: ServerResponse): Promise<void> => {
  const body = new Uint8Array(await response.arrayBuffer());
  const kept = [...response.headers].filter(([name]) =>
    ['content-type', 'location', 'cache-control'].includes(name),
  );
  outgoing.writeHead(response.status, Object.fromEntries(kept)).end(body);
};
