/**
 * Serves operations over HTTP. The guard is called for the base path and every path below it, even if no operation
 * has the path.
 */
import type { ApiDefinition } from '../define-api.ts';
import type { InputIssue, Operation } from '../operation.ts';
import { allowAnyOrigin, createPreflightResponse, isPreflight } from './cors.ts';
import { type Guard, type GuardAcceptance, type GuardRefusal, isAccepted, readRefusal } from './guard.ts';
import { createJsonResponse, createProblemResponse, type Problem, ProblemError } from './problem.ts';
import { findReason, type OnRefusal, type RefusalReason, reportRefusal } from './refusal.ts';
import { createRouteFinder, type RouteMatch } from './routes.ts';

/**
 * Decides whether pages on other origins can call the API with `fetch`. `any-origin` lets all pages call it,
 * without cookies; `off` leaves CORS to the app.
 */
export type Cors = 'any-origin' | 'off';

/**
 * The options of `createHttpHandler`.
 * @typeParam Auth the guard's result for a caller who may call the operation
 * @typeParam Context what the handlers of the operations need besides their input
 * @typeParam Result the guard's result for any caller. Default: `Auth | GuardRefusal`.
 */
export interface HttpHandlerOptions<
  Auth extends GuardAcceptance,
  Context,
  Result extends Auth | GuardRefusal = Auth | GuardRefusal,
> {
  /**
   * The path of the API, without a trailing slash, for example `/api`. Every path below it belongs to the
   * API.
   */
  readonly basePath: `/${string}`;
  /**
   * Authenticates the caller. Called once for each request to `basePath` or a path below it, except for a preflight if
   * `cors` is `any-origin`; with no scopes if no operation has the path and method of the request.
   */
  readonly guard: Guard<Auth, Result>;
  /**
   * Creates the context that is passed to the handler, once for each call, after the guard has accepted it
   * and before the input is validated. Write it below `guard`, from which TypeScript infers the type of
   * `auth`.
   */
  readonly context: (auth: NoInfer<Auth>) => Context;
  /**
   * Decides whether pages on other origins can call the API with `fetch`. With `any-origin`, every response
   * has CORS headers, including those of the guard, and a preflight is handled before the guard is called.
   * With `off`, no headers are added, and a preflight is handled like any other request. Default:
   * `any-origin`.
   * @see https://fetch.spec.whatwg.org/#http-cors-protocol
   */
  readonly cors?: Cors;
  /**
   * Returns the problem for a path below `basePath` that no operation has. The path is that of the URL, with its
   * percent-encoding. Default: a 404 problem.
   */
  readonly notFound?: (path: string) => Problem;
  /**
   * Maps a thrown error to a problem. If it returns `undefined`, the response is a 500. Default: a 500 for
   * every error. A `ProblemError` is not passed to it.
   */
  readonly mapError?: (error: unknown) => Problem | undefined;
  /** Logs an error whose response has a 5xx status. A `ProblemError` is not passed to it. */
  readonly logError: (error: unknown) => void;
  /**
   * Receives an event for each response with a status of 400 or more, except those of the guard, which logs its
   * own refusals. With assistant-auth: the broker's option `log`, so that the log has all of them. Default:
   * none.
   */
  readonly onRefusal?: OnRefusal;
}

/**
 * Creates the handler of an API, which reads the input of a call, validates it, and responds with JSON or a
 * problem document. It needs no web framework.
 *
 * Every path below `basePath` is guarded. A request with a method that no operation of the path has gets a
 * 405 response; HEAD is handled like GET. A JSON body can have at most 100,000 bytes. Responses with an
 * output or a problem have `cache-control: no-store`.
 *
 * Paths are case-sensitive, and each segment is decoded once. A path with a trailing slash is a different path.
 * If two operations match, the one with text in the first segment where they differ is called. A path field is
 * never empty, and a segment with malformed percent-encoding matches nothing.
 * @typeParam Result the guard's result for any caller, inferred from `guard`
 * @typeParam Context what the handlers of the operations need besides their input
 * @typeParam Auth the guard's result for a caller who may call the operation, inferred from `Result`
 * @param api the operations, whose paths must be below `basePath`
 * @param options the base path, the guard, and how errors are handled
 * @returns a function that returns the complete response, or `undefined` if the path is neither `basePath` nor
 *   below it, so that the app handles the request. It rejects only if `mapError` or `logError` throws, or if a
 *   problem cannot be sent, because `createProblemResponse` throws
 * @throws DefinitionError if the path of an operation is neither `basePath` nor below it
 * @see https://www.rfc-editor.org/rfc/rfc9457
 * @example
 * ```ts
 * import { type ApiDefinition, createHttpHandler, createProblemResponse } from 'assistant-operations';
 *
 * export const createApp = (
 *   api: ApiDefinition<{ readonly userId: string }>,
 *   findUserId: (authorization: string | null, scopes: readonly string[]) => Promise<string | undefined>,
 * ) => {
 *   const handle = createHttpHandler(api, {
 *     basePath: '/api',
 *     guard: async (request, scopes) => {
 *       const userId = await findUserId(request.headers.get('authorization'), scopes);
 *       if (userId !== undefined) return { ok: true, userId };
 *       const headers = { 'www-authenticate': 'Bearer' };
 *       return { ok: false, response: createProblemResponse({ status: 401, detail: 'Sign in.', headers }) };
 *     },
 *     context: ({ userId }) => ({ userId }),
 *     logError: (error) => console.error(error),
 *   });
 *   return {
 *     fetch: async (request: Request): Promise<Response> =>
 *       (await handle(request)) ?? createProblemResponse({ status: 404, detail: 'This path does not exist.' }),
 *   };
 * };
 * ```
 */
export const createHttpHandler = <
  Result extends Auth | GuardRefusal,
  Context,
  // Taken from `Result`, and inferred from nothing else (`NoInfer`): TypeScript infers `Auth` from
  // `Auth | GuardRefusal` only if the guard's type for refusals is identical to `GuardRefusal`.
  Auth extends GuardAcceptance = Extract<Result, GuardAcceptance>,
>(
  { operations }: ApiDefinition<Context>,
  options: HttpHandlerOptions<Auth, Context, Result>,
): ((request: Request) => Promise<Response | undefined>) => {
  const findRoute = createRouteFinder(operations, options.basePath);
  return async (request) => {
    const match = findRoute(request.method, readPathname(request.url));
    if (match === undefined) return undefined;
    const response = await respondWithCors(match, request, options);
    return request.method === 'HEAD' ? new Response(null, response) : response;
  };
};

/** Returns the path of a normalized URL. Takes a fraction of the time of `new URL`. */
const readPathname = (url: string): string => {
  const start = url.indexOf('/', url.indexOf('//') + 2);
  const end = url.slice(start).search(/[?#]/);
  return end === -1 ? url.slice(start) : url.slice(start, start + end);
};

/**
 * The same for every path, because only callers that the guard accepts may learn which paths and methods
 * exist.
 */
const preflightHeaders = {
  methods: 'GET, HEAD, POST, PUT, PATCH, DELETE',
  headers: 'Authorization, Content-Type',
} as const;

/** Responds to preflights, and adds CORS headers to every other response, unless `cors` is `off`. */
const respondWithCors = <Auth extends GuardAcceptance, Context>(
  match: RouteMatch<Context>,
  request: Request,
  options: HttpHandlerOptions<Auth, Context>,
): Response | Promise<Response> => {
  const { cors = 'any-origin' } = options;
  if (cors !== 'any-origin') return respond(match, request, options, (response) => response);
  return isPreflight(request)
    ? createPreflightResponse(preflightHeaders)
    : respond(match, request, options, allowAnyOrigin);
};

/**
 * Calls the guard with the scopes of the operation that was found, and runs that operation. The guard and the
 * operation use the same match, so no spelling of a path reaches an operation without its guard.
 * @param addCors adds CORS headers to a response. Not used for the output, which is created with them: changing the
 *   headers afterward is slow
 */
const respond = async <Auth extends GuardAcceptance, Context>(
  match: RouteMatch<Context>,
  request: Request,
  options: HttpHandlerOptions<Auth, Context>,
  addCors: (response: Response) => Response,
): Promise<Response> => {
  const operation = match.kind === 'operation' ? match.operation : undefined;
  try {
    const auth = await options.guard(request, operation?.scopes ?? []);
    if (!isAccepted(auth)) return addCors(readRefusal(auth));
    switch (match.kind) {
      case 'unknown-path': {
        const problem = (options.notFound ?? createNotFoundProblem)(match.pathname);
        return addCors(refuse('operation.path', problem, options));
      }
      case 'unknown-method': {
        const problem = createMethodNotAllowedProblem(match.allowedMethods);
        return addCors(refuse('operation.method', problem, options));
      }
      case 'operation': {
        const input = await match.readInput(request, match.pathParameters);
        const result = await match.operation.run(input, options.context(auth));
        if (result.ok) return createJsonResponse(result.output, options.cors ?? 'any-origin');
        return addCors(
          refuse('operation.input', createInvalidInputProblem(result.issues), options, match.operation),
        );
      }
    }
  } catch (error) {
    return addCors(refuseError(error, options, operation));
  }
};

type RefusalOptions = Pick<HttpHandlerOptions<never, never>, 'mapError' | 'logError' | 'onRefusal'>;

const refuseError = (error: unknown, options: RefusalOptions, operation?: Operation<never>): Response => {
  const problem = toProblem(error, options);
  return refuse(findReason(error, problem), problem, options, operation);
};

const refuse = (
  reason: RefusalReason,
  problem: Problem,
  options: RefusalOptions,
  operation?: Operation<never>,
): Response => {
  const { status } = problem;
  reportRefusal({ reason, endpoint: 'http', status, ...(operation && { operation: operation.id }) }, options);
  return createProblemResponse(problem);
};

const toProblem = (
  error: unknown,
  { mapError, logError }: Pick<HttpHandlerOptions<never, never>, 'mapError' | 'logError'>,
): Problem => {
  if (error instanceof ProblemError) return error.problem;
  const problem = mapError?.(error) ?? internalErrorProblem;
  if (problem.status >= 500) logError(error);
  return problem;
};

const internalErrorProblem: Problem = { status: 500, detail: 'Something went wrong on our side.' };

const createInvalidInputProblem = (issues: readonly InputIssue[]): Problem => ({
  status: 400,
  detail: 'The input does not match the schema of this operation.',
  members: { issues },
});

const createMethodNotAllowedProblem = (methods: readonly string[]): Problem => ({
  status: 405,
  detail: 'Method not allowed.',
  headers: { allow: methods.join(', ') },
});

const createNotFoundProblem = (): Problem => ({ status: 404, detail: 'This path does not exist.' });
