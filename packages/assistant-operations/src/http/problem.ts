/**
 * JSON responses: problem documents (`application/problem+json`, RFC 9457) for all errors of an API, and the
 * outputs of operations.
 */

/** The titles that IANA registers for the statuses that a problem can have. */
const titles = {
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
} as const;

/** The statuses that a problem can have. */
export type ProblemStatus = keyof typeof titles;

/** The content of a problem document and its response headers. */
export interface Problem {
  readonly status: ProblemStatus;
  /** A sentence for the reader, often an assistant: what is wrong and what is expected. */
  readonly detail: string;
  /** Further members of the body (RFC 9457 §3.2). */
  readonly members?: Readonly<Record<string, unknown>>;
  /** Further response headers. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** Thrown to end a request with a problem. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';
  readonly problem: Problem;

  constructor(problem: Problem, options?: ErrorOptions) {
    super(problem.detail, options);
    this.problem = problem;
  }
}

/** Creates the response for a problem, which must not be cached (`no-store`) or sniffed (`nosniff`). */
export const createProblemResponse = ({ status, detail, members, headers }: Problem): Response =>
  new Response(JSON.stringify({ type: 'about:blank', title: titles[status], status, detail, ...members }), {
    status,
    headers: { 'content-type': 'application/problem+json', ...noStoreHeaders, ...headers },
  });

/**
 * Creates the response for the output of an operation, which must not be cached (`no-store`) or sniffed
 * (`nosniff`).
 */
export const createJsonResponse = (body: unknown): Response =>
  new Response(JSON.stringify(body), { headers: { 'content-type': 'application/json', ...noStoreHeaders } });

const noStoreHeaders = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' } as const;
