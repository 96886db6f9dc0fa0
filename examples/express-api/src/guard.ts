/** The broker's guard as Express middleware. */
import { type AuthorizedCall, corsHeaders, type ResourceServer } from 'assistant-auth/resource-server';
import type { Response as ExpressResponse, RequestHandler } from 'express';

/** Accepts a call whose token is for this API and has the scopes. The user is in `response.locals.auth`. */
export const guard =
  (
    server: ResourceServer,
    resource: string,
    scopes: readonly string[],
  ): RequestHandler<object, unknown, unknown, object, { auth: AuthorizedCall }> =>
  async (request, response, next) => {
    // Uses the configured URL of the API, because the sender controls the Host header of a request.
    const method = request.method === 'OPTIONS' ? 'OPTIONS' : 'GET';
    const guardRequest = new Request(resource, { method, headers: pickGuardHeaders(request.rawHeaders) });
    const auth = await server.protect(guardRequest, { scopes });
    if (!auth.ok) return sendResponse(auth.response, response);
    response.locals.auth = auth;
    response.set(corsHeaders);
    next();
  };

/** The headers that the guard reads. */
const guardHeaders = ['authorization', 'access-control-request-method'];

/**
 * Copies these headers as received. `request.headers` has only the first of several, but a call with several
 * tokens must be refused.
 */
const pickGuardHeaders = (rawHeaders: readonly string[]): Headers => {
  const headers = new Headers();
  rawHeaders.forEach((name, index) => {
    if (index % 2 === 0 && guardHeaders.includes(name.toLowerCase()))
      headers.append(name, rawHeaders[index + 1] ?? '');
  });
  return headers;
};

const sendResponse = async (guardResponse: Response, response: ExpressResponse): Promise<void> => {
  response
    .status(guardResponse.status)
    .setHeaders(guardResponse.headers)
    .end(await guardResponse.text());
};
