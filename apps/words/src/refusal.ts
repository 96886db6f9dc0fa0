/** Refuses and logs requests with other methods, for the parts of the app that only serve documents. */
import { createProblemResponse } from 'assistant-operations';

/** Logs that the app itself refused a request, with the code of the reason. */
export type LogRefusal = (
  reason: 'app.method' | 'app.path' | 'app.failed' | 'app.origin' | 'app.form' | 'app.limited',
) => void;

/**
 * Refuses and logs a request whose method is not GET or HEAD. Returns `undefined` otherwise.
 * @param allow the methods that the path allows
 */
export const refuseOtherMethods = (
  { method }: Request,
  logRefusal: LogRefusal,
  allow = 'GET, HEAD',
): Response | undefined => {
  if (method === 'GET' || method === 'HEAD') return undefined;
  logRefusal('app.method');
  return createProblemResponse({
    status: 405,
    detail: 'Method not allowed.',
    headers: { allow },
  });
};
