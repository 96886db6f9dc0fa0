/** Responds to unknown paths: to browsers with a page in their language, and to other clients with a problem document. */
import { createProblemResponse } from 'assistant-operations';
import type { Bindings } from './bindings.ts';
import type { LogRefusal } from './refusal.ts';
import { localizePath } from './site-routes.ts';

/** Responds to a request that nothing else handles, and logs it. */
export const notFound = async (
  request: Request,
  origin: string,
  assets: Bindings['assets'],
  logRefusal: LogRefusal,
): Promise<Response> => {
  const response = await createResponse(request, origin, assets);
  // Afterward, because a page that cannot be read is logged as another error.
  logRefusal('app.path');
  return response;
};

const createResponse = async (
  request: Request,
  origin: string,
  assets: Bindings['assets'],
): Promise<Response> => {
  const isRead = request.method === 'GET' || request.method === 'HEAD';
  if (!isRead || !request.headers.get('accept')?.includes('text/html')) {
    return createProblemResponse({ status: 404, detail: 'This path does not exist.' });
  }
  const page = await assets.fetch(origin + localizePath('/404', request));
  const headers = new Headers(page.headers);
  // Browsers and other clients get different responses from the same URL, so neither may be cached.
  headers.set('cache-control', 'no-store');
  headers.delete('etag');
  return new Response(page.body, { status: 404, headers });
};
