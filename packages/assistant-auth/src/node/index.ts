/**
 * Runs the broker on Node: a handler for Express, Fastify, `node:http` and `node:http2`, and a `fetch` that
 * connects only to public addresses.
 * @module
 */
export {
  MalformedRequestError,
  type NodeHandler,
  type NodeHandlerOptions,
  type NodeRequest,
  type NodeResponse,
  sendResponse,
  toNodeHandler,
  toRequest,
} from './handler.ts';
export { publicFetch } from './public-fetch.ts';
