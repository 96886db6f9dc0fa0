/** Refuses and logs requests with other methods, for the parts of the app that only serve documents. */
import { createProblemResponse } from 'assistant-operations';

/** Logs that the app itself refused a request, with the code of the reason. */
export type LogRefusal = (
  reason: 'app.method' | 'app.path' | 'app.failed' | 'app.host' | 'app.origin' | 'app.form' | 'app.limited',
) => void;

/** Refuses and logs a request whose method is not GET or HEAD. Returns `undefined` otherwise. */
export const refuseOtherMethods = ({ method }: Request, logRefusal: LogRefusal): Response | undefined =>
  method === 'GET' || method === 'HEAD' ? undefined : refuseMethod('GET, HEAD', logRefusal);

/** Refuses and logs a request whose method the path does not allow. `allow` lists those that it allows. */
export const refuseMethod = (allow: string, logRefusal: LogRefusal): Response => {
  logRefusal('app.method');
  return createProblemResponse({
    status: 405,
    detail: 'Method not allowed.',
    headers: { allow },
  });
};
