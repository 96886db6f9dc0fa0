/**
 * Serves the OpenAPI document of the API, public and cacheable, at `/openapi.json` and `/openapi.yaml`. Both
 * have the same body: JSON is YAML 1.2 (§1.3 of its specification).
 */
import { createOpenApiDocument } from 'assistant-operations';
import { type LogRefusal, refuseOtherMethods } from '../refusal.ts';
import { gameApi } from './game-api.ts';
import { scopes } from './scopes.ts';

/** Handles a request for the document. Returns `undefined` for any other path. */
export type HandleDocument = (request: Request) => Response | undefined;

/** Creates the handler of a deployment. The document is created at the first request for it. */
export const createDocumentHandler = (origin: string, logRefusal: LogRefusal): HandleDocument => {
  let cached: string | undefined;
  return (request) => {
    const contentType = contentTypes.get(new URL(request.url).pathname);
    if (contentType === undefined) return undefined;
    const refusal = refuseOtherMethods(request, logRefusal);
    if (refusal !== undefined) return refusal;
    cached ??= JSON.stringify(buildDocument(origin), null, 2);
    return createDocumentResponse(cached, contentType);
  };
};

const contentTypes: ReadonlyMap<string, string> = new Map([
  ['/openapi.json', 'application/json'],
  ['/openapi.yaml', 'application/yaml'],
]);

/** The paths of the document. */
export const documentPaths: readonly string[] = [...contentTypes.keys()];

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
