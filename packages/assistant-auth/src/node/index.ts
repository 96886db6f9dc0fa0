/**
 * Runs the broker on Node: a handler for Express, Fastify and `node:http`.
 * @module
 */
export {};
