/** One request to a provider: no redirect followed, no long wait, no endless answer. */
import { allowInsecureRequests, customFetch } from 'oauth4webapi';
import { isLoopback } from '../oauth/resource.ts';
import { ProviderError, type ProviderIo } from './provider.ts';

export interface ProviderRequest {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: URLSearchParams | undefined;
}

const maxResponseBytes = 262_144; // bytes, after decompression
/** The library takes seconds to parse a long one, and no time-out interrupts it. */
const maxChallengeLength = 1024;

/**
 * Sends a request and reads the whole answer. Its reasons name the host only: a URL or a body may hold a secret.
 * @throws ProviderError `unavailable` without an answer in time, at 429 and at 5xx; `invalid` for a redirect, more
 *   than 256 KiB or an endless challenge
 */
export const fetchFromProvider = async (
  url: string,
  { method, headers, body }: ProviderRequest,
  // Taken out of its object: Workers' own `fetch` refuses to be called as anybody's method.
  { fetch, timeoutMs }: ProviderIo,
): Promise<Response> => {
  const { host } = new URL(url);
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    const response = await fetch(url, { method, headers, body: body ?? null, redirect: 'manual', signal });
    await refuseStatus(response, host);
    await refuseChallenge(response, host);
    return await bufferResponse(response, host);
  } catch (error) {
    if (error instanceof ProviderError) throw error;
    const problem = isTimeout(error) ? 'took too long' : 'is out of reach';
    throw new ProviderError('unavailable', `${host} ${problem}`);
  }
};

const refuseStatus = async ({ status, body }: Response, host: string): Promise<void> => {
  if (status === 200 || (status >= 400 && status < 500 && status !== 429)) return;
  await body?.cancel();
  const kind = status === 429 || status >= 500 ? 'unavailable' : 'invalid';
  throw new ProviderError(kind, `${host} answered with status ${status}`);
};

const refuseChallenge = async ({ headers, body }: Response, host: string): Promise<void> => {
  if ((headers.get('www-authenticate') ?? '').length <= maxChallengeLength) return;
  await body?.cancel();
  throw new ProviderError(
    'invalid',
    `${host} sent a challenge of more than ${maxChallengeLength} characters`,
  );
};

/** Reads a copy to its end, so that what is handed on is known to be whole and short. */
const bufferResponse = async (response: Response, host: string): Promise<Response> => {
  const copy = response.clone().body?.getReader();
  let length = 0;
  for (;;) {
    const chunk = await copy?.read();
    if (chunk === undefined || chunk.done) return response;
    length += chunk.value.length;
    if (length > maxResponseBytes) {
      // Both at once: the provider is hung up on only when neither is wanted any more.
      await Promise.all([copy?.cancel(), response.body?.cancel()]);
      throw new ProviderError('invalid', `${host} sent more than ${maxResponseBytes} bytes`);
    }
  }
};

const isTimeout = (error: unknown): boolean => error instanceof Error && error.name === 'TimeoutError';

// How `oauth4webapi` reaches an issuer, and which addresses of an issuer may be reached at all.

/** The options of every request that the library makes. */
export const buildRequestOptions = (io: ProviderIo) => ({
  [customFetch]: (url: string, request: ProviderRequest) => fetchFromProvider(url, request, io),
  // The library knows only "any http" or none; `parseEndpoint` has looked at each address before.
  [allowInsecureRequests]: io.allowLoopbackHttp,
});

/**
 * Checks an address that an issuer names: https, or http on loopback for an issuer that is there itself. What the publisher
 * configured is trusted to name hosts, but not machines behind the publisher's wall: an address in numbers or this machine
 * only where the issuer itself is there.
 * @throws ProviderError `invalid` for any other address, and for one with user, password or fragment
 */
export const parseEndpoint = (name: string, value: unknown, issuer: URL, io: ProviderIo): string => {
  const url = typeof value === 'string' ? URL.parse(value) : null;
  const isHttpAllowed = io.allowLoopbackHttp && isLoopback(issuer);
  if (url !== null && url.username + url.password + url.hash === '') {
    const isPublic = url.protocol === 'https:' && (url.host === issuer.host || isHostname(url.hostname));
    if (isPublic || (isHttpAllowed && isLoopback(url))) return url.href;
  }
  throw new ProviderError('invalid', `the ${name} of ${issuer.host} is not an address that may be used`);
};

/** Not an address in numbers, which `URL` spells alike however it was written, and not this machine. */
const isHostname = (hostname: string): boolean =>
  !/^(\[.*\]|\d+(\.\d+){3}|(.*\.)?localhost\.?)$/.test(hostname);
