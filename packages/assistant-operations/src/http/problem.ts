/**
 * JSON responses: problem documents (`application/problem+json`, RFC 9457) for all errors of an API, and the
 * outputs of operations.
 */
import { corsHeaders } from './cors.ts';

/**
 * The status of a problem.
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-15
 */
export type ProblemStatus = 400 | 401 | 403 | 404 | 405 | 409 | 410 | 413 | 415 | 429 | 500 | 503;

/** The titles that IANA registers for these statuses. */
const titles: Readonly<Record<ProblemStatus, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  409: 'Conflict',
  410: 'Gone',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
};

/**
 * A problem: what a problem document says about an error, and the headers of its response.
 * @see https://www.rfc-editor.org/rfc/rfc9457#section-3
 */
export interface Problem {
  /** The status of the response, which also determines the `title` of the document. */
  readonly status: ProblemStatus;
  /**
   * A sentence for the reader, often an assistant: what is wrong and what is expected. It is sent to the
   * caller, so it must not contain secrets.
   */
  readonly detail: string;
  /**
   * Further members of the document, by name: JSON values, which are sent to the caller. Default: none.
   * @see https://www.rfc-editor.org/rfc/rfc9457#section-3.2
   */
  readonly members?: Readonly<Record<string, unknown>>;
  /** Further headers of the response, by name in lower case, such as `retry-after`. Default: none. */
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * Ends a request with a problem: throw it in the handler of an operation. It is sent to the caller as it is,
 * and not logged.
 * @example
 * ```ts
 * import { ProblemError } from 'assistant-operations';
 *
 * export const requireStock = (count: number): void => {
 *   if (count === 0) throw new ProblemError({ status: 409, detail: 'The book is sold out.' });
 * };
 * ```
 */
export class ProblemError extends Error {
  /** The name of the class. */
  override readonly name = 'ProblemError';
  /** The problem that is sent to the caller. Its `detail` is also the error's `message`. */
  readonly problem: Problem;

  /**
   * Creates the error.
   * @param problem the problem that is sent to the caller
   * @param options the `cause`, which is not sent to the caller
   */
  constructor(problem: Problem, options?: ErrorOptions) {
    super(problem.detail, options);
    this.problem = problem;
  }
}

/**
 * Creates the response for a problem: a problem document (`application/problem+json`) that must not be cached
 * (`no-store`) or sniffed (`nosniff`).
 * @param problem the content of the problem document, and further headers
 * @throws TypeError if a member cannot be serialized as JSON (a cycle or a bigint), or a header is malformed
 * @see https://www.rfc-editor.org/rfc/rfc9457
 * @example
 * ```ts
 * import { createProblemResponse } from 'assistant-operations';
 * import { Hono } from 'hono';
 *
 * const app = new Hono();
 * app.notFound(() => createProblemResponse({ status: 404, detail: 'This path does not exist.' }));
 * app.onError(() => createProblemResponse({ status: 500, detail: 'Something went wrong on our side.' }));
 * ```
 */
export const createProblemResponse = ({ status, detail, members, headers }: Problem): Response =>
  new Response(JSON.stringify({ type: 'about:blank', title: titles[status], status, detail, ...members }), {
    status,
    headers: { 'content-type': 'application/problem+json', ...noStoreHeaders, ...headers },
  });

const noStoreHeaders = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' } as const;

/**
 * Creates the response for the output of an operation, which must not be cached (`no-store`) or sniffed
 * (`nosniff`).
 * @param cors whether pages on other origins can read it
 */
export const createJsonResponse = (body: unknown, cors: 'any-origin' | 'off'): Response => {
  const headers = cors === 'any-origin' ? crossOriginJsonHeaders : jsonHeaders;
  return new Response(JSON.stringify(body), { headers: copiesHeaders() ? headers : new Headers(headers) });
};

let checkedResponse: typeof Response | undefined;
let isCopied = false;

/**
 * Returns whether `Response` copies the `Headers` that it gets, as the Fetch standard requires. That of
 * `@hono/node-server`, which replaces the global one, keeps them, so what an app adds to one response would be sent
 * with all others.
 */
const copiesHeaders = (): boolean => {
  if (checkedResponse !== Response) {
    checkedResponse = Response;
    // Some versions keep them only if there is a body.
    isCopied = new Response('{}', { headers: jsonHeaders }).headers !== jsonHeaders;
  }
  return isCopied;
};

// As `Headers`, from which a response is created faster than from a record.
const jsonHeaders = new Headers({ 'content-type': 'application/json', ...noStoreHeaders });
const crossOriginJsonHeaders = new Headers({ ...Object.fromEntries(jsonHeaders), ...corsHeaders });
