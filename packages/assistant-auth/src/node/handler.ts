/**
 * Converts between Node's requests and responses and those of the Fetch API, and handles requests with the
 * broker. Only the scheme of a URL comes from the issuer: the broker itself refuses other hosts.
 */

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import type { Writable } from 'node:stream';
import type { Broker } from '../broker.ts';
import { consoleLog } from '../defaults.ts';
import { createEventLog, logRefusedCall } from '../endpoint/event-log.ts';
import { problemResponse } from '../http/responses.ts';
import { rejectUnknownOptions } from '../oauth/errors.ts';
import type { Log, LogEntry } from '../oauth/log.ts';
import { ProtocolError, requestError } from '../oauth/protocol-error.ts';
import { systemRandom } from '../oauth/secrets.ts';
import { copyHeaders, streamMessage } from './message-stream.ts';

/** A request from `node:http`, Express, Fastify (`request.raw`) or the compatibility API of `node:http2`. */
export type NodeRequest = IncomingMessage | Http2ServerRequest;

/** The response that belongs to a `NodeRequest`. */
export type NodeResponse = ServerResponse | Http2ServerResponse;

/** The options of `toNodeHandler`. */
export interface NodeHandlerOptions {
  /**
   * Returns the IP address that a request came from. Without a proxy in front of the server:
   * `({ socket }) => socket.remoteAddress`. Behind a proxy, the address of the connection is that of the
   * proxy, and all users would share one limit: read the address from a header that only your proxy can set,
   * here or in the option `clientAddress` of `createBroker`. If it returns `undefined`, that option applies.
   * Default: the option `clientAddress` of `createBroker`. Without either, sign-ins are not limited by
   * address.
   */
  clientAddress?(request: NodeRequest): string | undefined;
  /**
   * Receives an error that prevented a response, unless `next` receives it. Default: writes the error to the
   * console.
   */
  onError?(error: unknown): void;
  /**
   * Receives the event `refused` of each request that the handler itself refuses, because it has no valid URL,
   * or because there is no `next`. The broker logs all other events. Default: writes one line of JSON per event
   * to the console.
   */
  log?(event: LogEntry): void;
}

/**
 * Handles one request. The promise is never rejected, except with an error that `next` or `onError` throws.
 * @param request the request; its body must not have been read
 * @param response the response to write
 * @param next continues with the app's other handlers: without an argument if the path is not one of the
 *   broker's, or if the request has no valid URL; with the error if one prevented a response. Default: the
 *   handler sends a 404, 400 or 500 response
 */
export type NodeHandler = (
  request: NodeRequest,
  response: NodeResponse,
  next?: (error?: unknown) => void,
) => Promise<void>;

/**
 * The method, target or `Host` header of a request is not valid, so the request has no URL. Express and
 * Fastify respond with its status.
 */
export class MalformedRequestError extends Error {
  /** The name of the class. */
  override readonly name = 'MalformedRequestError';
  /** The status of the response, as Express reads it. */
  readonly status = 400;
  /** The status of the response, as Fastify reads it. */
  readonly statusCode = 400;
}

/** The broker needed a body that the app had already read. */
class ConsumedBodyError extends Error {
  override readonly name = 'ConsumedBodyError';
}

/**
 * Creates a handler for the broker's endpoints, for Express, Fastify and `node:http`. Mount it at the root and
 * before body parsers, which would consume the forms that the broker reads. Behind a proxy, the proxy must
 * pass on the `Host` header.
 * @param broker the broker
 * @param options where the client's address comes from, and what receives errors
 * @throws ConfigurationError `toNodeHandler.<name>` for an option that does not exist
 * @example
 * ```ts
 * import { createServer } from 'node:http';
 * import { toNodeHandler } from 'assistant-auth/node';
 *
 * // For Express: app.use(toNodeHandler(broker));
 * const handler = toNodeHandler(broker, { clientAddress: ({ socket }) => socket.remoteAddress });
 *
 * createServer((request, response) =>
 *   handler(request, response, (error) => {
 *     if (error === undefined) {
 *       response.writeHead(404).end();
 *     } else {
 *       console.error(error);
 *       response.destroy(); // the headers may already have been sent
 *     }
 *   }),
 * ).listen(3000);
 * ```
 */
export const toNodeHandler = (
  broker: Pick<Broker, 'issuer' | 'handle'>,
  options: NodeHandlerOptions = {},
): NodeHandler => {
  const { clientAddress, onError = logError, log: receiveLog = consoleLog, ...unknown } = options;
  rejectUnknownOptions('toNodeHandler.', unknown);
  const log = createEventLog({ log: receiveLog, waitUntil: noop });
  return async (request, response, next) => {
    try {
      const brokerResponse = await handleRequest(broker, request, response, clientAddress);
      if (brokerResponse !== undefined) return await sendResponse(brokerResponse, response);
    } catch (error) {
      // The broker does not handle a request without a URL, so the app can, for example a health check.
      const isMalformed = error instanceof MalformedRequestError;
      if (next !== undefined && !isMalformed) return next(error);
      if (!isMalformed) onError(error);
      if (next === undefined) return sendError(error, response, log);
    }
    if (next !== undefined) return next();
    return sendError(requestError('request.path'), response, log);
  };
};

/**
 * Converts a Node request for `broker.protect` or the `protect` of a resource server, which read only the
 * method, the URL and the headers. The body is left out, so it does not matter whether it was read.
 * @param request the request
 * @param origin the broker; for an API in another process, the URL of the API. Only the scheme comes from it,
 *   so a proxy must pass on the `Host` header
 * @throws MalformedRequestError if the target does not start with `/`, if there is not exactly one valid
 *   `Host` header, or if the Fetch API does not allow the method
 * @throws TypeError if the URL of the API is not valid
 * @example
 * ```ts
 * import type { IncomingMessage, ServerResponse } from 'node:http';
 * import { sendResponse, toRequest } from 'assistant-auth/node';
 *
 * export const showUser = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
 *   const auth = await broker.protect(toRequest(request, broker), { scopes: ['score'] });
 *   if (!auth.ok) return sendResponse(auth.response, response);
 *   response.setHeader('content-type', 'application/json').end(JSON.stringify({ user: auth.user.id }));
 * };
 * ```
 */
export const toRequest = (request: NodeRequest, origin: Pick<Broker, 'issuer'> | string): Request =>
  createRequest(request, typeof origin === 'string' ? origin : origin.issuer, {});

/**
 * Writes a Fetch API response to a Node response. Headers that were set before stay unless the
 * response has the same header; cookies are added. A HEAD request gets no body. If the client disconnects,
 * the body is canceled and the promise is fulfilled.
 * @param response the response to send. Its body is read
 * @param nodeResponse the response to write to
 * @throws the error of the body, after the connection is closed, or Node's error if headers were already
 *   sent
 * @example
 * ```ts
 * import { createServer } from 'node:http';
 * import { sendResponse } from 'assistant-auth/node';
 *
 * createServer((_request, response) => sendResponse(Response.json({ ok: true }), response)).listen(3000);
 * ```
 */
export const sendResponse = async (response: Response, nodeResponse: NodeResponse): Promise<void> => {
  const { status, headers, body } = response;
  // Without a listener, an error after the client disconnected would end the process.
  nodeResponse.on('error', noop);
  nodeResponse.statusCode = status;
  for (const [name, value] of headers) if (name !== 'set-cookie') nodeResponse.setHeader(name, value);
  for (const cookie of headers.getSetCookie()) nodeResponse.appendHeader('set-cookie', cookie);
  if (body === null) {
    nodeResponse.end();
  } else if (nodeResponse.req.method === 'HEAD') {
    nodeResponse.end();
    await body.cancel();
  } else {
    await writeBody(body, nodeResponse);
  }
};

/**
 * Lets the broker handle a request.
 * @returns its response, or `undefined` if the path is not one of the broker's; then nothing has been read
 *   from the request, and nothing has been written
 * @throws MalformedRequestError as `toRequest`, or an error if the broker needed a body that was already read
 */
const handleRequest = async (
  broker: Pick<Broker, 'issuer' | 'handle'>,
  request: NodeRequest,
  response: NodeResponse,
  clientAddress: NodeHandlerOptions['clientAddress'],
): Promise<Response | undefined> => {
  const controller = new AbortController();
  let consumed: Error | undefined;
  const body = streamMessage(request, {
    onFirstRead() {
      if (!request.readableDidRead && !request.readableEnded) return;
      consumed = new ConsumedBodyError(
        'The request body was already read, probably by a body parser. Mount the broker before body parsers.',
      );
      throw consumed;
    },
    // Node continues to receive the rest, so that the client can read the response (RFC 9112 §9.3).
    onCancel: () => request.resume(),
  });
  const fetchRequest = createRequest(request, broker.issuer, {
    signal: controller.signal,
    ...(hasBody(request) && { body, duplex: 'half' }),
  });
  const abort = (): void => {
    if (!response.writableEnded) controller.abort();
  };
  response.once('close', abort);
  const brokerResponse = await broker.handle(fetchRequest, { clientAddress: clientAddress?.(request) });
  // The broker responded as if the client had disconnected, which would hide the mistake in the app.
  if (consumed !== undefined) throw consumed;
  if (brokerResponse === undefined) response.off('close', abort);
  return brokerResponse;
};

/** The URL is built by concatenation, so the host must not contain a character that ends a host. */
const hostPattern = /^(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::[0-9]*)?$/i;

/** @throws MalformedRequestError as `toRequest` */
const createRequest = (request: NodeRequest, issuer: string, init: RequestInit): Request => {
  const { method = 'GET', rawHeaders } = request;
  const { protocol } = new URL(issuer);
  const target = readTarget(request);
  const [host = '', ...otherHosts] = readHosts(request);
  if (!target.startsWith('/')) throw new MalformedRequestError('The request target must start with a slash.');
  if (!hostPattern.test(host) || otherHosts.length > 0)
    throw new MalformedRequestError('The request must have one valid Host header.');
  try {
    return new Request(`${protocol}//${host}${target}`, {
      ...{ method, headers: copyHeaders(rawHeaders) },
      ...init,
    });
  } catch (cause) {
    throw new MalformedRequestError('The method or the URL of the request is not allowed.', { cause });
  }
};

/** Returns the path and the query. Express removes the path of a router from `url`. */
const readTarget = (request: NodeRequest): string =>
  'originalUrl' in request && typeof request.originalUrl === 'string'
    ? request.originalUrl
    : (request.url ?? '');

/** Returns the hosts that a request names. In HTTP/2, `:authority` can repeat `Host` (RFC 9113 §8.3.1). */
const readHosts = ({ rawHeaders, httpVersionMajor }: NodeRequest): readonly string[] => {
  const isHost = (name = ''): boolean => /^(?:host|:authority)$/i.test(name);
  const hosts = rawHeaders.filter((_, index) => index % 2 === 1 && isHost(rawHeaders[index - 1]));
  return httpVersionMajor >= 2 ? [...new Set(hosts)] : hosts;
};

/** Returns whether a request has a body (RFC 9112 §6.3). In HTTP/2, it can have one without any header. */
const hasBody = ({ method, headers, httpVersionMajor }: NodeRequest): boolean => {
  if (method === 'GET' || method === 'HEAD') return false;
  const length = headers['content-length'];
  return (
    headers['transfer-encoding'] !== undefined ||
    (length === undefined ? httpVersionMajor >= 2 : Number(length) > 0)
  );
};

/** Writes a body as fast as the client reads it, and ends the response. */
const writeBody = async (body: ReadableStream<Uint8Array>, nodeResponse: Writable): Promise<void> => {
  const reader = body.getReader();
  const closed = new Promise<void>((resolve) => nodeResponse.once('close', resolve));
  // If the client disconnects, a read that waits for data ends.
  void closed.then(() => reader.cancel()).catch(noop);
  if (isClosed(nodeResponse)) return reader.cancel();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (isClosed(nodeResponse)) return;
      if (done) break;
      if (nodeResponse.write(value)) continue;
      const drained = new Promise<void>((resolve) => nodeResponse.once('drain', resolve));
      await Promise.race([drained, closed]);
    }
    nodeResponse.end();
  } catch (error) {
    // The client must not mistake a part of the body for all of it.
    nodeResponse.destroy();
    throw error;
  }
};

/** Returns whether the client disconnected. A response of HTTP/2 has no `destroyed`, but its stream does. */
const isClosed = (nodeResponse: Writable): boolean => {
  const { destroyed, stream } = Object(nodeResponse);
  return destroyed === true || stream?.destroyed === true || stream?.closed === true;
};

/** Sends a response without details, unless another response has already started, which the broker logged. */
const sendError = async (error: unknown, nodeResponse: NodeResponse, log: Log): Promise<void> => {
  if (nodeResponse.headersSent) return;
  const protocolError = toProtocolError(error);
  // The broker has refused that request because its body could not be read.
  if (!(error instanceof ConsumedBodyError))
    logRefusedCall(protocolError, 'node', { log, randomBytes: systemRandom });
  await sendResponse(problemResponse(protocolError), nodeResponse);
};

const toProtocolError = (error: unknown): ProtocolError => {
  if (error instanceof ProtocolError) return error;
  if (!(error instanceof MalformedRequestError)) return requestError('unexpected', { cause: error });
  // Without its causes: the message of a `TypeError` has the URL, which can contain the code of a provider.
  return new ProtocolError('request.malformed', ['invalid_request', error.message], { cause: String(error) });
};

const logError = (error: unknown): void => console.error(error);

const noop = (): void => {};
