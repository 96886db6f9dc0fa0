/** The API's own description, public and cacheable: `/openapi.json` and `/openapi.yaml`. */
import { openApiDocument, problemResponse, toYaml } from 'assistant-operations';
import { Hono } from 'hono';
import { gameApi } from './game-api.ts';
import { scopes } from './scopes.ts';

/** Makes the routes for a deployment; the documents are written when they are first asked for. */
export const documentRoutes = (origin: string): Hono => {
  const json = once(() => JSON.stringify(describe(origin), null, 2));
  const yaml = once(() => toYaml(describe(origin)));
  const routes = new Hono();
  routes.get('/openapi.json', () => publish(json(), 'application/json'));
  routes.get('/openapi.yaml', () => publish(yaml(), 'application/yaml'));
  routes.all('/openapi.json', readOnly);
  routes.all('/openapi.yaml', readOnly);
  return routes;
};

const describe = (origin: string) =>
  openApiDocument(gameApi, {
    title: 'Words With Chat',
    version: '1.0.0',
    description: 'A word-guessing game: lists of words to guess, and a score that stays with the player.',
    origin,
    authorizationUrl: `${origin}/authorize`,
    tokenUrl: `${origin}/token`,
    scopes,
  });

const publish = (body: string, contentType: string): Response =>
  new Response(body, {
    headers: {
      'content-type': contentType,
      'cache-control': 'public, max-age=3600',
      'x-content-type-options': 'nosniff',
    },
  });

const readOnly = (): Response =>
  problemResponse({ status: 405, detail: 'This document is only read.', headers: { allow: 'GET, HEAD' } });

const once = <Made>(make: () => Made): (() => Made) => {
  let made: { readonly value: Made } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
};
