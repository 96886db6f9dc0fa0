/**
 * Sends requests to providers: follows no redirects, limits time and response size, and checks the URLs that
 * an issuer names.
 */
import { readLimitedText } from '../http/body.ts';
import { isLoopback } from '../oauth/resource.ts';
import { ProviderError, type ProviderIo } from './provider.ts';

/** A request with `GET`, or with `POST` if it has a form. */
export interface ProviderRequest {
  /** Replaces default headers of the same name. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly form?: Readonly<Record<string, string>>;
}

/** A response that was read completely. */
export type ProviderResponse = Pick<Response, 'ok' | 'status' | 'headers' | 'json'>;

/** GitHub requires a user agent, and Workers send none by default. */
const defaultHeaders = { accept: 'application/json', 'user-agent': 'assistant-auth' };

const maxResponseBytes = 262_144; // bytes, after decompression

/**
 * Sends a request and reads the whole response. Error reasons name only the host, because a URL or a body can
 * contain a secret.
 * @throws ProviderError `unavailable` if there is no complete response in time, or one with status 429 or
 *   5xx, or with 403 because of a rate limit; `invalid` for a redirect or another unexpected status, and for
 *   more than 256 KiB
 */
export const fetchFromProvider = async (
  url: string,
  { headers, form }: ProviderRequest,
  // Destructured, because `fetch` on Workers fails if it is called as a method of another object.
  { fetch, timeoutMs }: ProviderIo,
): Promise<ProviderResponse> => {
  const { host } = new URL(url);
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    const response = await fetch(url, {
      headers: { ...defaultHeaders, ...headers },
      ...(form && { method: 'POST', body: new URLSearchParams(form) }),
      redirect: 'manual',
      signal,
    });
    await refuseStatus(response, host);
    // Invalid UTF-8 is replaced, as `Response.json` does.
    const text = await readLimitedText(response.body, maxResponseBytes, new TextDecoder());
    if (text === undefined)
      throw new ProviderError('invalid', `${host} sent more than ${maxResponseBytes} bytes`);
    const { ok, status, headers: responseHeaders } = response;
    return { ok, status, headers: responseHeaders, json: async () => JSON.parse(text) };
  } catch (error) {
    if (error instanceof ProviderError) throw error;
    const problem = isTimeout(error) ? 'took too long' : describeNetworkError(error);
    throw new ProviderError('unavailable', `${host} ${problem}`);
  }
};

/**
 * Describes an error of `fetch` with its code, such as `ECONNREFUSED` or `SELF_SIGNED_CERT_IN_CHAIN`, but not
 * with its messages, which can contain the URL. On Node, the cause has the code, on Bun the error itself.
 */
const describeNetworkError = (error: unknown): string => {
  const { code } = Object(Object(error).cause ?? error);
  return typeof code === 'string' ? `could not be reached: ${code}` : 'could not be reached';
};

const refuseStatus = async ({ status, headers, body }: Response, host: string): Promise<void> => {
  const isUnavailable = status >= 500 || status === 429 || (status === 403 && isRateLimited(headers));
  if (!isUnavailable && (status === 200 || (status >= 400 && status < 500))) return;
  await body?.cancel();
  throw new ProviderError(
    isUnavailable ? 'unavailable' : 'invalid',
    `${host} responded with status ${status}`,
  );
};

/**
 * GitHub sends 403 or 429 with one of these headers if there were too many requests:
 * https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
 */
const isRateLimited = (headers: Headers): boolean =>
  headers.has('retry-after') || headers.get('x-ratelimit-remaining') === '0';

const isTimeout = (error: unknown): boolean => error instanceof Error && error.name === 'TimeoutError';

/**
 * Checks a URL that an issuer names in its metadata: https, or http on loopback if the metadata is on
 * loopback itself. The publisher trusts the issuer to name hosts, but not IP addresses, which can be in the
 * publisher's own network (server-side request forgery): an IP address or localhost is allowed only if it is
 * the host of the metadata, or on loopback like the metadata.
 * @param metadata where the metadata was read
 * @throws ProviderError `invalid` for any other URL, and for one with user, password or fragment
 */
export const parseEndpoint = (name: string, value: unknown, metadata: URL, io: ProviderIo): string => {
  const url = typeof value === 'string' ? URL.parse(value) : null;
  const isHttpAllowed = io.allowLoopbackHttp && isLoopback(metadata);
  if (url !== null && url.username + url.password + url.hash === '') {
    const isPublic = url.protocol === 'https:' && (url.host === metadata.host || isHostname(url.hostname));
    if (isPublic || (isHttpAllowed && isLoopback(url))) return url.href;
  }
  throw new ProviderError('invalid', `the ${name} of ${metadata.host} is not an allowed URL`);
};

/** Returns whether it is neither an IP address, which `URL` always normalizes, nor localhost. */
const isHostname = (hostname: string): boolean =>
  !/^(\[.*\]|\d+(\.\d+){3}|(.*\.)?localhost\.?)$/.test(hostname);
