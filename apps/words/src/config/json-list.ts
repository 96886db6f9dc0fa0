/** Variables that hold a list as JSON: one name for many things, so whatever is wrong says where. */
import { ConfigurationError } from 'assistant-auth';
import * as v from 'valibot';
import { type Environment, optional, VariableError } from './variables.ts';

/**
 * Reads a list; a variable that is left out holds none.
 * @param what is in the list, for the sentence: `clients`
 * @throws VariableError for what is no JSON, and for the first place in it that does not fit
 */
export const readList = <Item>(
  environment: Environment,
  variable: string,
  schema: v.GenericSchema<unknown, Item[]>,
  what: string,
): readonly Item[] => {
  const text = optional(environment, variable);
  if (text === undefined) return [];
  const parsed = v.safeParse(schema, parseJson(variable, text));
  if (parsed.success) return parsed.output;
  const place = v.getDotPath(parsed.issues[0]) || 'its beginning';
  throw new VariableError(variable, `does not hold a list of ${what}: look at ${place}.`);
};

/**
 * Makes something of one item, and says of which what the broker has against it.
 * @throws VariableError
 */
export const withItemErrors = <Made>(variable: string, id: string, make: () => Made): Made => {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    throw new VariableError(variable, `is wrong at ${id}: ${error.message}`, { cause: error });
  }
};

const parseJson = (variable: string, text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    // Without a cause: its message quotes the text, which may be a secret.
    throw new VariableError(variable, 'must be JSON.');
  }
};
