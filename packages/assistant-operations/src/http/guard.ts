/** The guard that authenticates the caller of a request, which the HTTP handler and the MCP endpoint share. */

/** The result of a guard that accepts the caller. Guards add what they know about the caller. */
export interface GuardAcceptance {
  /** The caller may call the operation. */
  readonly ok: true;
}

/** The result of a guard that refuses the caller. */
export interface GuardRefusal {
  /** The caller may not call the operation. */
  readonly ok: false;
  /** The complete response to send instead, such as a 401 or 403 with a `WWW-Authenticate` header. */
  readonly response: Response;
}

/**
 * Authenticates the caller of a request, and checks that the token has all `scopes`. An error that it throws
 * is handled like an error of an operation.
 *
 * `broker.protect` of assistant-auth is a guard: `(request, scopes) => broker.protect(request, { scopes })`.
 * @typeParam Auth the result for a caller who may call the operation: what the guard knows about the caller,
 *   and `ok: true`
 * @typeParam Result the result for any caller. Default: `Auth | GuardRefusal`.
 */
export type Guard<Auth extends GuardAcceptance, Result extends Auth | GuardRefusal = Auth | GuardRefusal> = (
  request: Request,
  scopes: readonly string[],
) => Promise<Result>;

/**
 * Returns whether a guard accepts the caller: only with the value `true`, and never with a `Response`, which
 * also has `ok` and which a guard in JavaScript could return.
 */
export const isAccepted = <Auth extends GuardAcceptance>(result: Auth | GuardRefusal): result is Auth =>
  result.ok === true && !(result instanceof Response);

/**
 * Returns a copy of the guard's response, whose headers can be changed.
 * @throws TypeError if there is no response, or if its body was already read, which is handled like any other
 *   error of the guard
 */
export const readRefusal = ({ response }: GuardRefusal): Response => {
  if (response instanceof Response) return new Response(response.body, response);
  throw new TypeError('the result of the guard has neither ok: true nor a response');
};
