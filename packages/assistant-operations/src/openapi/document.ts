/** Creates the OpenAPI 3.1 document of an API from the same definitions as its routes. */
import { type ApiDefinition, DefinitionError, isHttpsOrLoopback } from '../define-api.ts';
import {
  describeSchema,
  hasRequestBody,
  listFieldsOutsidePath,
  listInputFields,
  listPathFields,
  type Operation,
  readFieldDescription,
} from '../operation.ts';

/** The options of `createOpenApiDocument`. */
export interface OpenApiDocumentOptions {
  /** The name of the API. */
  readonly title: string;
  /** The version of the API, such as `1.0.0`. It is not the version of OpenAPI. */
  readonly version: string;
  /** What the API is for, in a sentence or more. */
  readonly description: string;
  /**
   * The origin of the API, which is the only server in the document: https, or http on loopback. No trailing
   * slash.
   */
  readonly origin: string;
  /**
   * The absolute URL of the authorization endpoint.
   * @see https://www.rfc-editor.org/rfc/rfc6749#section-3.1
   */
  readonly authorizationUrl: string;
  /**
   * The absolute URL of the token endpoint.
   * @see https://www.rfc-editor.org/rfc/rfc6749#section-3.2
   */
  readonly tokenUrl: string;
  /** What each scope allows, by scope. Must contain every scope that an operation requires. */
  readonly scopes: Readonly<Record<string, string>>;
}

/** An OpenAPI document: JSON values, and members that are `undefined`, which `JSON.stringify` omits. */
export type OpenApiDocument = Readonly<Record<string, unknown>>;

/** The name of the security scheme in the document. */
const scheme = 'signIn';

/**
 * Creates the OpenAPI 3.1 document of an API, for example for the Action of a GPT.
 * @typeParam Context what the handlers of the operations need besides their input
 * @param api the operations, as `defineApi` returns them
 * @param options what the document says besides the operations
 * @throws DefinitionError if the origin is neither https nor http on loopback, or an operation requires a
 *   scope that is not in `scopes`
 * @throws Error for an output schema that JSON Schema cannot describe, such as `v.date()`
 * @see https://spec.openapis.org/oas/v3.1.0
 * @example
 * ```ts
 * import { type ApiDefinition, createOpenApiDocument } from 'assistant-operations';
 * import { Hono } from 'hono';
 *
 * export const createDocumentRoutes = (
 *   api: ApiDefinition<{ readonly userId: string }>,
 *   origin: string,
 * ): Hono => {
 *   const document = createOpenApiDocument(api, {
 *     title: 'Library',
 *     version: '1.0.0',
 *     description: 'Lists books.',
 *     origin,
 *     authorizationUrl: `${origin}/authorize`,
 *     tokenUrl: `${origin}/token`,
 *     scopes: { books: 'see your books' },
 *   });
 *   return new Hono().get('/openapi.json', (context) => context.json(document));
 * };
 * ```
 */
export const createOpenApiDocument = <Context>(
  { operations }: ApiDefinition<Context>,
  options: OpenApiDocumentOptions,
): OpenApiDocument => {
  checkOrigin(options.origin);
  const { title, version, description, origin, authorizationUrl, tokenUrl, scopes } = options;
  const paths: Record<string, Record<string, unknown>> = {};
  for (const operation of operations) {
    checkScopes(operation, scopes);
    paths[operation.path] = {
      ...paths[operation.path],
      [operation.method]: buildOperationObject(operation, scheme),
    };
  }
  return {
    openapi: '3.1.0',
    info: { title, version, description },
    servers: [{ url: origin }],
    paths,
    components: {
      securitySchemes: {
        [scheme]: { type: 'oauth2', flows: { authorizationCode: { authorizationUrl, tokenUrl, scopes } } },
      },
      schemas: { Problem: problemSchema },
      responses: problemResponses,
    },
  };
};

const checkOrigin = (origin: string): void => {
  const url = URL.parse(origin);
  if (url?.origin !== origin || !isHttpsOrLoopback(url)) {
    throw new DefinitionError(
      `origin must be an https origin, or an http origin on loopback, not "${origin}".`,
    );
  }
};

const checkScopes = ({ id, scopes }: Operation<never>, declared: OpenApiDocumentOptions['scopes']): void => {
  const undeclaredScope = scopes.find((scope) => !(scope in declared));
  if (undeclaredScope !== undefined)
    throw new DefinitionError(
      `${id}: the option scopes must describe the required scope ${undeclaredScope}.`,
    );
};

const problemSchema = {
  description: 'A problem document (RFC 9457).',
  type: 'object',
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string', description: 'Describes what is wrong and what is expected.' },
  },
  required: ['type', 'title', 'status', 'detail'],
} as const;

const describeProblemResponse = (
  description: string,
  header?: { readonly name: string; readonly description: string },
) => ({
  description,
  ...(header && {
    headers: { [header.name]: { description: header.description, schema: { type: 'string' } } },
  }),
  content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
});

const problemResponses = {
  BadRequest: describeProblemResponse('The input does not match the schema of this operation.'),
  Unauthorized: describeProblemResponse('The access token is missing, expired or revoked. Sign in again.', {
    name: 'WWW-Authenticate',
    description: 'The challenge (RFC 6750).',
  }),
  Forbidden: describeProblemResponse('The access token does not have the required scope.', {
    name: 'WWW-Authenticate',
    description: 'The challenge (RFC 6750), with the required scopes.',
  }),
  NotFound: describeProblemResponse('The item does not exist.'),
  Unavailable: describeProblemResponse('The service is temporarily unavailable. Try again later.', {
    name: 'Retry-After',
    description: 'Seconds to wait before the next attempt.',
  }),
} as const;

/** Builds the operation object. `scheme` is the name of the document's security scheme. */
const buildOperationObject = (
  operation: Operation<never>,
  scheme: string,
): Readonly<Record<string, unknown>> => ({
  operationId: operation.id,
  summary: operation.summary,
  description: operation.description,
  'x-openai-isConsequential': operation.isConsequential,
  security: [{ [scheme]: operation.scopes }],
  parameters: buildParameters(operation),
  requestBody: buildRequestBody(operation),
  responses: buildResponses(operation),
});

const buildParameters = (operation: Operation<never>): readonly object[] | undefined => {
  const input = describeSchema(operation.input, 'input');
  const pathNames = listPathFields(operation.path);
  const names = hasRequestBody(operation.method)
    ? pathNames
    : [...pathNames, ...listFieldsOutsidePath(operation)];
  const parameters = names.map((name) => ({
    name,
    in: pathNames.includes(name) ? 'path' : 'query',
    required: pathNames.includes(name) || input.required?.includes(name) === true,
    description: readFieldDescription(input, name),
    schema: input.properties?.[name],
  }));
  return parameters.length > 0 ? parameters : undefined;
};

const buildRequestBody = (operation: Operation<never>): object | undefined => {
  const names = listFieldsOutsidePath(operation);
  if (!hasRequestBody(operation.method) || names.length === 0) return undefined;
  const { properties = {}, required = [], ...rest } = describeSchema(operation.input, 'input');
  const requiredNames = required.filter((name) => names.includes(name));
  const schema = {
    ...rest,
    properties: Object.fromEntries(names.map((name) => [name, properties[name]])),
    required: requiredNames,
  };
  return { required: requiredNames.length > 0, content: { 'application/json': { schema } } };
};

const buildResponses = (operation: Operation<never>): Readonly<Record<string, object | undefined>> => {
  const hasInput = listInputFields(operation).length > 0;
  const { description = 'The result.', ...schema } = describeSchema(operation.output, 'output');
  return {
    200: { description, content: { 'application/json': { schema } } },
    400: hasInput ? referToProblemResponse('BadRequest') : undefined,
    401: referToProblemResponse('Unauthorized'),
    403: referToProblemResponse('Forbidden'),
    404: referToProblemResponse('NotFound'),
    503: referToProblemResponse('Unavailable'),
  };
};

const referToProblemResponse = (name: string): object => ({ $ref: `#/components/responses/${name}` });
