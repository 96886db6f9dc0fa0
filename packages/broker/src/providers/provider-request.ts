/** One request to a provider: no redirect followed, no long wait, no endless answer. */
import { ProviderError, type ProviderIo } from './identity-provider.ts';

export interface ProviderRequest {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: URLSearchParams | undefined;
}

const longestAnswer = 262_144; // bytes, after decompression
/** The library takes seconds to parse a long one, and no time-out interrupts it. */
const longestChallenge = 1024;

/**
 * Sends a request and reads the whole answer. Its reasons name the host only: a URL or a body may hold a secret.
 * @throws ProviderError `unavailable` without an answer in time, at 429 and at 5xx; `invalid` for a redirect, more
 *   than 256 KiB or an endless challenge
 */
export const askProvider = async (
  url: string,
  { method, headers, body }: ProviderRequest,
  // Taken out of its object: Workers' own `fetch` refuses to be called as anybody's method.
  { fetch, patience }: ProviderIo,
): Promise<Response> => {
  const { host } = new URL(url);
  const signal = AbortSignal.timeout(patience);
  try {
    const response = await fetch(url, { method, headers, body: body ?? null, redirect: 'manual', signal });
    await refuseStatus(response, host);
    await refuseChallenge(response, host);
    return await readAhead(response, host);
  } catch (error) {
    if (error instanceof ProviderError) throw error;
    const outage = isTimeout(error) ? 'took too long' : 'is out of reach';
    throw new ProviderError('unavailable', `${host} ${outage}`);
  }
};

const refuseStatus = async ({ status, body }: Response, host: string): Promise<void> => {
  if (status === 200 || (status >= 400 && status < 500 && status !== 429)) return;
  await body?.cancel();
  const kind = status === 429 || status >= 500 ? 'unavailable' : 'invalid';
  throw new ProviderError(kind, `${host} answered with status ${status}`);
};

const refuseChallenge = async ({ headers, body }: Response, host: string): Promise<void> => {
  if ((headers.get('www-authenticate') ?? '').length <= longestChallenge) return;
  await body?.cancel();
  throw new ProviderError('invalid', `${host} sent a challenge of more than ${longestChallenge} characters`);
};

/** Reads a copy to its end, so that what is handed on is known to be whole and short. */
const readAhead = async (answer: Response, host: string): Promise<Response> => {
  const copy = answer.clone().body?.getReader();
  let length = 0;
  for (;;) {
    const chunk = await copy?.read();
    if (chunk === undefined || chunk.done) return answer;
    length += chunk.value.length;
    if (length > longestAnswer) {
      // Both at once: the provider is hung up on only when neither is wanted any more.
      await Promise.all([copy?.cancel(), answer.body?.cancel()]);
      throw new ProviderError('invalid', `${host} sent more than ${longestAnswer} bytes`);
    }
  }
};

const isTimeout = (error: unknown): boolean => error instanceof Error && error.name === 'TimeoutError';
