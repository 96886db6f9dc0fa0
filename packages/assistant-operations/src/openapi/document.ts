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

/** A problem that does not depend on the handler of an operation. */
interface CommonProblem {
  /** Its name in the document. */
  readonly name: string;
  readonly description: string;
  /** A header of its response. Default: none besides those of every response. */
  readonly header?: { readonly name: string; readonly description: string };
}

const retryAfter = { name: 'Retry-After', description: 'Seconds to wait before the next attempt.' } as const;

/** The problems of the guard and of the HTTP handler, by status. */
const commonProblems: Readonly<Record<number, CommonProblem>> = {
  400: { name: 'BadRequest', description: 'The input does not match the schema of this operation.' },
  401: {
    name: 'Unauthorized',
    description: 'The access token is missing, expired or revoked. Sign in again.',
    header: { name: 'WWW-Authenticate', description: 'The challenge (RFC 6750).' },
  },
  403: {
    name: 'Forbidden',
    description: 'The access token does not have the required scope.',
    header: { name: 'WWW-Authenticate', description: 'The challenge (RFC 6750), with the required scopes.' },
  },
  413: { name: 'ContentTooLarge', description: 'The body has more than 100,000 bytes.' },
  415: {
    name: 'UnsupportedMediaType',
    description: 'The body is not JSON according to its Content-Type.',
    header: { name: 'Accept-Post', description: 'The supported Content-Type.' },
  },
  421: { name: 'MisdirectedRequest', description: 'This server does not serve the requested host.' },
  429: { name: 'TooManyRequests', description: 'Too many calls. Try again later.', header: retryAfter },
  500: { name: 'InternalServerError', description: 'Something went wrong on the server.' },
  503: {
    name: 'Unavailable',
    description: 'The service is temporarily unavailable. Try again later.',
    header: retryAfter,
  },
};

const describeProblem = (description: string, header: CommonProblem['header']): object => ({
  description,
  ...(header && {
    headers: { [header.name]: { description: header.description, schema: { type: 'string' } } },
  }),
  content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
});

const problemResponses = Object.fromEntries(
  Object.values(commonProblems).map(({ name, description, header }) => [
    name,
    describeProblem(description, header),
  ]),
);

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

/**
 * Lists the responses that can occur: those of the guard and of the HTTP handler, and the problems of the operation.
 */
const buildResponses = (operation: Operation<never>): Readonly<Record<string, object>> => {
  const { description = 'The result.', ...schema } = describeSchema(operation.output, 'output');
  const common = listCommonStatuses(operation).map((status) => [
    status,
    { $ref: `#/components/responses/${commonProblems[status]?.name}` },
  ]);
  const ofHandler = Object.entries(operation.problems ?? {}).map(([status, text]) => [
    status,
    describeProblem(text, commonProblems[Number(status)]?.header),
  ]);
  return {
    200: { description, content: { 'application/json': { schema } } },
    ...Object.fromEntries(common),
    ...Object.fromEntries(ofHandler),
  };
};

const listCommonStatuses = (operation: Operation<never>): readonly number[] => {
  const hasBody = hasRequestBody(operation.method) && listFieldsOutsidePath(operation).length > 0;
  return [
    ...(listInputFields(operation).length > 0 ? [400] : []),
    401,
    ...(operation.scopes.length > 0 ? [403] : []),
    // Without fields in the body, it is not read.
    ...(hasBody ? [413, 415] : []),
    ...[421, 429, 500, 503],
  ];
};
