/** Reads single variables of the environment. Every error names its variable. */
import { ConfigurationError } from 'assistant-auth';

/** The environment of the platform: variables, secrets and bindings. */
export type Environment = Readonly<Record<string, unknown>>;

/**
 * A variable that is missing or can't be used. The message is one sentence that begins with the name of the
 * variable. It contains no secret.
 */
export class VariableError extends Error {
  override readonly name = 'VariableError';
  readonly variable: string;

  constructor(variable: string, problem: string, options?: ErrorOptions) {
    super(`${variable} ${problem}`, options);
    this.variable = variable;
  }
}

/**
 * Reads an optional variable. A variable that is empty counts as missing.
 * @throws VariableError if it is not text
 */
export const readOptionalVariable = (environment: Environment, variable: string): string | undefined => {
  const value = environment[variable] ?? '';
  if (typeof value !== 'string') throw new VariableError(variable, 'must be text.');
  return value.trim() === '' ? undefined : value.trim();
};

/**
 * Reads a required variable.
 * @param hint completes the error message: what the variable is for, or what it belongs to
 * @throws VariableError if it is missing
 */
export const readRequiredVariable = (environment: Environment, variable: string, hint: string): string => {
  const value = readOptionalVariable(environment, variable);
  if (value === undefined) throw new VariableError(variable, `is missing: ${hint}.`);
  return value;
};

/** Splits a variable at whitespace. */
export const splitAtWhitespace = (text: string): readonly string[] => text.split(/\s+/);

/**
 * Creates something from variables.
 * @param toVariableName returns the variable that an option came from
 * @throws VariableError with the name of the variable, for each `ConfigurationError` of the broker
 */
export const withVariableErrors = <Result>(
  toVariableName: (option: string) => string,
  create: () => Result,
): Result => {
  try {
    return create();
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    const problem = error.message.slice(error.option.length + 1);
    throw new VariableError(toVariableName(error.option), problem, { cause: error });
  }
};
