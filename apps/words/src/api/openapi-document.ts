/**
 * Describes the API in OpenAPI. The document is a static file of the site (`scripts/app/site.ts`), at
 * `/openapi.json` and `/openapi.yaml`. Both files have the same content: JSON is YAML 1.2 (§1.3 of its specification).
 */
import { createOpenApiDocument } from 'assistant-operations';
import { gameApi } from './game-api.ts';
import { scopes } from './scopes.ts';

/** The paths of the document. */
export const documentPaths = ['/openapi.json', '/openapi.yaml'] as const;

/** Returns the document of a deployment, as JSON. */
export const renderOpenApiDocument = (origin: string): string => {
  const document = createOpenApiDocument(gameApi, {
    title: 'Words With Chat',
    version: '1.0.0',
    description:
      'A word-guessing game: the server chooses the words, judges the guesses and keeps the score.',
    origin,
    authorizationUrl: `${origin}/authorize`,
    tokenUrl: `${origin}/token`,
    scopes: { words: scopes.words.en, score: scopes.score.en },
  });
  return JSON.stringify(document, null, 2);
};
