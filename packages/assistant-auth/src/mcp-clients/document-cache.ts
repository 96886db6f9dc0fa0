/**
 * Reads JSON documents from URLs that strangers choose: checks the URL, limits time and size, follows no
 * redirects, and keeps copies as the HTTP headers allow (RFC 9111 §4.2). Whether the address of the host is
 * public is up to `fetch`.
 */

import type { ClientSourceContext } from '../endpoint/client-source.ts';
import { createMemoryLimiter } from '../limits/rate-limits.ts';
import { describeCause } from '../oauth/errors.ts';
import type { EpochSeconds, Milliseconds, Seconds } from '../oauth/identifiers.ts';
import { type Issuer, isLoopback } from '../oauth/resource.ts';

/** What a URL was found to contain. */
export type ReadResult<Value> =
  | { readonly kind: 'fresh'; readonly value: Value; readonly fetchedAt: EpochSeconds }
  /** The document cannot be read now, but was valid in the last 24 hours. */
  | { readonly kind: 'stale'; readonly value: Value }
  /** The host says that there is no such document (status 404 or 410). */
  | { readonly kind: 'gone' }
  | DocumentFailure;

/** There is no document that can be used. */
export interface DocumentFailure {
  readonly kind: 'failed';
  /** `invalid`: there is a response, but its content is wrong. `unavailable`: anything else. */
  readonly problem: 'invalid' | 'unavailable';
  /** What is wrong. Contains no text of the document. */
  readonly reason: string;
}

export interface DocumentCache<Value> {
  /**
   * Returns the cached document, or fetches it.
   * @param url an allowed URL
   * @param notBefore fetches the document again if the copy is older. Default: only when the copy expires
   */
  read(url: string, notBefore?: EpochSeconds): Promise<ReadResult<Value>>;
}

/** The document does not contain what it must. The message contains no text of the document. */
export class InvalidDocumentError extends Error {
  override readonly name = 'InvalidDocumentError';
}

export interface DocumentKind<Value> {
  readonly maxBytes: number;
  /** @throws InvalidDocumentError */
  readonly parse: (document: Readonly<Record<string, unknown>>, url: string) => Value;
}

/** How long a copy can be used, from the last response on, if the document can no longer be read. */
const maxStaleAge: Seconds = 86_400;

/** How long a copy is fresh if the headers do not say, and at most. */
const defaultMaxAge: Seconds = 3600;
const longestMaxAge: Seconds = 86_400;

/** After a failure, the URL is not fetched again for this long. */
const failureAge: Seconds = 10;

const timeoutMs: Milliseconds = 3000;
/** How long a request waits for the same document to be fetched by another one, which can be canceled. */
const maxWaitMs: Milliseconds = 3500;

const maxEntries = 500;

/**
 * For each host. An attacker could otherwise use this server to send many requests to a victim. Far more than
 * ChatGPT needs, whose connectors each have their own document.
 */
const fetchesPerHost = { limit: 1000, period: 60 };

interface Entry<Value> {
  readonly copy?: {
    readonly value: Value;
    readonly fetchedAt: EpochSeconds;
    readonly freshUntil: EpochSeconds;
  };
  /** The last fetch, if it failed. */
  readonly failure?: { readonly result: DocumentFailure | GoneDocument; readonly at: EpochSeconds };
}

interface GoneDocument {
  readonly kind: 'gone';
}

interface DocumentIo extends Pick<ClientSourceContext, 'now' | 'log'> {
  /** Returns the `fetch` for a URL. */
  readonly selectFetch: (url: URL) => typeof fetch;
}

/** Creates a cache of at most 500 documents of one kind. */
export const createDocumentCache = <Value>(
  { now, log, selectFetch }: DocumentIo,
  kind: DocumentKind<Value>,
): DocumentCache<Value> => {
  // These maps are caches of this process. A Map keeps the order of insertion, so the oldest entry comes first.
  const entries = new Map<string, Entry<Value>>();
  const running = new Map<string, Promise<ReadResult<Value>>>();
  const limiter = createMemoryLimiter(fetchesPerHost, now);

  const store = (url: string, entry: Entry<Value>): void => {
    entries.delete(url);
    entries.set(url, entry);
    const [oldest] = entries.keys();
    if (entries.size > maxEntries && oldest !== undefined) entries.delete(oldest);
  };

  /** Returns what is known without a request. */
  const findCached = (url: string, notBefore: EpochSeconds): ReadResult<Value> | undefined => {
    const { copy, failure } = entries.get(url) ?? {};
    if (copy !== undefined && now() < copy.freshUntil && copy.fetchedAt >= notBefore)
      return { kind: 'fresh', value: copy.value, fetchedAt: copy.fetchedAt };
    if (failure !== undefined && now() < failure.at + failureAge) return withStaleCopy(failure.result, copy);
    return undefined;
  };

  const withStaleCopy = (
    result: DocumentFailure | GoneDocument,
    copy: Entry<Value>['copy'],
  ): ReadResult<Value> =>
    result.kind === 'failed' && copy !== undefined && now() < copy.fetchedAt + maxStaleAge
      ? { kind: 'stale', value: copy.value }
      : result;

  const fetchOnce = async (url: string): Promise<ReadResult<Value>> => {
    const { host } = new URL(url);
    const { copy } = entries.get(url) ?? {};
    if ((await limiter.take(host)) === 'limited')
      return withStaleCopy(unavailable('too many documents of this host were fetched'), copy);
    const result = await fetchDocument(url, selectFetch(new URL(url)), kind);
    const at = now();
    if (result.kind === 'fetched') {
      const { value, maxAge } = result;
      store(url, { copy: { value, fetchedAt: at, freshUntil: at + maxAge } });
      return { kind: 'fresh', value, fetchedAt: at };
    }
    if (result.kind === 'failed') log({ event: 'document-failed', clientId: url, cause: result.reason });
    store(url, { failure: { result, at }, ...(result.kind === 'failed' && copy && { copy }) });
    return withStaleCopy(result, copy);
  };

  return {
    async read(url, notBefore = 0) {
      const other = running.get(url);
      const cached = findCached(url, notBefore);
      if (cached !== undefined) return cached;
      if (other !== undefined) {
        // The other request can be canceled, and then its promise never settles.
        const found = await Promise.race([other, delay(maxWaitMs)]);
        if (found !== undefined) return found;
      }
      const work = fetchOnce(url);
      running.set(url, work);
      try {
        return await work;
      } finally {
        if (running.get(url) === work) running.delete(url);
      }
    },
  };
};

/** Unlike `setTimeout`, this does not keep a Node process running. */
const delay = (ms: Milliseconds): Promise<undefined> =>
  new Promise((resolve) => {
    AbortSignal.timeout(ms).addEventListener('abort', () => resolve(undefined));
  });

const unavailable = (reason: string): DocumentFailure => ({ kind: 'failed', problem: 'unavailable', reason });
const invalid = (reason: string): DocumentFailure => ({ kind: 'failed', problem: 'invalid', reason });

type Fetched<Value> =
  | { readonly kind: 'fetched'; readonly value: Value; readonly maxAge: Seconds }
  | GoneDocument
  | DocumentFailure;

const fetchDocument = async <Value>(
  url: string,
  // A parameter, because `fetch` on Workers fails if it is called as a method of another object.
  fetch: ClientSourceContext['fetch'],
  { maxBytes, parse }: DocumentKind<Value>,
): Promise<Fetched<Value>> => {
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    const response = await raceAbort(
      fetch(url, {
        // A small compressed document can be a large one. The limit below counts what was decompressed.
        headers: { accept: 'application/json', 'accept-encoding': 'identity' },
        redirect: 'manual',
        signal,
      }),
      signal,
    );
    const refusal = checkResponse(response);
    if (refusal !== undefined) {
      await response.body?.cancel();
      return refusal;
    }
    const text = await readText(response, maxBytes, signal);
    if (text === undefined) return invalid(`it has more than ${maxBytes} bytes`);
    return { kind: 'fetched', value: parse(parseObject(text), url), maxAge: readMaxAge(response.headers) };
  } catch (error) {
    if (error instanceof InvalidDocumentError) return invalid(error.message);
    return unavailable(signal.aborted ? 'it took too long' : describeCause(error));
  }
};

const checkResponse = ({ status, headers }: Response): GoneDocument | DocumentFailure | undefined => {
  if (status === 404 || status === 410) return { kind: 'gone' };
  if (status >= 300 && status < 400) return invalid('it is a redirect, which is not followed');
  if (status !== 200) return unavailable(`its status is ${status}`);
  const [type = ''] = (headers.get('content-type') ?? '').split(';');
  if (!/^application\/(?:[\w.-]+\+)?json$/i.test(type.trim())) return invalid('its content type is not JSON');
  return undefined;
};

const parseObject = (text: string): Readonly<Record<string, unknown>> => {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  } catch {}
  throw new InvalidDocumentError('it is not a JSON object');
};

/** @returns `undefined` if the body has more than `maxBytes` bytes. The rest is not read */
const readText = async (
  response: Response,
  maxBytes: number,
  signal: AbortSignal,
): Promise<string | undefined> => {
  if (response.body === null) return '';
  const reader = response.body.getReader();
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let text = '';
  let length = 0;
  try {
    for (;;) {
      const chunk = await raceAbort(reader.read(), signal);
      if (chunk.done) return text + decoder.decode();
      length += chunk.value.length;
      if (length > maxBytes) return undefined;
      text += decoder.decode(chunk.value, { stream: true });
    }
  } finally {
    // Not awaited: the connection may not respond.
    reader.cancel().catch(() => {});
  }
};

/** Waits for work until the signal is aborted at the latest, whether or not the work stops then. */
const raceAbort = <Result>(work: Promise<Result>, signal: AbortSignal): Promise<Result> =>
  new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });

/** Returns how long a response is fresh, in seconds from now (RFC 9111 §4.2.1). */
const readMaxAge = (headers: Headers): Seconds => {
  const directives = (headers.get('cache-control') ?? '').toLowerCase().split(/\s*,\s*/);
  if (directives.includes('no-store') || directives.includes('no-cache')) return 0;
  const [, stated] = directives.map((name) => /^max-age="?(\d+)"?$/.exec(name)).find(Boolean) ?? [];
  const expires = Date.parse(headers.get('expires') ?? '') - Date.parse(headers.get('date') ?? '');
  const lifetime =
    stated === undefined ? (Number.isNaN(expires) ? defaultMaxAge : expires / 1000) : Number(stated);
  const age = Number(/^\d+$/.exec(headers.get('age') ?? '') ?? 0);
  return Math.floor(Math.min(Math.max(lifetime - age, 0), longestMaxAge));
};

// Which URLs can be fetched at all.

/** In characters. */
const maxUrlLength = 255;

/** Names that are never on the public internet (RFC 6761, RFC 6762, RFC 8375, RFC 7686). */
const privateNames =
  /(?:^|\.)(?:localhost|local|internal|intranet|lan|home|corp|private|test|invalid|onion|arpa)$/;

/** The hosts whose documents are not fetched, and whether documents on loopback are. */
export interface UrlPolicy {
  readonly issuer: Issuer;
  readonly resources: readonly string[];
}

/**
 * Returns whether a URL can be fetched: a normalized https URL with a path, without user information, port,
 * query or fragment, whose host is a name on the public internet and not one of this server. If the issuer is
 * on loopback, also http on loopback.
 */
export const isAllowedUrl = (text: string, policy: UrlPolicy): boolean => {
  const url = URL.parse(text);
  // The parser writes every spelling of an IPv4 address as four decimal numbers, and resolves dot segments.
  if (url === null || url.href !== text || text.length > maxUrlLength) return false;
  if (url.pathname === '/' || /[?#@\\]/.test(text)) return false;
  if (isLoopback(url)) return isLoopback(new URL(policy.issuer));
  if (url.protocol !== 'https:' || url.port !== '') return false;
  return isPublicName(url.hostname) && !isOwnHost(url.hostname, policy);
};

const isPublicName = (hostname: string): boolean =>
  /^(?:[a-z0-9-]+\.)+[a-z0-9-]*[a-z][a-z0-9-]*$/.test(hostname) && !privateNames.test(hostname);

/** Returns whether a host is, or may be, in the zone of this server. */
const isOwnHost = (hostname: string, { issuer, resources }: UrlPolicy): boolean =>
  [issuer, ...resources].some((own) => {
    const { hostname: ownHostname } = new URL(own);
    return `.${hostname}`.endsWith(`.${ownHostname}`) || `.${ownHostname}`.endsWith(`.${hostname}`);
  });
