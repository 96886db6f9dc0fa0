/**
 * Fetches a JSON document from a URL that a stranger chose: checks the URL, limits time and size, and follows
 * no redirects. The `fetch` that is passed in must refuse private addresses.
 */

import type { ClientSourceContext } from '../endpoint/client-source.ts';
import { discard, raceAbort, readLimitedText } from '../http/body.ts';
import { describeCause } from '../oauth/errors.ts';
import type { Milliseconds, Seconds } from '../oauth/identifiers.ts';
import { type Issuer, isLoopback } from '../oauth/resource.ts';
import { type JsonObject, parseJsonObject } from './metadata.ts';

export interface DocumentKind<Value> {
  readonly maxBytes: number;
  /** @throws InvalidDocumentError */
  readonly parse: (document: JsonObject, url: string) => Value;
}

/** The document cannot be used. The message contains no text of the document. */
export class InvalidDocumentError extends Error {
  override readonly name = 'InvalidDocumentError';
  readonly problem: 'invalid' | 'withdrawn';

  constructor(reason: string, problem: InvalidDocumentError['problem'] = 'withdrawn') {
    super(reason);
    this.problem = problem;
  }
}

export type FetchResult<Value> =
  | { readonly kind: 'fetched'; readonly value: Value; readonly maxAge: Seconds }
  | GoneDocument
  | DocumentFailure;

/** The document does not exist (status 404 or 410). */
export interface GoneDocument {
  readonly kind: 'gone';
}

/** There is no document that can be used. */
export interface DocumentFailure {
  readonly kind: 'failed';
  /**
   * `unavailable`: the document could not be read. `limited`: no request was sent. `invalid`: the response is
   * not the document. `withdrawn`: it is the document, but its content cannot be used, and neither can
   * earlier copies.
   */
  readonly problem: 'unavailable' | 'limited' | 'invalid' | 'withdrawn';
  /** What is wrong. Contains no text of the document. */
  readonly reason: string;
}

const timeoutMs: Milliseconds = 3000;

/** How long a document is fresh if its headers do not say. */
const defaultMaxAge: Seconds = 3600;
/** How long a document is fresh at most, whatever its headers say. */
const longestMaxAge: Seconds = 86_400;

const unavailable = (reason: string): DocumentFailure => ({ kind: 'failed', problem: 'unavailable', reason });
const invalid = (reason: string): DocumentFailure => ({ kind: 'failed', problem: 'invalid', reason });

export const fetchDocument = async <Value>(
  url: string,
  // A parameter, because `fetch` on Workers fails if it is called as a method of another object.
  fetch: ClientSourceContext['fetch'],
  { maxBytes, parse }: DocumentKind<Value>,
): Promise<FetchResult<Value>> => {
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    const response = await raceAbort(
      fetch(url, {
        // A small compressed response can be a large document. The size limit counts decompressed bytes.
        headers: { accept: 'application/json', 'accept-encoding': 'identity' },
        redirect: 'manual',
        signal,
      }),
      signal,
    );
    const refusal = checkResponse(response);
    if (refusal !== undefined) {
      discard(response.body?.cancel());
      return refusal;
    }
    const text = await readLimitedText(response.body, maxBytes, undefined, (part) => raceAbort(part, signal));
    if (text === undefined) return invalid(`it has more than ${maxBytes} bytes`);
    const document = parseJsonObject(text);
    if (document === undefined) return invalid('it is not a JSON object');
    return { kind: 'fetched', value: parse(document, url), maxAge: readMaxAge(response.headers) };
  } catch (error) {
    if (error instanceof InvalidDocumentError)
      return { kind: 'failed', problem: error.problem, reason: error.message };
    return unavailable(signal.aborted ? 'it took too long' : describeCause(error));
  }
};

const checkResponse = ({ status, headers }: Response): GoneDocument | DocumentFailure | undefined => {
  if (status === 404 || status === 410) return { kind: 'gone' };
  if (status >= 300 && status < 400) return invalid('it is a redirect, and redirects are not followed');
  if (status !== 200) return unavailable(`its status is ${status}`);
  const [type = ''] = (headers.get('content-type') ?? '').split(';');
  if (!/^application\/(?:[\w.-]+\+)?json$/i.test(type.trim())) return invalid('its content type is not JSON');
  return undefined;
};

/** Returns how long a response is fresh, in seconds from now (RFC 9111 §4.2.1). */
const readMaxAge = (headers: Headers): Seconds => {
  const directives = (headers.get('cache-control') ?? '')
    .toLowerCase()
    .split(',')
    .map((directive) => directive.trim());
  if (directives.includes('no-store') || directives.includes('no-cache')) return 0;
  const [, stated] = directives.map((name) => /^max-age="?(\d+)"?$/.exec(name)).find(Boolean) ?? [];
  const expires = Date.parse(headers.get('expires') ?? '') - Date.parse(headers.get('date') ?? '');
  const lifetime =
    stated === undefined ? (Number.isNaN(expires) ? defaultMaxAge : expires / 1000) : Number(stated);
  const age = Number(/^\d+$/.exec(headers.get('age') ?? '') ?? 0);
  return Math.floor(Math.min(Math.max(lifetime - age, 0), longestMaxAge));
};

// Which URLs can be fetched.

/** In characters. */
const maxUrlLength = 255;

/** Names that are never on the public internet (RFC 6761, RFC 6762, RFC 8375, RFC 7686). */
const privateNames =
  /(?:^|\.)(?:localhost|local|internal|intranet|lan|home|corp|private|test|invalid|onion|arpa)$/;

/**
 * Nothing is fetched from the hosts of these. Documents on loopback are fetched only if the issuer is on
 * loopback.
 */
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

/** Returns whether a host is one of this server's hosts, or a parent domain or subdomain of one. */
const isOwnHost = (hostname: string, { issuer, resources }: UrlPolicy): boolean =>
  [issuer, ...resources].some((own) => {
    const { hostname: ownHostname } = new URL(own);
    return `.${hostname}`.endsWith(`.${ownHostname}`) || `.${ownHostname}`.endsWith(`.${hostname}`);
  });
