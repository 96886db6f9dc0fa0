/**
 * Serves operations over HTTP, as the routes of a Hono app. `createHttpHandler` of `assistant-operations` does
 * the same without Hono.
 * @module
 */
import { Hono } from 'hono';
import type { ApiDefinition } from './define-api.ts';
import type { Guard, GuardAcceptance, GuardRefusal } from './http/guard.ts';
import { type Cors, createHttpHandler, type HttpHandlerOptions } from './http/handler.ts';
import type { OnRefusal, Refusal, RefusalReason } from './http/refusal.ts';

export type {
  Cors,
  Guard,
  GuardAcceptance,
  GuardRefusal,
  HttpHandlerOptions,
  OnRefusal,
  Refusal,
  RefusalReason,
};

/**
 * Creates the routes of an API for a Hono app, which handle `basePath` and every path below it with
 * `createHttpHandler`. Mount them at the root of the app.
 * @typeParam Result the guard's result for any caller, inferred from `guard`
 * @typeParam Context what the handlers of the operations need besides their input
 * @typeParam Auth the guard's result for a caller who may call the operation, inferred from `Result`
 * @param api the operations, whose paths must be below `basePath`
 * @param options the base path, the guard, and how errors are handled
 * @returns a Hono app with the routes
 * @throws DefinitionError if the path of an operation is neither `basePath` nor below it
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
  // For the same reason as in `createHttpHandler`.
  Auth extends GuardAcceptance = Extract<Result, GuardAcceptance>,
>(
  api: ApiDefinition<Context>,
  options: HttpHandlerOptions<Auth, Context, Result>,
): Hono => {
  const handle = createHttpHandler(api, options);
  return new Hono().all(`${options.basePath}/*`, async ({ req }, next) => (await handle(req.raw)) ?? next());
};
