/**
 * Caches documents from URLs that strangers choose, for as long as the HTTP headers allow (RFC 9111 §4.2), and
 * fetches each one only once at a time.
 */

import type { ClientSourceContext } from '../endpoint/client-source.ts';
import { setBounded, waitForOther } from '../endpoint/concurrency.ts';
import { createMemoryLimiter } from '../limits/rate-limits.ts';
import type { Clock, EpochSeconds, Milliseconds, Seconds } from '../oauth/identifiers.ts';
import {
  type DocumentFailure,
  type DocumentKind,
  type FetchResult,
  fetchDocument,
  type GoneDocument,
} from './fetch-document.ts';

/** What was found at a URL. */
export type ReadResult<Value> =
  | { readonly kind: 'fresh'; readonly value: Value; readonly fetchedAt: EpochSeconds }
  /** The document cannot be read now. This is the cached copy, at most 24 hours old. */
  | { readonly kind: 'stale'; readonly value: Value }
  | GoneDocument
  | DocumentFailure;

interface ReadOptions {
  /**
   * Fetches the document again if the cached copy is older than this. If that fails, the copy stays. Default:
   * fetches it only after the copy has expired.
   */
  readonly notBefore?: EpochSeconds;
  /**
   * Whether a copy of the document is cached or stored, so that the limit of its host does not apply. Default:
   * whether one is cached.
   */
  readonly isKnown?: boolean;
}

export interface DocumentCache<Value> {
  /**
   * Returns the cached document, or fetches it.
   * @param url an allowed URL
   */
  read(url: string, options?: ReadOptions): Promise<ReadResult<Value>>;
}

/** How long a cached copy can be used, from when it was fetched, if the document can no longer be read. */
const maxStaleAge: Seconds = 86_400;

/** How long a URL is not fetched again after a failure. */
const failureAge: Seconds = 10;

/** How long a request waits for another request that is fetching the same document. */
const maxWaitMs: Milliseconds = 3500;

/** Failures are cached separately, so that made-up URLs do not evict the copies of real clients. */
const maxCopies = 500;
const maxFailures = 1000;
const maxRunning = 1000;

/**
 * How many documents without a cached copy are fetched from one host. Without a limit, an attacker could use this
 * server to send many requests to a victim. The limit is far higher than ChatGPT needs, which has a document for
 * each connector.
 */
const fetchesPerHost = { limit: 1000, period: 60 };

interface CachedCopy<Value> {
  readonly value: Value;
  readonly fetchedAt: EpochSeconds;
  readonly freshUntil: EpochSeconds;
}

interface Failure {
  readonly result: DocumentFailure | GoneDocument;
  readonly at: EpochSeconds;
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
  const results = createResults<Value>(now);
  const running = new Map<string, Promise<ReadResult<Value>>>();
  const limiter = createMemoryLimiter(fetchesPerHost, now);

  const fetchOnce = async (
    url: string,
    { notBefore = 0, isKnown = results.hasCopy(url) }: ReadOptions,
  ): Promise<ReadResult<Value>> => {
    if (!isKnown && (await limiter.take(new URL(url).host)) === 'limited')
      return { kind: 'failed', problem: 'limited', reason: 'too many documents of this host were fetched' };
    const result = await fetchDocument(url, selectFetch(new URL(url)), kind);
    if (result.kind === 'failed') log({ event: 'document-failed', clientId: url, cause: result.reason });
    // An invalid assertion makes the broker read keys before their copy expires. That must not remove the copy.
    return results.store(url, notBefore > 0 && isWithdrawn(result) ? withdrawnTooEarly : result);
  };

  /** Waits for another request that is fetching the same document, and if that was stopped, for its successor. */
  const waitForRunning = async (url: string): Promise<ReadResult<Value> | undefined> => {
    for (let attempt = 0; attempt < 2; attempt++) {
      const other = running.get(url);
      const found = other && (await waitForOther(other, maxWaitMs));
      if (other === undefined || found !== undefined || running.get(url) === other) return found;
    }
    return undefined;
  };

  return {
    async read(url, options = {}) {
      const cached = results.find(url, options.notBefore ?? 0);
      if (cached !== undefined) return cached;
      // If no request is running, there is no `await` before `setBounded`. Otherwise, concurrent requests would
      // all fetch.
      const found = running.has(url) ? await waitForRunning(url) : undefined;
      if (found !== undefined) return found;
      const work = fetchOnce(url, options);
      setBounded(running, url, work, maxRunning);
      try {
        return await work;
      } finally {
        if (running.get(url) === work) running.delete(url);
      }
    },
  };
};

/** Creates the entries of a cache: copies of documents, and recent failures. */
const createResults = <Value>(now: Clock) => {
  const copies = new Map<string, CachedCopy<Value>>();
  const failures = new Map<string, Failure>();

  const withStaleCopy = (url: string, result: DocumentFailure | GoneDocument): ReadResult<Value> => {
    const copy = copies.get(url);
    const isUsable = copy !== undefined && now() < copy.fetchedAt + maxStaleAge;
    return isUsable && !isWithdrawn(result) ? { kind: 'stale', value: copy.value } : result;
  };

  return {
    hasCopy: (url: string): boolean => copies.has(url),
    /** Returns what is cached. */
    find(url: string, notBefore: EpochSeconds): ReadResult<Value> | undefined {
      const copy = copies.get(url);
      if (copy !== undefined) setBounded(copies, url, copy, maxCopies);
      if (copy !== undefined && now() < copy.freshUntil && copy.fetchedAt >= notBefore)
        return { kind: 'fresh', value: copy.value, fetchedAt: copy.fetchedAt };
      const failure = failures.get(url);
      return failure !== undefined && now() < failure.at + failureAge
        ? withStaleCopy(url, failure.result)
        : undefined;
    },
    store(url: string, result: FetchResult<Value>): ReadResult<Value> {
      const at = now();
      if (result.kind === 'fetched') {
        const { value, maxAge } = result;
        setBounded(copies, url, { value, fetchedAt: at, freshUntil: at + maxAge }, maxCopies);
        failures.delete(url);
        return { kind: 'fresh', value, fetchedAt: at };
      }
      if (isWithdrawn(result)) copies.delete(url);
      setBounded(failures, url, { result, at }, maxFailures);
      return withStaleCopy(url, result);
    },
  };
};

const withdrawnTooEarly: DocumentFailure = {
  kind: 'failed',
  problem: 'unavailable',
  reason: 'it can no longer be used, but its cached copy has not expired',
};

/** Returns whether earlier copies must no longer be used, because the owner of the URL has replaced or removed them. */
const isWithdrawn = (result: FetchResult<unknown>): boolean =>
  result.kind === 'gone' || (result.kind === 'failed' && result.problem === 'withdrawn');
