/** What is answered where there is nothing: a page for people, a problem document for everybody else. */
import { problemResponse } from 'assistant-operations';
import type { Bindings } from './bindings.ts';

/** Answers a request that nothing else answers. */
export const notFound = async (
  request: Request,
  origin: string,
  assets: Bindings['assets'],
): Promise<Response> => {
  const isRead = request.method === 'GET' || request.method === 'HEAD';
  if (!isRead || !request.headers.get('accept')?.includes('text/html')) {
    return problemResponse({ status: 404, detail: 'There is nothing at this path.' });
  }
  const page = await assets.fetch(`${origin}/404`);
  const headers = new Headers(page.headers);
  // The same address answers programs differently, so nobody keeps either answer.
  headers.set('cache-control', 'no-store');
  headers.delete('etag');
  return new Response(page.body, { status: 404, headers });
};
