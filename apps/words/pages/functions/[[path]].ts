/** Handles every path that is not a static file. `public/_routes.json` lists the static files. */
export { onRequest } from '../../src/pages-function.ts';
