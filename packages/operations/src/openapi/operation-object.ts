/** One operation as an OpenAPI 3.1 operation object: parameters, body, responses, required scopes. */
import { carriesBody, fields, fieldsBeyondPath, pathFields } from '../fields.ts';
import { fieldDescription, jsonSchema } from '../json-schema.ts';
import type { Operation } from '../operation.ts';

/** Describes an operation; `scheme` names the security scheme of the document that it stands in. */
export const operationObject = (
  operation: Operation<never>,
  scheme: string,
): Readonly<Record<string, unknown>> => ({
  operationId: operation.id,
  summary: operation.summary,
  description: operation.description,
  'x-openai-isConsequential': operation.consequential,
  security: [{ [scheme]: operation.scopes }],
  parameters: parameters(operation),
  requestBody: requestBody(operation),
  responses: responses(operation),
});

const parameters = (operation: Operation<never>): readonly object[] | undefined => {
  const input = jsonSchema(operation.input, 'input');
  const inPath = pathFields(operation.path);
  const names = carriesBody(operation.method) ? inPath : [...inPath, ...fieldsBeyondPath(operation)];
  const all = names.map((name) => ({
    name,
    in: inPath.includes(name) ? 'path' : 'query',
    required: inPath.includes(name) || input.required?.includes(name) === true,
    description: fieldDescription(input, name),
    schema: input.properties?.[name],
  }));
  return all.length > 0 ? all : undefined;
};

const requestBody = (operation: Operation<never>): object | undefined => {
  const names = fieldsBeyondPath(operation);
  if (!carriesBody(operation.method) || names.length === 0) return undefined;
  const { properties = {}, required = [], ...rest } = jsonSchema(operation.input, 'input');
  const needed = required.filter((name) => names.includes(name));
  const schema = {
    ...rest,
    properties: Object.fromEntries(names.map((name) => [name, properties[name]])),
    required: needed,
  };
  return { required: needed.length > 0, content: { 'application/json': { schema } } };
};

const responses = (operation: Operation<never>): Readonly<Record<string, object | undefined>> => {
  const takesInput = fields(operation).length > 0;
  const { description = 'What was asked for.', ...schema } = jsonSchema(operation.output, 'output');
  return {
    200: { description, content: { 'application/json': { schema } } },
    400: takesInput ? problem('BadRequest') : undefined,
    401: problem('Unauthorized'),
    403: problem('Forbidden'),
    404: problem('NotFound'),
    503: problem('Unavailable'),
  };
};

const problem = (name: string): object => ({ $ref: `#/components/responses/${name}` });
