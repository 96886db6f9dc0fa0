/** Starts the Worker in workerd, runs the flow against it, and prints the outcome. */
import process from 'node:process';
import { unstable_startWorker as startWorker } from 'wrangler';
import { runFlow } from './flow.ts';

const [persist = ''] = process.argv.slice(2);
const issuer = 'https://words.example';
const worker = await startWorker({
  config: 'programs/wrangler.json',
  dev: {
    ...{ inspector: false, persist, logLevel: 'error' },
    server: { hostname: '127.0.0.1', port: 0 },
    // The URL that the Worker sees.
    origin: { hostname: new URL(issuer).hostname, secure: true },
  },
});

/** Sends a request of the client to the Worker. */
const send = async (request: Request): Promise<Response> => {
  const { url, method, headers } = request;
  const body = method === 'GET' ? undefined : await request.text();
  const response = await worker.fetch(url, {
    ...{ method, headers: [...headers], redirect: 'manual' },
    ...(body !== undefined && { body }),
  });
  const { status } = response;
  return new Response(status === 204 ? null : await response.arrayBuffer(), {
    status,
    headers: [...response.headers],
  });
};

const outcome = await runFlow({
  issuer,
  fetch: send,
  advance: async (seconds) => {
    await send(new Request(`${issuer}/advance?seconds=${seconds}`));
  },
});
console.log(JSON.stringify(outcome));
await worker.dispose();
