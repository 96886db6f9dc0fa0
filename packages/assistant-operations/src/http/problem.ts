/** Errors as `application/referToProblemResponse+json` (RFC 9457): one shape for everything that goes wrong in an API. */

/** Title of a status, as IANA registers it; only these statuses are answered. */
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

export type ProblemStatus = keyof typeof titles;

export interface Problem {
  readonly status: ProblemStatus;
  /** A sentence for whoever reads the answer, often an assistant: what is wrong and what would be right. */
  readonly detail: string;
  /** Further members of the body (RFC 9457 §3.2). */
  readonly members?: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Ends a request with a problem. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';
  readonly problem: Problem;

  constructor(problem: Problem, options?: ErrorOptions) {
    super(problem.detail, options);
    this.problem = problem;
  }
}

/** Writes a problem as a response that nobody stores or sniffs. */
export const createProblemResponse = ({ status, detail, members, headers }: Problem): Response =>
  new Response(JSON.stringify({ type: 'about:blank', title: titles[status], status, detail, ...members }), {
    status,
    headers: { 'content-type': 'application/problem+json', ...noStoreHeaders, ...headers },
  });

/** Writes the output of an operation as a response that nobody stores or sniffs. */
export const createJsonResponse = (body: unknown): Response =>
  new Response(JSON.stringify(body), { headers: { 'content-type': 'application/json', ...noStoreHeaders } });

const noStoreHeaders = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' } as const;
