/** Reads variables that contain a JSON array. Errors name the item and the member that is wrong. */
import { ConfigurationError } from 'assistant-auth';
import * as v from 'valibot';
import { type Environment, readOptionalVariable, VariableError } from './variables.ts';

/**
 * Reads a list. Default: an empty list.
 * @param itemName what the list contains, for the error message: `clients`
 * @throws VariableError if the variable is not JSON or does not match the schema; it names the first place
 *   that does not match
 */
export const readList = <Item>(
  environment: Environment,
  variable: string,
  schema: v.GenericSchema<unknown, Item[]>,
  itemName: string,
): readonly Item[] => {
  const text = readOptionalVariable(environment, variable);
  if (text === undefined) return [];
  const parsed = v.safeParse(schema, parseJson(variable, text));
  if (parsed.success) return parsed.output;
  const path = v.getDotPath(parsed.issues[0]) || 'the top level';
  throw new VariableError(variable, `must be a list of ${itemName}: check ${path}.`);
};

/**
 * Creates something from one item.
 * @throws VariableError with the ID of the item, for each `ConfigurationError` of the broker
 */
export const withItemErrors = <Result>(variable: string, id: string, create: () => Result): Result => {
  try {
    return create();
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    throw new VariableError(variable, `is invalid for ${id}: ${error.message}`, { cause: error });
  }
};

const parseJson = (variable: string, text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    // Without a cause: its message quotes the text, which can contain secrets.
    throw new VariableError(variable, 'must be valid JSON.');
  }
};
