/** The face of the package: API operations, defined once and served as routes and as an OpenAPI document. */
export { type Catalogue, catalogue, DefinitionError } from './define-api.ts';
export {
  type Problem,
  ProblemError,
  type ProblemStatus,
  problemResponse,
} from './http/problem.ts';
export type { Cors } from './http/routes.ts';
export { type Guard, type GuardOutcome, type HttpRoutesOptions, httpRoutes } from './http/routes.ts';
export { type DocumentOptions, type OpenApiDocument, openApiDocument } from './openapi/document.ts';
export { toYaml } from './openapi/yaml.ts';
export {
  type InputIssue,
  type InputSchema,
  type Method,
  noInput,
  type Operation,
  type OperationDefinition,
  type Outcome,
  operation,
} from './operation.ts';
