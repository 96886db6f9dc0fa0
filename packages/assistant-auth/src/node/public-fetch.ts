/**
 * A `fetch` for untrusted URLs, such as client IDs that are URLs: it must not reach the server's own network
 * (server-side request forgery). It resolves the host name once, and connects to exactly the
 * addresses that were checked, so a second DNS response cannot change them.
 */

import { Resolver } from 'node:dns/promises';
import type { IncomingMessage } from 'node:http';
import { request as sendHttps } from 'node:https';
import { isIP } from 'node:net';
import { raceAbort } from '../http/body.ts';
import { copyHeaders, streamMessage } from './message-stream.ts';
import { isPublicAddress } from './public-address.ts';

/** How a `fetch` finds and checks addresses. */
interface AddressPolicy {
  /** Returns all IP addresses of a host name. Stops if the signal is aborted. */
  resolve(hostname: string, signal: AbortSignal | undefined): Promise<readonly string[]>;
  /** Returns whether a request can be sent to an address. */
  isAllowed(address: string): boolean;
}

/** A request that can be sent to several addresses in turn. */
interface OutgoingRequest {
  readonly url: URL;
  readonly method: string;
  readonly headers: Headers;
  readonly body: Uint8Array | undefined;
  readonly signal: AbortSignal | undefined;
}

/** Creates a `fetch` that sends a request only if all addresses of the host are allowed. */
export const createFetch =
  ({ resolve, isAllowed }: AddressPolicy): typeof fetch =>
  async (...[input, init]: Parameters<typeof fetch>) => {
    const request = new Request(input, init);
    // Not the signal of `request`, which stops following this one if `request` is garbage collected.
    const signal = init?.signal ?? (input instanceof Request ? input.signal : undefined);
    try {
      const url = parseUrl(request.url);
      const addresses = await raceAbort(findAddresses(url, resolve, signal), signal);
      if (addresses.length === 0 || !addresses.every(isAllowed))
        throw new Error('The host must have only public IP addresses.');
      const body = request.body === null ? undefined : new Uint8Array(await request.arrayBuffer());
      const { method } = request;
      const headers = buildHeaders(request.headers, url);
      const message = await sendToOne(addresses, { url, method, headers, body, signal });
      return createResponse(message, request, signal);
    } catch (cause) {
      signal?.throwIfAborted();
      throw new TypeError('fetch failed', { cause });
    }
  };

/**
 * Sends a request like `fetch`, but only to public IP addresses. Use it for URLs from untrusted sources, such
 * as client ID metadata documents. The URL must use https. The host name is resolved once, with DNS and not with
 * `/etc/hosts`. The request fails if any of its addresses is private, loopback, link-local or otherwise not
 * globally reachable, and it is sent only to an address that was checked.
 *
 * Unlike `fetch`, it never follows a redirect: a redirect is an error unless `redirect` is `manual`. The body
 * is not decompressed. The response has no `url`. Proxies, caches and cookies are not used. There is no
 * timeout: pass a `signal`.
 * @throws TypeError as `fetch` does, with the reason as `cause`; or the reason of the signal if it was aborted
 * @example
 * ```ts
 * import { publicFetch } from 'assistant-auth/node';
 *
 * export const readDocument = async (url: string): Promise<unknown> => {
 *   const response = await publicFetch(url, { signal: AbortSignal.timeout(5000) });
 *   return response.json();
 * };
 * ```
 */
export const publicFetch: typeof fetch = createFetch({
  resolve: (hostname, signal) => resolveHost(hostname, signal),
  isAllowed: isPublicAddress,
});

/**
 * Sends DNS queries. `dns.lookup` would occupy a thread until the DNS server responds, even if the request was
 * aborted, so a few names whose server never responds would block every other lookup of the process.
 */
export const resolveHost = async (
  hostname: string,
  signal: AbortSignal | undefined,
  resolver = new Resolver({ timeout: 3000, tries: 2 }),
): Promise<readonly string[]> => {
  // DNS does not have these names (RFC 6761 §6.3).
  if (/(?:^|\.)localhost$/i.test(hostname)) return [];
  const cancel = (): void => resolver.cancel();
  signal?.addEventListener('abort', cancel, { once: true });
  try {
    // Most servers can reach IPv4 addresses, and others fail at once. An IPv6 address can be unreachable
    // without an error.
    const results = await Promise.allSettled([resolver.resolve4(hostname), resolver.resolve6(hostname)]);
    const addresses = results.flatMap((result) => (result.status === 'fulfilled' ? result.value : []));
    const failure = results.find((result) => result.status === 'rejected');
    if (addresses.length === 0 && failure !== undefined) throw failure.reason;
    return addresses;
  } finally {
    signal?.removeEventListener('abort', cancel);
  }
};

const parseUrl = (text: string): URL => {
  const url = new URL(text);
  if (url.protocol !== 'https:') throw new Error('The URL must use https.');
  if (url.username !== '' || url.password !== '') throw new Error('The URL must not contain credentials.');
  return url;
};

/** Returns the host without the brackets of an IPv6 address, or the dot at the end of a domain name. */
const readHostname = ({ hostname }: URL): string => hostname.replace(/^\[|[\].]$/g, '');

/** Finds the addresses of a host. The URL parser has already converted `0x7f.1` and `2130706433`. */
const findAddresses = async (
  url: URL,
  resolve: AddressPolicy['resolve'],
  signal: AbortSignal | undefined,
): Promise<readonly string[]> => {
  const hostname = readHostname(url);
  return isIP(hostname) === 0 ? resolve(hostname, signal) : [hostname];
};

/** Headers about the connection, which Node manages. */
const connectionHeaders = ['connection', 'content-length', 'expect', 'transfer-encoding', 'upgrade'];

const buildHeaders = (given: Headers, { host }: URL): Headers => {
  const headers = new Headers({ accept: '*/*', 'user-agent': 'assistant-auth' });
  for (const [name, value] of given) if (!connectionHeaders.includes(name)) headers.set(name, value);
  headers.set('host', host);
  // A small compressed body could become a huge one.
  headers.set('accept-encoding', 'identity');
  return headers;
};

/** A DNS response with many addresses must not cause as many connections. */
const maxAddresses = 4;

/** Sends the request to the first address that accepts a connection. */
const sendToOne = async (
  addresses: readonly string[],
  request: OutgoingRequest,
): Promise<IncomingMessage> => {
  let failure: unknown;
  for (const address of addresses.slice(0, maxAddresses)) {
    try {
      return await sendTo(address, request);
    } catch (error) {
      // After the connection is established, the request may have been processed.
      if (!isConnectError(error)) throw error;
      failure = error;
    }
  }
  throw failure;
};

const isConnectError = (error: unknown): boolean =>
  error instanceof Error && 'syscall' in error && error.syscall === 'connect';

const sendTo = (
  address: string,
  { url, method, headers, body, signal }: OutgoingRequest,
): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    const hostname = readHostname(url);
    const request = sendHttps(
      {
        ...{ host: address, port: url.port || 443, path: url.pathname + url.search, method },
        headers: Object.fromEntries(headers),
        // The certificate must be for the name in the URL.
        ...(isIP(hostname) === 0 && { servername: hostname }),
        // A connection is never shared: another one could have been opened without these checks.
        agent: false,
        ...(signal && { signal }),
      },
      resolve,
    );
    request.on('error', reject);
    request.on('close', () => reject(new Error('The connection was closed before a response.')));
    request.end(body);
  });

const redirectStatuses = [301, 302, 303, 307, 308];
const nullBodyStatuses = [204, 205, 304];

const createResponse = (
  message: IncomingMessage,
  { method, redirect }: Pick<Request, 'method' | 'redirect'>,
  signal: AbortSignal | undefined,
): Response => {
  const { statusCode: status = 0, statusMessage: statusText = '', rawHeaders } = message;
  try {
    if (redirectStatuses.includes(status) && redirect !== 'manual')
      throw new Error('The response is a redirect, which is not followed.');
    const hasBody = method !== 'HEAD' && !nullBodyStatuses.includes(status);
    const mapError = (error: unknown): unknown =>
      signal?.aborted ? signal.reason : new TypeError('terminated', { cause: error });
    const body = streamMessage(message, { onCancel: () => message.destroy(), mapError });
    if (!hasBody) message.resume();
    return new Response(hasBody ? body : null, { status, statusText, headers: copyHeaders(rawHeaders) });
  } catch (error) {
    message.destroy();
    throw error;
  }
};
