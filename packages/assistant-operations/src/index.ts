/**
 * API operations, defined once, checked against the limits of ChatGPT and Claude and described in OpenAPI,
 * served over HTTP without a web framework, and problem documents (RFC 9457). `assistant-operations/mcp` serves
 * the operations as the tools of an MCP server, and `assistant-operations/hono` as the routes of a Hono app.
 * @module
 */
export { type ApiDefinition, DefinitionError, defineApi } from './define-api.ts';
export type { Guard, GuardAcceptance, GuardRefusal } from './http/guard.ts';
export { type Cors, createHttpHandler, type HttpHandlerOptions } from './http/handler.ts';
export {
  createProblemResponse,
  type Problem,
  ProblemError,
  type ProblemStatus,
} from './http/problem.ts';
export type { OnRefusal, Refusal, RefusalReason } from './http/refusal.ts';
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
