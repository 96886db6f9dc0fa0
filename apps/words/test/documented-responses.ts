/**
 * Checks every response of an operation against the OpenAPI document, in all tests that call a deployment.
 */
import * as v from 'valibot';
import { gameApi } from '../src/api/game-api.ts';
import { renderOpenApiDocument } from '../src/api/openapi-document.ts';
import { origin } from './flows.ts';

export interface ResponseObject {
  readonly $ref?: string;
  readonly headers?: Readonly<Record<string, object>>;
  readonly content?: Readonly<Record<string, object>>;
}

interface Document {
  readonly paths: Readonly<
    Record<string, Readonly<Record<string, { readonly responses: Readonly<Record<string, ResponseObject>> }>>>
  >;
  readonly components: { readonly responses: Readonly<Record<string, ResponseObject>> };
}

const document: Document = JSON.parse(renderOpenApiDocument(origin));

/** The headers that some responses have, and that the document must list then. */
const documentedHeaders = ['WWW-Authenticate', 'Retry-After', 'Accept-Post'];

/** Reads the documented responses of an operation, by status. Empty if there is no such operation. */
export const readDocumentedResponses = (
  method: string,
  path: string,
): ReadonlyMap<number, ResponseObject> => {
  const { paths, components } = document;
  const template = Object.keys(paths).find((key) => matchesTemplate(path, key)) ?? '';
  const responses = Object.entries(paths[template]?.[method.toLowerCase()]?.responses ?? {});
  return new Map(
    responses.map(([status, found]) => {
      const name = (found.$ref ?? '').replace('#/components/responses/', '');
      return [Number(status), components.responses[name] ?? found] as const;
    }),
  );
};

/** Returns whether a path is that of an operation, in which `{…}` is any segment. */
const matchesTemplate = (path: string, template: string): boolean =>
  new RegExp(`^${template.replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(path);

/** @throws Error if a body does not match the output schema of the operation, which HTTP does not check */
const checkOutput = (method: string, path: string, body: unknown): void => {
  const operation = gameApi.operations.find(
    (candidate) => candidate.method === method.toLowerCase() && matchesTemplate(path, candidate.path),
  );
  if (operation !== undefined) v.parse(operation.output, body);
};

/** @throws Error if the request calls an operation whose document does not list the response as it is */
export const checkDocumentedResponse = async (
  { method, url }: Request,
  response: Response,
): Promise<void> => {
  const documented = readDocumentedResponses(method, new URL(url).pathname);
  if (documented.size === 0) return;
  const called = `${method} ${url}, status ${response.status}`;
  const found = documented.get(response.status);
  if (found === undefined) throw new Error(`${called}: the document does not list this status`);
  const type = response.headers.get('content-type') ?? '';
  if (!(type in (found.content ?? {})))
    throw new Error(`${called}: the document does not list the type ${type}`);
  for (const name of documentedHeaders)
    if (response.headers.has(name) !== name in (found.headers ?? {}))
      throw new Error(`${called}: the document and the response differ in the header ${name}`);
  if (response.status === 200 && method !== 'HEAD')
    checkOutput(method, new URL(url).pathname, await response.clone().json());
  if (type !== 'application/problem+json') return;
  const problem = Object(await response.clone().json());
  if (
    problem.status !== response.status ||
    typeof problem.title !== 'string' ||
    typeof problem.detail !== 'string'
  )
    throw new Error(`${called}: the body is not the documented problem`);
};
