/**
 * Defines an API operation independently of the transport: input, output, scopes and handler; and describes
 * schemas as JSON Schema.
 */

import { type JsonSchema, toJsonSchema } from '@valibot/to-json-schema';
import type { GenericSchema } from 'valibot';
import * as v from 'valibot';
import type { ProblemStatus } from './http/problem.ts';

/**
 * The HTTP method of an operation, in lower case. `get` only reads; `post`, `put`, `patch` and `delete` can
 * change something.
 */
export type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';

/**
 * The schema of an input: a `v.strictObject(…)` of Valibot, which rejects unknown fields. It is always an
 * object, so that the same definition can also be used as a tool.
 */
export type InputSchema = v.StrictObjectSchema<v.ObjectEntries, undefined>;

/**
 * What a tool does to its environment, which clients use to decide whether to ask the user first.
 * @see https://modelcontextprotocol.io/specification/2026-07-28/schema#toolannotations
 */
export interface ToolAnnotations {
  /** Whether the tool changes nothing. Default: whether the method is `get`. */
  readonly readOnlyHint: boolean;
  /**
   * Whether the tool can delete or overwrite something, or has an effect that cannot be undone. Default:
   * whether the method is `delete` or `put`, or the operation is consequential and does not only read.
   */
  readonly destructiveHint: boolean;
  /**
   * Whether the tool has effects outside the API, such as a message or a purchase. Default: whether the
   * operation is consequential.
   */
  readonly openWorldHint: boolean;
}

/** Overrides how an operation is described as an MCP tool. */
export interface ToolOptions {
  /** The name of the tool: 1 to 64 characters of `a-z`, `0-9` and `_`. Default: the ID of the operation. */
  readonly name?: string;
  /** The name that clients show to the user. Default: the summary of the operation. */
  readonly title?: string;
  /**
   * Overrides individual annotations. Default: derived from the method of the operation and from
   * `isConsequential`.
   */
  readonly annotations?: Partial<ToolAnnotations>;
  /**
   * Further members of `_meta`, such as `openai/toolInvocation/invoking`: JSON values, by name. It must not
   * contain `securitySchemes`, which is always added. Default: none.
   */
  readonly meta?: Readonly<Record<string, unknown>>;
}

/**
 * The description of an operation, which its definition and the defined operation have in common. `defineApi`
 * checks the limits that are stated here.
 * @typeParam Input the type of the input schema
 * @typeParam Output the type of the output schema
 */
export interface OperationDescription<Input extends InputSchema, Output extends v.GenericSchema> {
  /**
   * Identifies the operation, unique in the API: the `operationId` of the OpenAPI document, and the name of
   * the MCP tool unless `tool.name` is set. A letter or underscore, then letters, digits, underscores and
   * hyphens; at most 64 characters. Without `tool.name`, only lowercase letters and no hyphens.
   */
  readonly id: string;
  /** The HTTP method. Every combination of method and path must be unique in the API. */
  readonly method: Method;
  /**
   * The absolute path, without a query or a trailing slash, such as `/api/books/{title}`. A segment `{name}`
   * is the value of the input field of that name.
   */
  readonly path: `/${string}`;
  /** One line that says what the operation does, in 1 to 300 characters. */
  readonly summary: string;
  /** When an assistant should call the operation and what it returns, in 1 to 300 characters. */
  readonly description: string;
  /**
   * The scopes that the caller's token must have, all of them. Empty if any authenticated caller may call it.
   */
  readonly scopes: readonly string[];
  /**
   * Whether the operation deletes something, spends money or sends messages, for example. If `true`, a
   * custom GPT asks the user before every call (`x-openai-isConsequential` in the OpenAPI document), and the
   * MCP tool gets the annotations `openWorldHint` and, unless the method is `get`, `destructiveHint`. If the
   * operation affects only the user's own data in the API, set `tool.annotations.openWorldHint` to `false`.
   */
  readonly isConsequential: boolean;
  /**
   * The schema of the input. Fields in the path are read from the path, all others from the JSON body, or
   * from the query if the method is `get` or `delete`. Values from the path and the query are strings. The
   * `v.description(…)` of a field has at most 700 characters. `noInput` if there are no fields.
   */
  readonly input: Input;
  /**
   * The schema of the output, which describes it in the OpenAPI document and in the MCP tool. An output that
   * does not match it is never sent over MCP, and members that a `v.object` does not have are left out; over
   * HTTP, the output is sent as it is. Use `v.strictObject`, which members that are not in the schema do not
   * match. It must not transform values.
   */
  readonly output: Output;
  /**
   * The problems that the handler throws, or that `mapError` maps its errors to: for each status, what it
   * means, in 1 to 300 characters. The OpenAPI document lists them, besides those of the guard and of the
   * HTTP handler: 400, 401, 403, 413, 415, 421, 429, 500 and 503, as far as they can occur. Default: none.
   */
  readonly problems?: Readonly<Partial<Record<ProblemStatus, string>>>;
  /** Overrides how the operation is described as an MCP tool. Default: derived from the other members. */
  readonly tool?: ToolOptions;
}

/**
 * The definition that is passed to `defineOperation`.
 * @typeParam Input the type of the input schema
 * @typeParam Output the type of the output schema
 * @typeParam Context what the handler needs besides its input, such as the user and a database
 */
export interface OperationDefinition<Input extends InputSchema, Output extends v.GenericSchema, Context>
  extends OperationDescription<Input, Output> {
  /**
   * Runs the operation with a valid input and returns its output, which must be a JSON value.
   * @throws ProblemError to end the request with that problem. The option `mapError` of `createHttpHandler`
   *   and `mcpHandler` maps other errors.
   */
  readonly handle: (input: v.InferOutput<Input>, context: Context) => Promise<v.InferOutput<Output>>;
}

/** One validation error of an input. */
export interface InputIssue {
  /** The path of the invalid field, joined by dots. Empty for the input as a whole. */
  readonly field: string;
  /** What is expected, and what was received instead. Default: Valibot's message in English. */
  readonly message: string;
}

/** The result of `run`: the output of the operation, or the validation errors of its input. */
export type OperationResult =
  | {
      /** The input was valid, and the handler returned. */
      readonly ok: true;
      /** What the handler returned. */
      readonly output: unknown;
    }
  | {
      /** The input was invalid, so the handler was not called. */
      readonly ok: false;
      /** The validation errors, at least one. */
      readonly issues: readonly InputIssue[];
    };

/**
 * An operation that `defineOperation` created: its definition, with `run` instead of the handler.
 * @typeParam Context what the handler needs besides its input
 */
export interface Operation<Context> extends OperationDescription<InputSchema, v.GenericSchema> {
  /**
   * Validates an input and, if it is valid, runs the handler. It does not check scopes. Use it to call an
   * operation without HTTP, for example in a test.
   * @throws whatever the handler throws
   */
  readonly run: (rawInput: unknown, context: Context) => Promise<OperationResult>;
}

/** The input schema of an operation without input fields. */
export const noInput: v.StrictObjectSchema<Record<never, v.GenericSchema>, undefined> = v.strictObject({});

/**
 * Defines one operation, independently of how it is called. Use `defineApi` to check its definition.
 *
 * TypeScript infers the types of the handler's input and output from the schemas. Annotate its second
 * parameter with the type of the context.
 * @typeParam Input the type of the input schema
 * @typeParam Output the type of the output schema
 * @typeParam Context what the handler needs besides its input, such as the user and a database
 * @param definition what the operation does, and its handler
 * @example
 * ```ts
 * import { defineOperation, ProblemError } from 'assistant-operations';
 * import * as v from 'valibot';
 *
 * interface Context {
 *   readonly books: ReadonlyMap<string, { readonly pages: number }>;
 * }
 *
 * export const getBook = defineOperation({
 *   id: 'get_book',
 *   method: 'get',
 *   path: '/api/books/{title}',
 *   summary: 'Get a book',
 *   description: 'Returns one book by its title.',
 *   scopes: ['books'],
 *   isConsequential: false,
 *   input: v.strictObject({ title: v.pipe(v.string(), v.description('The exact title.')) }),
 *   output: v.strictObject({ title: v.string(), pages: v.number() }),
 *   handle: async ({ title }, { books }: Context) => {
 *     const book = books.get(title);
 *     if (book === undefined) throw new ProblemError({ status: 404, detail: 'There is no such book.' });
 *     return { title, pages: book.pages };
 *   },
 * });
 * ```
 */
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

type Description = Omit<JsonSchema, '$schema'>;

/** The OpenAPI document, the MCP tools and several checks describe the same schemas. */
const described = {
  input: new WeakMap<GenericSchema, Description>(),
  output: new WeakMap<GenericSchema, Description>(),
} as const;

/**
 * Converts a schema to JSON Schema (draft 2020-12), which OpenAPI 3.1 and tool definitions use. The result is
 * shared, so it must not be changed.
 * @param typeMode whether to describe what the schema accepts (`input`) or returns (`output`)
 * @throws Error for a schema that JSON Schema cannot describe, such as `v.date()`
 */
export const describeSchema = (schema: GenericSchema, typeMode: 'input' | 'output'): Description => {
  const known = described[typeMode].get(schema);
  if (known !== undefined) return known;
  // The dialect is the default of OpenAPI 3.1, so `$schema` is not needed in each schema.
  const { $schema: _, ...description } = toJsonSchema(schema, { typeMode, target: 'draft-2020-12' });
  described[typeMode].set(schema, description);
  return description;
};

/** Returns the description of one field of an object schema, if it has one. */
export const readFieldDescription = (
  { properties }: ReturnType<typeof describeSchema>,
  name: string,
): string | undefined => {
  const field = properties?.[name];
  return typeof field === 'object' ? field.description : undefined;
};
