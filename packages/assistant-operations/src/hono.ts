/**
 * The entry point `assistant-operations/hono`: serves operations over HTTP as routes of Hono, and the only file that
 * imports it. Every route is guarded, and so is every other path below the base path.
 */
import { Hono, type Context as HonoContext } from 'hono';
import type { ApiDefinition } from './define-api.ts';
import { createJsonResponse, createProblemResponse, type Problem, ProblemError } from './http/problem.ts';
import { createInputReader, type ReadInput } from './http/read-input.ts';
import type { InputIssue, Operation } from './operation.ts';

/** A guard's refusal. */
export interface GuardRefusal {
  readonly ok: false;
  readonly response: Response;
}

/** Authenticates the caller, and checks that the token has all `scopes`. */
export type Guard<
  Auth extends { readonly ok: true },
  Result extends Auth | GuardRefusal = Auth | GuardRefusal,
> = (request: Request, scopes: readonly string[]) => Promise<Result>;

/** The options of `createHttpRoutes`. */
export interface HttpRoutesOptions<
  Auth extends { readonly ok: true },
  Context,
  Result extends Auth | GuardRefusal = Auth | GuardRefusal,
> {
  /** The path below which every path belongs to the API, for example `/api`. */
  readonly basePath: `/${string}`;
  /** Called for every request, except for a preflight if `cors` is `any-origin`. */
  readonly guard: Guard<Auth, Result>;
  /**
   * Decides whether pages on other origins can call the API with `fetch`. With `any-origin`, every response
   * has CORS headers, including those of the guard, and a preflight is handled before the guard is called.
   * With `off`, no headers are added, and a preflight is handled like any other request. Default:
   * `any-origin`.
   * @see https://fetch.spec.whatwg.org/#http-cors-protocol
   */
  readonly cors?: Cors;
  /** Creates the context that is passed to the handler, once for each call. */
  readonly context: (auth: NoInfer<Auth>) => Context;
  /** Returns the problem for a path below `basePath` that no operation has. Default: a 404 problem. */
  readonly notFound?: (path: string) => Problem;
  /**
   * Maps a thrown error to a problem. If it returns `undefined`, the response is a 500. Default: a 500 for
   * every error. A `ProblemError` is not passed to it.
   */
  readonly mapError?: (error: unknown) => Problem | undefined;
  /** Called with every error whose response has a 5xx status, except a `ProblemError`. */
  readonly logError: (error: unknown) => void;
}

/**
 * Creates the routes of an API. Mount them at the root. The response to a method that no operation of a path
 * has is a 405; HEAD is handled like GET.
 */
export const createHttpRoutes = <
  Result extends Auth | GuardRefusal,
  Context,
  // Inferred from `Result`, because TypeScript infers `Auth` from `Auth | GuardRefusal` only if the guard's
  // type for refusals is identical to `GuardRefusal`.
  Auth extends { readonly ok: true } = Extract<Result, { readonly ok: true }>,
>(
  { operations }: ApiDefinition<Context>,
  options: HttpRoutesOptions<Auth, Context, Result>,
): Hono => {
  const routes = new Hono();
  for (const operation of operations) {
    const route = { operation, readInput: createInputReader(operation) };
    routes.on(operation.method.toUpperCase(), toRoutePath(operation.path), (honoContext) =>
      withCors(honoContext.req.raw, options, () => runOperation(route, honoContext, options)),
    );
  }
  for (const [path, methods] of groupMethodsByPath(operations)) {
    routes.all(toRoutePath(path), ({ req }) =>
      withCors(req.raw, options, () =>
        respondWithProblem(req.raw, createMethodNotAllowedProblem(methods), options),
      ),
    );
  }
  routes.all(`${options.basePath}/*`, ({ req }) =>
    withCors(req.raw, options, () =>
      respondWithProblem(req.raw, (options.notFound ?? createNotFoundProblem)(req.path), options),
    ),
  );
  return routes;
};

/** Responds to preflights, and adds CORS headers to every other response, unless `cors` is `off`. */
const withCors = async (
  request: Request,
  { cors = 'any-origin' }: { readonly cors?: Cors },
  respond: () => Promise<Response>,
): Promise<Response> => {
  if (cors !== 'any-origin') return respond();
  return isPreflight(request) ? createPreflightResponse() : allowAnyOrigin(await respond());
};

interface OperationRoute<Context> {
  readonly operation: Operation<Context>;
  readonly readInput: ReadInput;
}

// The guard runs inside each route, not before it: a path that is spelled so that it bypasses a guard also
// misses the route.
const runOperation = async <Auth extends { readonly ok: true }, Context>(
  { operation, readInput }: OperationRoute<Context>,
  { req }: HonoContext,
  options: HttpRoutesOptions<Auth, Context>,
): Promise<Response> => {
  try {
    const auth = await options.guard(req.raw, operation.scopes);
    if (!auth.ok) return auth.response;
    const input = await readInput(req.raw, req.param());
    const result = await operation.run(input, options.context(auth));
    return result.ok
      ? createJsonResponse(result.output)
      : createProblemResponse(createInvalidInputProblem(result.issues));
  } catch (error) {
    return createProblemResponse(toProblem(error, options));
  }
};

const respondWithProblem = async <Auth extends { readonly ok: true }, Context>(
  request: Request,
  problem: Problem,
  options: HttpRoutesOptions<Auth, Context>,
): Promise<Response> => {
  try {
    const auth = await options.guard(request, []);
    return auth.ok ? createProblemResponse(problem) : auth.response;
  } catch (error) {
    return createProblemResponse(toProblem(error, options));
  }
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

// CORS (Fetch standard): calls are authenticated by the `Authorization` header, so any origin is allowed.

/**
 * `any-origin` lets pages on any origin call the API with `fetch`; `off` leaves CORS to the app. With
 * `any-origin`, cookies are never allowed.
 */
export type Cors = 'any-origin' | 'off';

/** Returns whether a request is a CORS preflight, and not another OPTIONS request. */
const isPreflight = ({ method, headers }: Request): boolean =>
  method === 'OPTIONS' && headers.has('access-control-request-method');

/**
 * Creates the response to a preflight, the same for every path, because only callers that the guard accepts
 * may learn which paths and methods exist. The headers are listed by name, because `*` does not cover
 * `Authorization`.
 */
const createPreflightResponse = (): Response =>
  new Response(null, {
    status: 204,
    headers: {
      'access-control-allow-origin': '*',
      'access-control-allow-methods': 'GET, HEAD, POST, PUT, PATCH, DELETE',
      'access-control-allow-headers': 'Authorization, Content-Type',
      // In seconds: Chromium's maximum.
      'access-control-max-age': '7200',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    },
  });

/**
 * Copies the response so that pages on any origin can read it, including the headers that say how to get a
 * token and when to try again.
 */
const allowAnyOrigin = (response: Response): Response => {
  const readableResponse = new Response(response.body, response);
  readableResponse.headers.set('access-control-allow-origin', '*');
  readableResponse.headers.set('access-control-expose-headers', 'WWW-Authenticate, Retry-After');
  return readableResponse;
};
