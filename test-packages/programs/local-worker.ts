/** Starts a Worker in workerd, as if it were deployed at a public origin. */
import { unstable_startWorker as startWorker } from 'wrangler';

export interface LocalWorker {
  /** Sends a request to the Worker. Follows no redirects. */
  readonly send: (request: Request) => Promise<Response>;
  readonly stop: () => Promise<void>;
}

export interface LocalWorkerOptions {
  /** The path of the Wrangler configuration. */
  readonly config: string;
  /** The folder of the local database. */
  readonly persist: string;
  /** The origin that the Worker sees. */
  readonly issuer: string;
}

export const startLocalWorker = async ({
  config,
  persist,
  issuer,
}: LocalWorkerOptions): Promise<LocalWorker> => {
  const worker = await startWorker({
    config,
    dev: {
      ...{ inspector: false, persist, logLevel: 'error' },
      server: { hostname: '127.0.0.1', port: 0 },
      origin: { hostname: new URL(issuer).hostname, secure: true },
    },
  });
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
  return { send, stop: () => worker.dispose() };
};
