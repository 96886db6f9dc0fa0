/** Operations served over HTTP: every route is guarded, and so is every path below the same base that is none. */
import { Hono, type Context as HonoContext } from 'hono';
import type { ApiDefinition } from '../define-api.ts';
import type { InputIssue, Operation } from '../operation.ts';
import { createJsonResponse, createProblemResponse, type Problem, ProblemError } from './problem.ts';
import { createInputReader, type ReadInput } from './read-input.ts';

/** What a guard found: the caller, or the finished response to send instead. */
export type GuardOutcome<Access> =
  | { readonly kind: 'granted'; readonly access: Access }
  | { readonly kind: 'refused'; readonly response: Response };

/** Tells who calls and whether their token carries all `scopes`. */
export type Guard<Access> = (request: Request, scopes: readonly string[]) => Promise<GuardOutcome<Access>>;

export interface HttpRoutesOptions<Access, Context> {
  /** The path below which everything is the API's, for example `/api`. */
  readonly basePath: `/${string}`;
  readonly guard: Guard<Access>;
  /**
   * Decides whether pages on other origins can call the API with `fetch`. With `any-origin`, every response has CORS headers, including
   * those of the guard, and a preflight is answered before the guard is called. With `off`, no headers are added, and a preflight is
   * handled like any other request. Default: `any-origin`.
   * @see https://fetch.spec.whatwg.org/#http-cors-protocol
   */
  readonly cors?: Cors;
  /** What handlers are given, made anew for each call. */
  readonly context: (access: Access) => Context;
  /** The problem of a path below `base` that no operation has; left out: a plain 404. */
  readonly notFound?: (path: string) => Problem;
  /** Translates what a handler threw; `undefined`, or left out, makes it a 500. */
  readonly mapError?: (error: unknown) => Problem | undefined;
  /** Is told of every error that is answered with a 5xx. */
  readonly logError: (error: unknown) => void;
}

/** Makes the routes of a catalogue: mount them at the root. A wrong method is a 405, and HEAD answers like GET. */
export const createHttpRoutes = <Access, Context>(
  { operations }: ApiDefinition<Context>,
  options: HttpRoutesOptions<Access, Context>,
): Hono => {
  const routes = new Hono();
  for (const operation of operations) {
    const route = { operation, readInput: createInputReader(operation) };
    routes.on(operation.method.toUpperCase(), routePath(operation.path), (honoContext) =>
      withCors(honoContext.req.raw, options, () => runOperation(route, honoContext, options)),
    );
  }
  for (const [path, methods] of methodsByPath(operations)) {
    routes.all(routePath(path), ({ req }) =>
      withCors(req.raw, options, () =>
        respondWithProblem(req.raw, methodNotAllowedProblem(methods), options),
      ),
    );
  }
  routes.all(`${options.basePath}/*`, ({ req }) =>
    withCors(req.raw, options, () =>
      respondWithProblem(req.raw, (options.notFound ?? notFoundProblem)(req.path), options),
    ),
  );
  return routes;
};

/** Answers preflights, and adds CORS headers to every other response, unless `cors` is `off`. */
const withCors = async (
  request: Request,
  { cors = 'any-origin' }: { readonly cors?: Cors },
  respond: () => Promise<Response>,
): Promise<Response> => {
  if (cors !== 'any-origin') return respond();
  return isPreflight(request) ? preflightResponse() : allowAnyOrigin(await respond());
};

interface OperationRoute<Context> {
  readonly operation: Operation<Context>;
  readonly readInput: ReadInput;
}

// The guard stands inside each route, not before it: a path that is spelled so as to miss a guard misses the route too.
const runOperation = async <Access, Context>(
  { operation, readInput }: OperationRoute<Context>,
  { req }: HonoContext,
  options: HttpRoutesOptions<Access, Context>,
): Promise<Response> => {
  try {
    const outcome = await options.guard(req.raw, operation.scopes);
    if (outcome.kind === 'refused') return outcome.response;
    const input = await readInput(req.raw, req.param());
    const result = await operation.run(input, options.context(outcome.access));
    return result.kind === 'done'
      ? createJsonResponse(result.output)
      : createProblemResponse(invalidInputProblem(result.issues));
  } catch (error) {
    return createProblemResponse(toProblem(error, options));
  }
};

const respondWithProblem = async <Access, Context>(
  request: Request,
  problem: Problem,
  options: HttpRoutesOptions<Access, Context>,
): Promise<Response> => {
  try {
    const outcome = await options.guard(request, []);
    return outcome.kind === 'refused' ? outcome.response : createProblemResponse(problem);
  } catch (error) {
    return createProblemResponse(toProblem(error, options));
  }
};

const toProblem = <Access, Context>(error: unknown, options: HttpRoutesOptions<Access, Context>): Problem => {
  if (error instanceof ProblemError) return error.problem;
  const problem = options.mapError?.(error) ?? internalErrorProblem;
  if (problem.status >= 500) options.logError(error);
  return problem;
};

const internalErrorProblem: Problem = { status: 500, detail: 'Something went wrong on our side.' };

const invalidInputProblem = (issues: readonly InputIssue[]): Problem => ({
  status: 400,
  detail: 'The input does not fit this operation.',
  members: { issues },
});

const methodNotAllowedProblem = (methods: readonly string[]): Problem => ({
  status: 405,
  detail: 'This path does not answer that method.',
  headers: { allow: methods.join(', ') },
});

const notFoundProblem = (): Problem => ({ status: 404, detail: 'There is nothing at this path.' });

const methodsByPath = (operations: readonly Operation<never>[]): ReadonlyMap<string, readonly string[]> => {
  const methods = new Map<string, readonly string[]>();
  for (const { path, method } of operations) {
    const allowed = method === 'get' ? ['GET', 'HEAD'] : [method.toUpperCase()];
    methods.set(path, [...(methods.get(path) ?? []), ...allowed]);
  }
  return methods;
};

const routePath = (path: string): string => path.replace(/\{([^}]*)\}/g, ':$1');

// Cross-origin resource sharing (Fetch standard, "CORS protocol") for an API that authenticates every call by a token in the `Authorization` header, so that any origin can call it. Credentials (cookies) are never allowed.

/** `any-origin` lets pages on any origin call the API with `fetch`; `off` leaves CORS to the app. */
export type Cors = 'any-origin' | 'off';

/** Tells whether a request is a CORS preflight, and not another OPTIONS request. */
const isPreflight = ({ method, headers }: Request): boolean =>
  method === 'OPTIONS' && headers.has('access-control-request-method');

/**
 * Answers a preflight in the same way for every path, because only callers that the guard accepts may learn which paths and methods
 * exist. The headers are listed by name, because `*` does not cover `Authorization`.
 */
const preflightResponse = (): Response =>
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

/** Copies the response so that pages on any origin can read it, including the headers that say how to get a token and when to try again. */
const allowAnyOrigin = (response: Response): Response => {
  const readable = new Response(response.body, response);
  readable.headers.set('access-control-allow-origin', '*');
  readable.headers.set('access-control-expose-headers', 'WWW-Authenticate, Retry-After');
  return readable;
};
