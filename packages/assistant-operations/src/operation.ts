/** One API operation, defined once: what it takes and gives, who may call it, what it does. Knows no transport. */

import { type JsonSchema, toJsonSchema } from '@valibot/to-json-schema';
import type { GenericSchema } from 'valibot';
import * as v from 'valibot';

/** The verbs of an API. `get` only reads; every other one may change something. */
export type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';

/** What an operation takes: always one object, so that the same definition also serves as a tool. */
export type InputSchema = v.StrictObjectSchema<v.ObjectEntries, undefined>;

export interface OperationDefinition<Input extends InputSchema, Output extends v.GenericSchema, Context> {
  /** The `operationId`, unique in the API: letters, digits, underscores and hyphens, 64 at most. */
  readonly id: string;
  readonly method: Method;
  /** Absolute path; `{name}` stands for the input field of that name. */
  readonly path: `/${string}`;
  /** One line, 300 characters at most. */
  readonly summary: string;
  /** When an assistant should call it and what comes back, 300 characters at most. */
  readonly description: string;
  /** Scopes that the caller's token must carry, all of them. */
  readonly scopes: readonly string[];
  /** Whether an assistant must ask the person before every single call. */
  readonly isConsequential: boolean;
  /**
   * Fields named in the path are read from there, all others from the JSON body, or from the query when the method is
   * `get` or `delete`; outside a body every value arrives as text. `noInput` when there are none.
   */
  readonly input: Input;
  readonly output: Output;
  /** Does the work. Ends the request early by throwing a `ProblemError`. */
  readonly handle: (input: v.InferOutput<Input>, context: Context) => Promise<v.InferOutput<Output>>;
}

/** One way in which an input did not fit: where, and what was expected there. */
export interface InputIssue {
  /** Path to the field, joined by dots; empty for the input as a whole. */
  readonly field: string;
  readonly message: string;
}

export type OperationResult =
  | { readonly kind: 'done'; readonly output: unknown }
  | { readonly kind: 'invalid'; readonly issues: readonly InputIssue[] };

/** A defined operation: its description for documents, and `run` for transports. */
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
  /** Checks an unchecked input and, if it fits, does the work. */
  readonly run: (rawInput: unknown, context: Context) => Promise<OperationResult>;
}

/** The input of an operation that takes none. */
export const noInput = v.strictObject({});

/** Defines one operation. The limits of assistants are checked when a `defineApi` is made of all of them. */
export const defineOperation = <Input extends InputSchema, Output extends v.GenericSchema, Context>(
  definition: OperationDefinition<Input, Output, Context>,
): Operation<Context> => {
  const { handle, ...description } = definition;
  const run = async (rawInput: unknown, context: Context): Promise<OperationResult> => {
    // The library takes a list for an object with no fields.
    const parsed = v.safeParse(definition.input, Array.isArray(rawInput) ? null : rawInput);
    if (!parsed.success) return { kind: 'invalid', issues: parsed.issues.map(toIssue) };
    return { kind: 'done', output: await handle(parsed.output, context) };
  };
  return { ...description, run };
};

const toIssue = (issue: v.BaseIssue<unknown>): InputIssue => ({
  field: v.getDotPath(issue) ?? '',
  message: issue.message,
});

// The fields of an operation's input, and by which way each travels in a request: path, query or body.

/** Names of all fields of an operation's input. */
export const listInputFields = ({ input }: Operation<never>): readonly string[] => Object.keys(input.entries);

/** Names of the fields that stand in a path template, in order. */
export const listPathFields = (path: string): readonly string[] =>
  [...path.matchAll(/\{([^}]*)\}/g)].map(([, name]) => name ?? '');

/** Names of the fields that do not stand in the path. */
export const listFieldsOutsidePath = (operation: Operation<never>): readonly string[] => {
  const pathNames = listPathFields(operation.path);
  return listInputFields(operation).filter((name) => !pathNames.includes(name));
};

/** Whether fields beyond the path travel in a JSON body; otherwise in the query. */
export const hasRequestBody = (method: Method): boolean => method !== 'get' && method !== 'delete';

// Schemas as JSON Schema (draft 2020-12), the dialect that OpenAPI 3.1 and tool definitions share.

/**
 * Describes what a schema takes (`input`) or gives (`output`).
 * @throws Error for a schema that has no description, such as a transformation into a date
 */
export const describeSchema = (
  schema: GenericSchema,
  typeMode: 'input' | 'output',
): Omit<JsonSchema, '$schema'> => {
  // Every reader takes this dialect for granted; naming it in each schema says nothing.
  const { $schema: _, ...rest } = toJsonSchema(schema, { typeMode, target: 'draft-2020-12' });
  return rest;
};

/** The description of one field of a described object, if it has any. */
export const readFieldDescription = (
  { properties }: ReturnType<typeof describeSchema>,
  name: string,
): string | undefined => {
  const field = properties?.[name];
  return typeof field === 'object' ? field.description : undefined;
};
