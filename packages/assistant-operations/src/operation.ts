/**
 * Defines an API operation independently of the transport: input, output, scopes and handler; and describes
 * schemas as JSON Schema.
 */

import { type JsonSchema, toJsonSchema } from '@valibot/to-json-schema';
import type { GenericSchema } from 'valibot';
import * as v from 'valibot';

/** The HTTP methods of operations. `get` only reads; the others can change something. */
export type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';

/** The schema of an input: always an object, so that the same definition can also be used as a tool. */
export type InputSchema = v.StrictObjectSchema<v.ObjectEntries, undefined>;

/** The definition that is passed to `defineOperation`. */
export interface OperationDefinition<Input extends InputSchema, Output extends v.GenericSchema, Context> {
  /**
   * The `operationId`, unique in the API: a letter or underscore, then letters, digits, underscores and
   * hyphens; at most 64 characters.
   */
  readonly id: string;
  readonly method: Method;
  /** An absolute path. `{name}` is a segment that contains the input field of that name. */
  readonly path: `/${string}`;
  /** One line of at most 300 characters. */
  readonly summary: string;
  /** When an assistant should call it and what it returns, in at most 300 characters. */
  readonly description: string;
  /** The scopes that the caller's token must have. All of them are required. */
  readonly scopes: readonly string[];
  /** Whether an assistant must ask the user for confirmation before every call. */
  readonly isConsequential: boolean;
  /**
   * The fields. Those in the path are read from the path, all others from the JSON body, or from the query if
   * the method is `get` or `delete`. Values from the path and the query are strings. `noInput` if there are
   * no fields.
   */
  readonly input: Input;
  readonly output: Output;
  /** Runs the operation. To end the request with an error, it throws a `ProblemError`. */
  readonly handle: (input: v.InferOutput<Input>, context: Context) => Promise<v.InferOutput<Output>>;
}

/** One validation error of an input: the field, and what is expected. */
export interface InputIssue {
  /** The path of the field, joined by dots; empty for the input as a whole. */
  readonly field: string;
  readonly message: string;
}

/** The result of an operation: its output, or the validation errors of its input. */
export type OperationResult =
  | { readonly ok: true; readonly output: unknown }
  | { readonly ok: false; readonly issues: readonly InputIssue[] };

/** A defined operation: its description, for documents, and `run`, for transports. */
export interface Operation<Context> {
  readonly id: string;
  readonly method: Method;
  readonly path: `/${string}`;
  readonly summary: string;
  readonly description: string;
  readonly scopes: readonly string[];
  readonly isConsequential: boolean;
  readonly input: InputSchema;
  readonly output: v.GenericSchema;
  /** Validates the input and, if it is valid, runs the operation. */
  readonly run: (rawInput: unknown, context: Context) => Promise<OperationResult>;
}

/** The input schema of an operation without input. */
export const noInput = v.strictObject({});

/** Defines one operation. `defineApi` checks it against the limits of assistants. */
export const defineOperation = <Input extends InputSchema, Output extends v.GenericSchema, Context>(
  definition: OperationDefinition<Input, Output, Context>,
): Operation<Context> => {
  const { handle, ...description } = definition;
  const run = async (rawInput: unknown, context: Context): Promise<OperationResult> => {
    // Valibot accepts an array as an object without fields.
    const parsed = v.safeParse(definition.input, Array.isArray(rawInput) ? null : rawInput);
    if (!parsed.success) return { ok: false, issues: parsed.issues.map(toIssue) };
    return { ok: true, output: await handle(parsed.output, context) };
  };
  return { ...description, run };
};

const toIssue = (issue: v.BaseIssue<unknown>): InputIssue => ({
  field: v.getDotPath(issue) ?? '',
  message: issue.message,
});

// The fields of an input, and whether each is sent in the path, the query or the body.

/** Returns the names of all input fields. */
export const listInputFields = ({ input }: Operation<never>): readonly string[] => Object.keys(input.entries);

/** Returns the names of the fields in a path template, in order. */
export const listPathFields = (path: string): readonly string[] =>
  [...path.matchAll(/\{([^}]*)\}/g)].map(([, name]) => name ?? '');

/** Returns the names of the input fields that are not in the path. */
export const listFieldsOutsidePath = (operation: Operation<never>): readonly string[] => {
  const pathNames = listPathFields(operation.path);
  return listInputFields(operation).filter((name) => !pathNames.includes(name));
};

/** Returns whether the fields outside the path are sent in a JSON body. Otherwise, they are in the query. */
export const hasRequestBody = (method: Method): boolean => method !== 'get' && method !== 'delete';

/**
 * Converts a schema to JSON Schema (draft 2020-12), which OpenAPI 3.1 and tool definitions use.
 * @param typeMode whether to describe what the schema accepts (`input`) or returns (`output`)
 * @throws Error for a schema that JSON Schema can't describe, such as a transformation into a date
 */
export const describeSchema = (
  schema: GenericSchema,
  typeMode: 'input' | 'output',
): Omit<JsonSchema, '$schema'> => {
  // The dialect is the default of OpenAPI 3.1, so `$schema` is not needed in each schema.
  const { $schema: _, ...rest } = toJsonSchema(schema, { typeMode, target: 'draft-2020-12' });
  return rest;
};

/** Returns the description of one field of an object schema, if it has one. */
export const readFieldDescription = (
  { properties }: ReturnType<typeof describeSchema>,
  name: string,
): string | undefined => {
  const field = properties?.[name];
  return typeof field === 'object' ? field.description : undefined;
};
