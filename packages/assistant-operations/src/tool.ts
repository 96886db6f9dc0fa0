/**
 * Describes operations as tools of an MCP server (MCP 2026-07-28, "Tools"), and checks what the directories
 * of ChatGPT and Claude require of a tool.
 */
import type { JsonSchema } from '@valibot/to-json-schema';
import { describeSchema, type Operation, type ToolAnnotations } from './operation.ts';

/** A JSON Schema whose instances are objects, as MCP requires of the input of a tool. */
export type ObjectSchema = JsonSchema & { readonly type: 'object' };

/** A tool as `tools/list` returns it. */
export interface Tool {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly inputSchema: ObjectSchema;
  readonly outputSchema: ObjectSchema;
  readonly annotations: ToolAnnotations;
  readonly securitySchemes: readonly { readonly type: 'oauth2'; readonly scopes: readonly string[] }[];
  readonly _meta: Readonly<Record<string, unknown>>;
}

/**
 * Describes an operation as a tool. Outputs that are not objects are wrapped in one, as the member `result`,
 * because structured content must be an object up to MCP 2025-11-25.
 * @throws Error for a schema that JSON Schema cannot describe, such as `v.date()`
 */
export const describeTool = (operation: Operation<never>): Tool => {
  const { description, scopes, tool = {} } = operation;
  // ChatGPT reads the security schemes from the tool and from its `_meta`.
  const securitySchemes = [{ type: 'oauth2', scopes }] as const;
  return {
    name: readToolName(operation),
    title: tool.title ?? operation.summary,
    description,
    inputSchema: { ...describeSchema(operation.input, 'input'), type: 'object' },
    outputSchema: describeStructuredOutput(operation),
    annotations: readAnnotations(operation),
    securitySchemes,
    _meta: { ...tool.meta, securitySchemes },
  };
};

/** Returns the name of the operation's tool. */
export const readToolName = ({ id, tool }: Operation<never>): string => tool?.name ?? id;

/** Returns whether the output is structured content itself. Otherwise, it is its member `result`. */
export const hasObjectOutput = ({ output }: Operation<never>): boolean =>
  isObjectSchema(describeSchema(output, 'output'));

const describeStructuredOutput = ({ output }: Operation<never>): ObjectSchema => {
  const schema = describeSchema(output, 'output');
  if (isObjectSchema(schema)) return schema;
  // References to definitions start at the root of the schema (`#/$defs/…`).
  const { $defs, ...result } = schema;
  return {
    type: 'object',
    properties: { result },
    required: ['result'],
    additionalProperties: false,
    ...($defs && { $defs }),
  };
};

const isObjectSchema = (schema: JsonSchema): schema is ObjectSchema => schema.type === 'object';

const readAnnotations = ({ method, isConsequential, tool }: Operation<never>): ToolAnnotations => ({
  readOnlyHint: method === 'get',
  destructiveHint: method === 'delete' || method === 'put' || (isConsequential && method !== 'get'),
  openWorldHint: isConsequential,
  ...tool?.annotations,
});

/** ChatGPT's limit for the texts that it shows while a tool runs and afterwards, in characters. */
const maxInvocationTextLength = 64;

/**
 * Finds the first rule of ChatGPT's or Claude's directory that the tool of an operation breaks.
 * @returns a sentence without the name of the operation; `undefined` if the tool follows all rules
 * @throws Error for a schema that JSON Schema cannot describe, such as `v.date()`
 */
export const findToolProblem = (operation: Operation<never>): string | undefined => {
  const tool = describeTool(operation);
  const { readOnlyHint, destructiveHint } = tool.annotations;
  if (!/^[a-z0-9_]{1,64}$/.test(tool.name))
    return `the name of the MCP tool must be 1 to 64 characters of a-z, 0-9 and _, not ${tool.name}. Change the ID, or set tool.name.`;
  if (tool.title === '') return 'tool.title must not be empty.';
  if (readOnlyHint && destructiveHint) return 'a tool must not be both read-only and destructive.';
  const field = listPropertyNames(tool.inputSchema).find((name) => !/^[A-Za-z0-9_.-]{1,64}$/.test(name));
  if (field !== undefined)
    return `the names of input fields must be 1 to 64 characters of A-Z, a-z, 0-9, _, . and -, not ${field}.`;
  if (Object.hasOwn(operation.tool?.meta ?? {}, 'securitySchemes'))
    return 'tool.meta must not contain securitySchemes, which come from the scopes.';
  return findInvocationTextProblem(tool) ?? findFileProblem(tool) ?? findProfileProblem(tool);
};

const findInvocationTextProblem = ({ _meta }: Tool): string | undefined => {
  for (const name of ['openai/toolInvocation/invoking', 'openai/toolInvocation/invoked']) {
    const text = _meta[name];
    if (text !== undefined && !(typeof text === 'string' && text.length <= maxInvocationTextLength))
      return `tool.meta: ${name} must be text of at most ${maxInvocationTextLength} characters.`;
  }
  return undefined;
};

/** Checks the input fields that ChatGPT fills with files. */
const findFileProblem = ({ _meta, inputSchema }: Tool): string | undefined => {
  const names: unknown = _meta['openai/fileParams'] ?? [];
  const isValid =
    Array.isArray(names) &&
    names.every((name) => {
      const field = inputSchema.properties?.[name];
      return typeof field === 'object' && hasMembers(field, fileMembers);
    });
  return isValid
    ? undefined
    : 'tool.meta: openai/fileParams must list input fields that are objects with download_url and file_id, and optionally mime_type and file_name.';
};

const fileMembers = { required: ['download_url', 'file_id'], optional: ['mime_type', 'file_name'] } as const;

/** Checks the tool that tells ChatGPT which account is signed in. */
const findProfileProblem = ({ _meta, annotations, outputSchema }: Tool): string | undefined =>
  _meta['openai/profile'] === undefined ||
  (annotations.readOnlyHint && hasMembers(outputSchema, profileMembers))
    ? undefined
    : 'tool.meta: a tool with openai/profile must be read-only, and its output must be an object with id, and optionally name, email and nickname.';

const profileMembers = { required: ['id'], optional: ['name', 'email', 'nickname'] } as const;

const hasMembers = (
  { properties = {}, required = [] }: JsonSchema,
  members: { readonly required: readonly string[]; readonly optional: readonly string[] },
): boolean => {
  const allowed = [...members.required, ...members.optional];
  return (
    Object.keys(properties).every((name) => allowed.includes(name)) &&
    [...required].sort().join() === [...members.required].sort().join()
  );
};

/** Lists the names of all properties in a schema, at any depth. */
const listPropertyNames = (schema: unknown): readonly string[] => {
  if (typeof schema !== 'object' || schema === null) return [];
  return Object.entries(schema).flatMap(([keyword, value]) => [
    ...(keyword === 'properties' && typeof value === 'object' && value !== null ? Object.keys(value) : []),
    ...listPropertyNames(value),
  ]);
};
