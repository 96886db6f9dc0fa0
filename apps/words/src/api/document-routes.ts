/** Serves the OpenAPI document of the API, public and cacheable: `/openapi.json` and `/openapi.yaml`. */
import { createOpenApiDocument, problemResponse, toYaml } from 'assistant-operations';
import { Hono } from 'hono';
import { gameApi } from './game-api.ts';
import { scopes } from './scopes.ts';

/** Creates the routes of a deployment. Each document is created at the first request for it. */
export const createDocumentRoutes = (origin: string): Hono => {
  const json = memoize(() => JSON.stringify(buildDocument(origin), null, 2));
  const yaml = memoize(() => toYaml(buildDocument(origin)));
  const routes = new Hono();
  routes.get('/openapi.json', () => createDocumentResponse(json(), 'application/json'));
  routes.get('/openapi.yaml', () => createDocumentResponse(yaml(), 'application/yaml'));
  routes.all('/openapi.json', rejectMethod);
  routes.all('/openapi.yaml', rejectMethod);
  return routes;
};

const buildDocument = (origin: string) =>
  createOpenApiDocument(gameApi, {
    title: 'Words With Chat',
    version: '1.0.0',
    description: 'A word-guessing game: lists of words to guess, and a score that stays with the player.',
    origin,
    authorizationUrl: `${origin}/authorize`,
    tokenUrl: `${origin}/token`,
    scopes,
  });

const createDocumentResponse = (body: string, contentType: string): Response =>
  new Response(body, {
    headers: {
      'content-type': contentType,
      'cache-control': 'public, max-age=3600',
      'x-content-type-options': 'nosniff',
    },
  });

const rejectMethod = (): Response =>
  problemResponse({ status: 405, detail: 'This document is only read.', headers: { allow: 'GET, HEAD' } });

const memoize = <Made>(make: () => Made): (() => Made) => {
  let cached: { readonly value: Made } | undefined;
  return () => {
    cached ??= { value: make() };
    return cached.value;
  };
};
