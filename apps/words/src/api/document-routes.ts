/**
 * Serves the OpenAPI document of the API, public and cacheable, at `/openapi.json` and `/openapi.yaml`. Both
 * have the same body: JSON is YAML 1.2 (§1.3 of its specification).
 */
import { createOpenApiDocument, createProblemResponse } from 'assistant-operations';
import { Hono } from 'hono';
import { gameApi } from './game-api.ts';
import { scopes } from './scopes.ts';

/** Logs that the app itself refused a request, with the code of the reason. */
export type LogRefusal = (reason: 'app.method' | 'app.path' | 'app.failed') => void;

/** Creates the routes of a deployment. The document is created at the first request for it. */
export const createDocumentRoutes = (origin: string, logRefusal: LogRefusal): Hono => {
  let cached: string | undefined;
  const routes = new Hono();
  for (const [path, contentType] of contentTypes) {
    routes.get(path, () => {
      cached ??= JSON.stringify(buildDocument(origin), null, 2);
      return createDocumentResponse(cached, contentType);
    });
    routes.all(path, () => rejectMethod(logRefusal));
  }
  return routes;
};

/** Logs and refuses a request with another method than GET and HEAD. */
export const rejectMethod = (logRefusal: LogRefusal): Response => {
  logRefusal('app.method');
  return createProblemResponse({
    status: 405,
    detail: 'This document is read-only.',
    headers: { allow: 'GET, HEAD' },
  });
};

const contentTypes = [
  ['/openapi.json', 'application/json'],
  ['/openapi.yaml', 'application/yaml'],
] as const;

const buildDocument = (origin: string) =>
  createOpenApiDocument(gameApi, {
    title: 'Words With Chat',
    version: '1.0.0',
    description: 'A word-guessing game: lists of words to guess, and a score that stays with the player.',
    origin,
    authorizationUrl: `${origin}/authorize`,
    tokenUrl: `${origin}/token`,
    scopes: { words: scopes.words.en, score: scopes.score.en },
  });

const createDocumentResponse = (body: string, contentType: string): Response =>
  new Response(body, {
    headers: {
      'content-type': contentType,
      'cache-control': 'public, max-age=3600',
      'x-content-type-options': 'nosniff',
    },
  });
