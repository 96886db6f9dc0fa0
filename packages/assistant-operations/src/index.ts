/**
 * API operations, defined once, checked against the limits of ChatGPT and Claude and described in OpenAPI,
 * and problem documents (RFC 9457). It needs no web framework: `assistant-operations/hono` serves the
 * operations over HTTP, and `assistant-operations/mcp` as the tools of an MCP server.
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
  type ToolAnnotations,
  type ToolOptions,
} from './operation.ts';
