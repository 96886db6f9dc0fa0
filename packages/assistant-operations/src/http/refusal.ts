/** Refused requests, for the log: the event of each, with a code that does not change. */
import { type Problem, ProblemError } from './problem.ts';

/** Why a request was refused. A code is never renamed and keeps its meaning; new codes can be added. */
export type RefusalReason =
  /** The body does not have the type `application/json`. */
  | 'body.content-type'
  /** The body is not valid JSON. */
  | 'body.json'
  /** The body is not a JSON object. */
  | 'body.not-object'
  /** The body is too long. */
  | 'body.too-large'
  /** The body could not be read. */
  | 'body.unreadable'
  /** The operation, its context or the guard threw, or ended with a problem with a 5xx status. */
  | 'operation.failed'
  /** The input does not match the schema. */
  | 'operation.input'
  /** No operation of the path has the method. */
  | 'operation.method'
  /** A parameter of the query was sent more than once. */
  | 'operation.parameter-repeated'
  /** No operation has the path. */
  | 'operation.path'
  /** The operation ended with a problem with a status below 500. */
  | 'operation.problem'
  /** The `Accept` header does not allow JSON. */
  | 'mcp.accept'
  /** The body is an array of messages. */
  | 'mcp.batch'
  /** The message is nested too deeply, or has too many values. */
  | 'mcp.complexity'
  /** The request is for another origin than `url`. */
  | 'mcp.host'
  /** The MCP SDK refused the message, for example because of its method or its parameters. */
  | 'mcp.message'
  /** The method is not POST. */
  | 'mcp.method'
  /** A page on another host called an endpoint on loopback. */
  | 'mcp.origin'
  /** A required argument of the prompt is missing. */
  | 'mcp.prompt-argument'
  /** No prompt has this name. */
  | 'mcp.unknown-prompt'
  /** No resource has this URI. */
  | 'mcp.unknown-resource'
  /** No tool has this name. */
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
  /** Where the request was refused: `http` by the HTTP handler, `mcp` at the MCP endpoint. */
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
