/** Reading single variables of the environment, so that whatever is wrong with one is said under its name. */
import { ConfigurationError } from 'assistant-auth';

/** The environment as the platform hands it over: variables, secrets and bindings. */
export type Environment = Readonly<Record<string, unknown>>;

/** A variable that is missing or cannot be used. The message is one sentence that begins with its name; never a value that may be secret. */
export class VariableError extends Error {
  override readonly name = 'VariableError';
  readonly variable: string;

  constructor(variable: string, problem: string, options?: ErrorOptions) {
    super(`${variable} ${problem}`, options);
    this.variable = variable;
  }
}

/**
 * Reads a variable that may be left out; empty is left out.
 * @throws VariableError when it is bound to something else than text
 */
export const optional = (environment: Environment, variable: string): string | undefined => {
  const value = environment[variable] ?? '';
  if (typeof value !== 'string') throw new VariableError(variable, 'must be text.');
  return value.trim() === '' ? undefined : value.trim();
};

/**
 * Reads a variable that must be there.
 * @param need completes the sentence: what it is for, or what it belongs to
 * @throws VariableError when it is missing
 */
export const required = (environment: Environment, variable: string, hint: string): string => {
  const value = optional(environment, variable);
  if (value === undefined) throw new VariableError(variable, `is missing: ${hint}.`);
  return value;
};

/** Splits a variable at white space. */
export const splitWords = (text: string): readonly string[] => text.split(/\s+/);

/**
 * Makes something of variables, and says under their names what the broker has against it.
 * @param toVariableName the variable from which an option was made
 * @throws VariableError
 */
export const withVariableErrors = <Made>(
  toVariableName: (option: string) => string,
  make: () => Made,
): Made => {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    const problem = error.message.slice(error.option.length + 1);
    throw new VariableError(toVariableName(error.option), problem, { cause: error });
  }
};
