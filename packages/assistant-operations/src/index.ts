/**
 * The entry point of the package: API operations, defined once, served over HTTP and described in OpenAPI.
 */
export { type ApiDefinition, DefinitionError, defineApi } from './define-api.ts';
export {
  createProblemResponse as problemResponse,
  type Problem,
  ProblemError,
  type ProblemStatus,
} from './http/problem.ts';
export {
  type Cors,
  createHttpRoutes,
  type Guard,
  type GuardOutcome,
  type HttpRoutesOptions,
} from './http/routes.ts';
export { createOpenApiDocument, type DocumentOptions, type OpenApiDocument } from './openapi/document.ts';
export {
  defineOperation as operation,
  type InputIssue,
  type InputSchema,
  type Method,
  noInput,
  type Operation,
  type OperationDefinition,
  type OperationResult,
} from './operation.ts';
