/** The broker's guard as a middleware of Express. */
import { type Access, corsHeaders, type IntrospectionClient } from 'assistant-auth/resource-server';
import type { Response as ExpressResponse, RequestHandler } from 'express';

/** Lets a call through whose token is for this API and carries the scopes; its user stands in `response.locals.access`. */
export const guard =
  (
    server: IntrospectionClient,
    resource: string,
    scopes: readonly string[],
  ): RequestHandler<object, unknown, unknown, object, { access: Access }> =>
  async (request, response, next) => {
    // Under the API's own address, from its configuration: the host of a request is whatever its sender wrote.
    const method = request.method === 'OPTIONS' ? 'OPTIONS' : 'GET';
    const asked = new Request(resource, { method, headers: pickGuardHeaders(request.rawHeaders) });
    const caller = await server.protect(asked, { scopes });
    if (caller.kind === 'refused') return send(caller.response, response);
    response.locals.access = caller.access;
    response.set(corsHeaders);
    next();
  };

/** The headers that the guard reads. */
const guardHeaders = ['authorization', 'access-control-request-method'];

/** All of them as they came: Node keeps the first of several, and a call that sends several is refused. */
const pickGuardHeaders = (rawHeaders: readonly string[]): Headers => {
  const headers = new Headers();
  rawHeaders.forEach((name, at) => {
    if (at % 2 === 0 && guardHeaders.includes(name.toLowerCase()))
      headers.append(name, rawHeaders[at + 1] ?? '');
  });
  return headers;
};

const send = async (refused: Response, response: ExpressResponse): Promise<void> => {
  response
    .status(refused.status)
    .setHeaders(refused.headers)
    .end(await refused.text());
};
