/** Refused requests, for the log: the event of each, with a code that does not change. */
import { type Problem, ProblemError } from './problem.ts';

/**
 * Why a request was refused. A code is never renamed and keeps its meaning; new codes can be added.
 * `docs/events.md` of the repository describes each one.
 */
export type RefusalReason =
  | 'body.content-type'
  | 'body.json'
  | 'body.not-object'
  | 'body.too-large'
  | 'body.unreadable'
  | 'operation.failed'
  | 'operation.input'
  | 'operation.method'
  | 'operation.parameter-repeated'
  | 'operation.path'
  | 'operation.problem'
  | 'mcp.accept'
  | 'mcp.batch'
  | 'mcp.complexity'
  | 'mcp.host'
  | 'mcp.message'
  | 'mcp.method'
  | 'mcp.origin'
  | 'mcp.prompt-argument'
  | 'mcp.unknown-prompt'
  | 'mcp.unknown-resource'
  | 'mcp.unknown-tool';

/**
 * The event of a request that was refused. It contains no input, token or user ID. The log of assistant-auth
 * accepts it as one of its own events.
 */
export interface Refusal {
  /** Always `refused`. */
  readonly event: 'refused';
  /** The code of the reason, for filters and alerts. */
  readonly reason: RefusalReason;
  /** Where the request was refused: in the routes of the API, or at the MCP endpoint. */
  readonly endpoint: 'http' | 'mcp';
  /** The status of the response. 200 if the error is in the MCP message. */
  readonly status: number;
  /** The ID of the operation, if it is known. */
  readonly operation?: string;
  /** The reference ID that the caller sees, if it sees one. */
  readonly requestId?: string;
}

/** Receives the event of each refused request. What it throws is passed to `logError`. */
export type OnRefusal = (refusal: Refusal) => void;

/** A problem that this package found in a request, with its code. */
export class RefusedInputError extends ProblemError {
  readonly reason: RefusalReason;

  constructor(reason: RefusalReason, problem: Problem, options?: ErrorOptions) {
    super(problem, options);
    this.reason = reason;
  }
}

/** Returns the code of a request that ended with a problem. */
export const findReason = (error: unknown, { status }: Pick<Problem, 'status'>): RefusalReason => {
  if (error instanceof RefusedInputError) return error.reason;
  return status >= 500 ? 'operation.failed' : 'operation.problem';
};

/** Reports a refused request. Never throws because of `onRefusal`. */
export const reportRefusal = (
  refusal: Omit<Refusal, 'event'>,
  { onRefusal, logError }: { readonly onRefusal?: OnRefusal; readonly logError: (error: unknown) => unknown },
): void => {
  try {
    onRefusal?.({ event: 'refused', ...refusal });
  } catch (error) {
    logError(error);
  }
};
