/**
 * API operations, defined once, checked against the limits of GPT Actions and described in OpenAPI, and
 * problem documents (RFC 9457). It needs no web framework: `assistant-operations/hono` serves the operations
 * over HTTP.
 * @module
 */
export { type ApiDefinition, DefinitionError, defineApi } from './define-api.ts';
export {
  createProblemResponse,
  type Problem,
  ProblemError,
  type ProblemStatus,
} from './http/problem.ts';
export {
  createOpenApiDocument,
  type OpenApiDocument,
  type OpenApiDocumentOptions,
} from './openapi/document.ts';
export {
  defineOperation,
  type InputIssue,
  type InputSchema,
  type Method,
  noInput,
  type Operation,
  type OperationDefinition,
  type OperationDescription,
  type OperationResult,
} from './operation.ts';
