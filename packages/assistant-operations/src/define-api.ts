/**
 * Combines operations into an API, and checks them when the app starts: against ChatGPT's limits for an
 * Action, and against the rules of ChatGPT's and Claude's directories for the tools of an MCP server.
 */
import {
  describeSchema,
  listInputFields,
  listPathFields,
  type Operation,
  readFieldDescription,
} from './operation.ts';
import { findToolProblem, readToolName } from './tool.ts';

const apiBrand: unique symbol = Symbol('ApiDefinition');

/**
 * An API whose operations passed every check. Only `defineApi` creates it.
 * @typeParam Context what the handlers of the operations need besides their input
 */
export interface ApiDefinition<Context> {
  /** The operations, in the order in which they were passed to `defineApi`. */
  readonly operations: readonly Operation<Context>[];
  /**
   * Marks an API that was checked.
   * @hidden
   */
  readonly [apiBrand]: true;
}

/**
 * An operation, an API, or the options of its document, HTTP handler or MCP endpoint that are invalid or exceed
 * the limits of an assistant. Thrown when they are created. The message names the operation or option, and says what is
 * expected.
 */
export class DefinitionError extends Error {
  /** The name of the class. */
  override readonly name = 'DefinitionError';
}

/** ChatGPT's limits for an Action: the number of operations, and lengths in characters. */
const limits = { operations: 30, summary: 300, description: 300, parameterDescription: 700 } as const;

/**
 * Combines operations into an API, and checks them against ChatGPT's limits for an Action, and against the
 * rules of ChatGPT's and Claude's directories for MCP tools. Call it when the app starts, so that an invalid
 * definition is never deployed.
 * @typeParam Context what the handlers of the operations need besides their input
 * @param operations at most 30 operations with the same type of context
 * @throws DefinitionError with the ID of the operation, for a duplicate ID, a duplicate method and path, a
 *   malformed ID or path, a summary or description that is empty or too long, a description of a problem that
 *   is empty or too long, a field description that is too long, a malformed scope, or a path field that the
 *   input does not have; for an MCP tool with a name that is malformed or used twice, an empty title,
 *   contradictory annotations, a name of an input field that Claude does not accept, or a `_meta` that
 *   ChatGPT does not accept; or for more than 30 operations
 * @throws Error for a schema that JSON Schema cannot describe, such as `v.date()`
 * @example
 * ```ts
 * import { defineApi, defineOperation, noInput } from 'assistant-operations';
 * import * as v from 'valibot';
 *
 * const listBooks = defineOperation({
 *   id: 'list_books',
 *   method: 'get',
 *   path: '/api/books',
 *   summary: 'List the books',
 *   description: 'Returns the titles of all books.',
 *   scopes: ['books'],
 *   isConsequential: false,
 *   input: noInput,
 *   output: v.array(v.string()),
 *   handle: async (_input, { titles }: { readonly titles: readonly string[] }) => [...titles],
 * });
 *
 * export const api = defineApi([listBooks]);
 * ```
 */
export const defineApi = <Context>(operations: readonly Operation<Context>[]): ApiDefinition<Context> => {
  if (operations.length > limits.operations) {
    throw new DefinitionError(
      `The API has ${operations.length} operations, but ChatGPT’s limit is ${limits.operations}.`,
    );
  }
  for (const operation of operations) {
    checkId(operation);
    checkText(operation, 'summary');
    checkText(operation, 'description');
    checkPath(operation);
    checkFields(operation);
    checkOutput(operation);
    checkScopes(operation);
    checkProblems(operation);
    const problem = findToolProblem(operation);
    if (problem !== undefined) throw new DefinitionError(`${operation.id}: ${problem}`);
  }
  checkUnique(operations, ({ id }) => id);
  checkUnique(operations, readToolName);
  checkUnique(operations, ({ method, path }) => `${method} ${path.replace(/\{[^}]*\}/g, '{}')}`);
  return { operations, [apiBrand]: true };
};

const checkId = ({ id }: Operation<never>): void => {
  if (!/^[A-Za-z_][A-Za-z0-9_-]{0,63}$/.test(id))
    throw new DefinitionError(
      `${id}: the ID must be 1 to 64 letters, digits, _ or -, and must start with a letter or _.`,
    );
};

/** Checks the syntax of scopes (RFC 6749 §3.3). */
const checkScopes = ({ id, scopes }: Operation<never>): void => {
  const invalid = scopes.find((scope) => !/^[\x21\x23-\x5B\x5D-\x7E]+$/.test(scope));
  if (invalid !== undefined)
    throw new DefinitionError(
      `${id}: a scope must be printable ASCII without spaces, double quotes or backslashes, not ${JSON.stringify(invalid)}.`,
    );
};

const checkText = (operation: Operation<never>, name: 'summary' | 'description'): void => {
  const { length } = operation[name];
  if (length === 0) throw new DefinitionError(`${operation.id}: the ${name} must not be empty.`);
  if (length > limits[name]) throw createTooLongError(operation, name, length, limits[name]);
};

const checkProblems = ({ id, problems = {} }: Operation<never>): void => {
  for (const [status, { length }] of Object.entries(problems))
    if (length === 0 || length > limits.description)
      throw new DefinitionError(
        `${id}: the description of the problem ${status} must have 1 to ${limits.description} characters, not ${length}.`,
      );
};

const checkPath = (operation: Operation<never>): void => {
  const { id, path } = operation;
  if (!/^(\/([A-Za-z0-9._~-]+|\{[A-Za-z_][A-Za-z0-9_]*\}))+$/.test(path)) {
    throw new DefinitionError(
      `${id}: the path ${path} must consist of {fields} and segments without special characters.`,
    );
  }
  const missing = listPathFields(path).find((name) => !listInputFields(operation).includes(name));
  if (missing !== undefined)
    throw new DefinitionError(`${id}: the path contains {${missing}}, but the input has no such field.`);
};

const checkFields = (operation: Operation<never>): void => {
  const names = listInputFields(operation);
  if (names.length === 0) return;
  const input = describeSchema(operation.input, 'input');
  for (const name of names) {
    const { length } = readFieldDescription(input, name) ?? '';
    const limit = limits.parameterDescription;
    if (length > limit) throw createTooLongError(operation, `description of ${name}`, length, limit);
  }
};

/** The output is validated only over MCP, so a transformation would change it only there. */
const checkOutput = ({ id, output }: Operation<never>): void => {
  const [before, after] = [describeSchema(output, 'input'), describeSchema(output, 'output')];
  if (JSON.stringify(before) !== JSON.stringify(after))
    throw new DefinitionError(`${id}: the output schema must not transform values.`);
};

const createTooLongError = (
  { id }: Operation<never>,
  textName: string,
  length: number,
  limit: number,
): DefinitionError =>
  new DefinitionError(`${id}: the ${textName} has ${length} characters, but ChatGPT’s limit is ${limit}.`);

const checkUnique = <Context>(
  operations: readonly Operation<Context>[],
  key: (operation: Operation<Context>) => string,
): void => {
  const seen = new Map<string, string>();
  for (const operation of operations) {
    const other = seen.get(key(operation));
    if (other !== undefined)
      throw new DefinitionError(`${operation.id}: ${key(operation)} is already used by ${other}.`);
    seen.set(key(operation), operation.id);
  }
};

// URLs in the options of the OpenAPI document and of the MCP endpoint.

/** Returns whether a URL is https, or http on loopback. */
export const isHttpsOrLoopback = ({ protocol, hostname }: URL): boolean =>
  protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname));

/** Returns whether a host name of a URL is that of this machine. */
export const isLoopback = (hostname: string): boolean =>
  ['localhost', '127.0.0.1', '[::1]'].includes(hostname);
