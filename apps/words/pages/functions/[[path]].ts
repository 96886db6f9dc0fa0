/** Handles every path that `public/_routes.json` does not exclude. */
export { onRequest } from '../../src/pages-function.ts';
