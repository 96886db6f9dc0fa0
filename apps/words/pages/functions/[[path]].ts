/** Every path that is no static file; `public/_routes.json` says which are. */
export { onRequest } from '../../src/pages-function.ts';
