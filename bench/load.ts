/** Sends a fixed number of requests over a few kept-alive connections, and checks every response. */
import { Agent, request } from 'node:http';

const connections = 16;

/** A request that can be sent repeatedly. */
export interface RequestSpec {
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  /** If present, the request is a POST: form fields, or JSON. */
  readonly body?: URLSearchParams | string;
}

/**
 * Sends the request `count` times.
 * @throws Error if a response is not 200 with a body
 */
export const load = async (requestSpec: RequestSpec, count: number): Promise<void> => {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  let remaining = count;
  const runWorkerLoop = async (): Promise<void> => {
    while (remaining-- > 0) await sendRequest(requestSpec, agent);
  };
  await Promise.all(Array.from({ length: connections }, runWorkerLoop));
  agent.destroy();
};

const sendRequest = ({ url, headers = {}, body }: RequestSpec, agent: Agent): Promise<void> =>
  new Promise((resolve, reject) => {
    const contentType = typeof body === 'string' ? 'application/json' : 'application/x-www-form-urlencoded';
    const bodyHeaders = body === undefined ? {} : { 'content-type': contentType };
    const method = body === undefined ? 'GET' : 'POST';
    const clientRequest = request(
      url,
      { agent, method, headers: { ...headers, ...bodyHeaders } },
      (response) => {
        let length = 0;
        response.on('data', (chunk: Buffer) => {
          length += chunk.length;
        });
        response.on('end', () => {
          if (response.statusCode === 200 && length > 0) resolve();
          else reject(new Error(`${url.pathname} responded with status ${response.statusCode}`));
        });
      },
    );
    clientRequest.on('error', reject);
    clientRequest.end(body?.toString());
  });
