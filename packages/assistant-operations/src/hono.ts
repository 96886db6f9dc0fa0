/**
 * Serves operations over HTTP, as the routes of a Hono app. Every path below the base path is guarded,
 * whether an operation has it or not.
 * @module
 */
import { Hono, type Context as HonoContext } from 'hono';
import type { ApiDefinition } from './define-api.ts';
import { allowAnyOrigin, createPreflightResponse, isPreflight } from './http/cors.ts';
import {
  type Guard,
  type GuardAcceptance,
  type GuardRefusal,
  isAccepted,
  readRefusal,
} from './http/guard.ts';
import { createJsonResponse, createProblemResponse, type Problem, ProblemError } from './http/problem.ts';
import { createInputReader, type ReadInput } from './http/read-input.ts';
import {
  findReason,
  type OnRefusal,
  type Refusal,
  type RefusalReason,
  reportRefusal,
} from './http/refusal.ts';
import type { InputIssue, Operation } from './operation.ts';

export type { Guard, GuardAcceptance, GuardRefusal, OnRefusal, Refusal, RefusalReason };

/**
 * Decides whether pages on other origins can call the API with `fetch`. `any-origin` lets all pages call it,
 * without cookies; `off` leaves CORS to the app.
 */
export type Cors = 'any-origin' | 'off';

/**
 * The options of `createHttpRoutes`.
 * @typeParam Auth the guard's result for a caller who may call the operation
 * @typeParam Context what the handlers of the operations need besides their input
 * @typeParam Result the guard's result for any caller. Default: `Auth | GuardRefusal`.
 */
export interface HttpRoutesOptions<
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
   * Authenticates the caller. Called once for every request below `basePath`, except for a preflight if
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
  /** Returns the problem for a path below `basePath` that no operation has. Default: a 404 problem. */
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
 * Creates the routes of an API, which read the input of a call, validate it, and respond with JSON or a
 * problem document. Mount them at the root of the app.
 *
 * Every path below `basePath` is guarded. A request with a method that no operation of the path has gets a
 * 405 response; HEAD is handled like GET. A JSON body can have at most 100,000 bytes. Responses with an
 * output or a problem have `cache-control: no-store`.
 * @typeParam Result the guard's result for any caller, inferred from `guard`
 * @typeParam Context what the handlers of the operations need besides their input
 * @typeParam Auth the guard's result for a caller who may call the operation, inferred from `Result`
 * @param api the operations, whose paths must be below `basePath`
 * @param options the base path, the guard, and how errors are handled
 * @returns a Hono app with the routes
 * @see https://www.rfc-editor.org/rfc/rfc9457
 * @example
 * ```ts
 * import { type ApiDefinition, createProblemResponse } from 'assistant-operations';
 * import { createHttpRoutes } from 'assistant-operations/hono';
 * import { Hono } from 'hono';
 *
 * export const createApp = (
 *   api: ApiDefinition<{ readonly userId: string }>,
 *   findUserId: (authorization: string | null, scopes: readonly string[]) => Promise<string | undefined>,
 * ): Hono => {
 *   const app = new Hono();
 *   const routes = createHttpRoutes(api, {
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
 *   app.route('/', routes);
 *   return app;
 * };
 * ```
 */
export const createHttpRoutes = <
  Result extends Auth | GuardRefusal,
  Context,
  // Taken from `Result`, and inferred from nothing else (`NoInfer`): TypeScript infers `Auth` from
  // `Auth | GuardRefusal` only if the guard's type for refusals is identical to `GuardRefusal`.
  Auth extends GuardAcceptance = Extract<Result, GuardAcceptance>,
>(
  { operations }: ApiDefinition<Context>,
  options: HttpRoutesOptions<Auth, Context, Result>,
): Hono => {
  const routes = new Hono();
  for (const operation of operations) {
    const route = { operation, readInput: createInputReader(operation) };
    routes.on(operation.method.toUpperCase(), toRoutePath(operation.path), (honoContext) =>
      withCors(honoContext.req.raw, options, (addCors) => runOperation(route, honoContext, options, addCors)),
    );
  }
  for (const [path, methods] of groupMethodsByPath(operations)) {
    routes.all(toRoutePath(path), ({ req }) =>
      withCors(req.raw, options, async (addCors) =>
        addCors(
          await refuseUnknown(req.raw, 'operation.method', createMethodNotAllowedProblem(methods), options),
        ),
      ),
    );
  }
  routes.all(`${options.basePath}/*`, ({ req }) =>
    withCors(req.raw, options, async (addCors) => {
      const problem = (options.notFound ?? createNotFoundProblem)(req.path);
      return addCors(await refuseUnknown(req.raw, 'operation.path', problem, options));
    }),
  );
  return routes;
};

/**
 * The same for every path, because only callers that the guard accepts may learn which paths and methods
 * exist.
 */
const preflightHeaders = {
  methods: 'GET, HEAD, POST, PUT, PATCH, DELETE',
  headers: 'Authorization, Content-Type',
} as const;

/**
 * Responds to preflights, and adds CORS headers to every other response, unless `cors` is `off`.
 * @param respond gets the function that adds them. A response that was created with them must not pass through it,
 *   because that takes longer than everything else that is done with a response
 */
const withCors = async (
  request: Request,
  { cors = 'any-origin' }: { readonly cors?: Cors },
  respond: (addCors: AddCors) => Promise<Response>,
): Promise<Response> => {
  if (cors !== 'any-origin') return respond((response) => response);
  return isPreflight(request) ? createPreflightResponse(preflightHeaders) : respond(allowAnyOrigin);
};

type AddCors = (response: Response) => Response;

interface OperationRoute<Context> {
  readonly operation: Operation<Context>;
  readonly readInput: ReadInput;
}

// The guard runs inside each route, not before it: a path that is spelled so that it bypasses a guard also
// misses the route.
const runOperation = async <Auth extends GuardAcceptance, Context>(
  { operation, readInput }: OperationRoute<Context>,
  { req }: HonoContext,
  options: HttpRoutesOptions<Auth, Context>,
  addCors: AddCors,
): Promise<Response> => {
  try {
    const auth = await options.guard(req.raw, operation.scopes);
    if (!isAccepted(auth)) return addCors(readRefusal(auth));
    const input = await readInput(req.raw, req.param());
    const result = await operation.run(input, options.context(auth));
    return result.ok
      ? createJsonResponse(result.output, options.cors ?? 'any-origin')
      : addCors(refuse('operation.input', createInvalidInputProblem(result.issues), options, operation));
  } catch (error) {
    return addCors(refuseError(error, options, operation));
  }
};

/** Refuses a request that no operation handles, if the guard accepts the caller. */
const refuseUnknown = async <Auth extends GuardAcceptance, Context>(
  request: Request,
  reason: RefusalReason,
  problem: Problem,
  options: HttpRoutesOptions<Auth, Context>,
): Promise<Response> => {
  try {
    const auth = await options.guard(request, []);
    return isAccepted(auth) ? refuse(reason, problem, options) : readRefusal(auth);
  } catch (error) {
    return refuseError(error, options);
  }
};

type RefusalOptions = Pick<HttpRoutesOptions<never, never>, 'mapError' | 'logError' | 'onRefusal'>;

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
  { mapError, logError }: Pick<HttpRoutesOptions<never, never>, 'mapError' | 'logError'>,
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

const groupMethodsByPath = (
  operations: readonly Operation<never>[],
): ReadonlyMap<string, readonly string[]> => {
  const methods = new Map<string, readonly string[]>();
  for (const { path, method } of operations) {
    const allowed = method === 'get' ? ['GET', 'HEAD'] : [method.toUpperCase()];
    methods.set(path, [...(methods.get(path) ?? []), ...allowed]);
  }
  return methods;
};

const toRoutePath = (path: string): string => path.replace(/\{([^}]*)\}/g, ':$1');
