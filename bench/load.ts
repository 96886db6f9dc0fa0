/** Sends a fixed number of requests over a few kept-alive connections, and checks every response. */
import { Agent, request } from 'node:http';

const connections = 16;

type Headers = Readonly<Record<string, string>>;

/** A request that can be sent repeatedly. */
export interface RequestSpec {
  readonly url: URL;
  /** The headers. Of several, requests take the next one in turn. */
  readonly headers?: Headers | readonly Headers[];
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

/** How many requests were sent for each specification. */
const sentCounts = new WeakMap<RequestSpec, number>();

const takeHeaders = (requestSpec: RequestSpec): Headers => {
  const { headers = {} } = requestSpec;
  if (!isList(headers)) return headers;
  const sent = sentCounts.get(requestSpec) ?? 0;
  sentCounts.set(requestSpec, sent + 1);
  return headers[sent % headers.length] ?? {};
};

const isList = (headers: Headers | readonly Headers[]): headers is readonly Headers[] =>
  Array.isArray(headers);

const sendRequest = (requestSpec: RequestSpec, agent: Agent): Promise<void> =>
  new Promise((resolve, reject) => {
    const { url, body } = requestSpec;
    const headers = takeHeaders(requestSpec);
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
