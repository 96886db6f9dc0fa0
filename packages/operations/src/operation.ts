/** One API operation, defined once: what it takes and gives, who may call it, what it does. Knows no transport. */
import { type core, type output, safeParse, strictObject } from 'zod/mini';
import english from 'zod/v4/locales/en.js';

/** The verbs of an API. `get` only reads; every other one may change something. */
export type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';

/** What an operation takes: always one object, so that the same definition also serves as a tool. */
export type InputSchema = core.$ZodObject;

export interface OperationDefinition<Input extends InputSchema, Output extends core.$ZodType, Context> {
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
  readonly consequential: boolean;
  /**
   * Fields named in the path are read from there, all others from the JSON body, or from the query when the method is
   * `get` or `delete`; outside a body every value arrives as text. `noInput` when there are none.
   */
  readonly input: Input;
  readonly output: Output;
  /** Does the work. Ends the request early by throwing a `ProblemError`. */
  readonly handle: (input: output<Input>, context: Context) => Promise<output<Output>>;
}

/** One way in which an input did not fit: where, and what was expected there. */
export interface InputIssue {
  /** Path to the field, joined by dots; empty for the input as a whole. */
  readonly field: string;
  readonly message: string;
}

export type Outcome =
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
  readonly consequential: boolean;
  readonly input: InputSchema;
  readonly output: core.$ZodType;
  /** Checks an unchecked input and, if it fits, does the work. */
  readonly run: (unchecked: unknown, context: Context) => Promise<Outcome>;
}

/** The input of an operation that takes none. */
export const noInput = strictObject({});

/** Defines one operation. The limits of assistants are checked when a `catalogue` is made of all of them. */
export const operation = <Input extends InputSchema, Output extends core.$ZodType, Context>(
  definition: OperationDefinition<Input, Output, Context>,
): Operation<Context> => {
  const { handle, ...description } = definition;
  const run = async (unchecked: unknown, context: Context): Promise<Outcome> => {
    const parsed = safeParse(definition.input, unchecked, { error: localeError });
    if (!parsed.success) return { kind: 'invalid', issues: parsed.error.issues.map(toIssue) };
    return { kind: 'done', output: await handle(parsed.data, context) };
  };
  return { ...description, run };
};

// Given per call: the library's own way, a global setting, would reach into the host's other schemas.
const { localeError } = english();

const toIssue = ({ path, message }: core.$ZodIssue): InputIssue => ({ field: path.join('.'), message });
