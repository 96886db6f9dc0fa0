/**
 * Reads and writes the app's variables, which are in the publisher's variables file or in the environment.
 * The environment takes precedence.
 */
import { readFile } from 'node:fs/promises';
import { parseEnv } from 'node:util';
import { deploymentVariableNames } from '../environment/deployment.ts';
import { CommandError } from './command.ts';
import { getVariablesFile } from './paths.ts';

/** Values by name, without empty ones. Most of them are secret. */
export type Variables = Readonly<Record<string, string>>;

/**
 * Reads all variables that are set.
 * @throws CommandError if the file contains a name that is not a variable: it is probably a typo, and the
 * variable that was meant would not be set
 */
export const readVariables = async (environment: NodeJS.ProcessEnv): Promise<Variables> => {
  const fileVariables = parseVariables((await readVariablesFile(environment)) ?? '');
  const unknownName = Object.keys(fileVariables).find((name) => !deploymentVariableNames.includes(name));
  if (unknownName !== undefined)
    throw new CommandError(
      `${getVariablesFile(environment)} sets ${unknownName}, which is not a variable of the app.`,
    );
  return { ...fileVariables, ...readEnvironmentVariables(environment) };
};

/** Returns the app's variables that the environment sets, without those of the publisher's variables file. */
export const readEnvironmentVariables = (environment: NodeJS.ProcessEnv): Variables =>
  omitEmpty(Object.fromEntries(deploymentVariableNames.map((name) => [name, environment[name]])));

/** Returns the content of the publisher's variables file, or `undefined` if it does not exist. */
export const readVariablesFile = async (environment: NodeJS.ProcessEnv): Promise<string | undefined> => {
  try {
    return await readFile(getVariablesFile(environment), 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
};

/**
 * Writes the values of names that have none yet, and keeps the rest of the file, including comments.
 * @param values without quotes and line breaks
 */
export const addMissingVariables = (text: string, values: Variables): string => {
  const existing = parseVariables(text);
  return Object.entries(values)
    .filter(([name]) => existing[name] === undefined)
    .reduce((updatedText, [name, value]) => setLine(updatedText, name, value), text);
};

const parseVariables = (text: string): Variables => omitEmpty(parseEnv(text));

const setLine = (text: string, name: string, value: string): string => {
  const line = new RegExp(`^${name}=.*$`, 'm');
  const assignment = `${name}=${value}`;
  return line.test(text)
    ? text.replace(line, () => assignment)
    : `${text.replace(/\n?$/, '\n')}${assignment}\n`;
};

const omitEmpty = (values: Readonly<Record<string, string | undefined>>): Variables =>
  Object.fromEntries(
    Object.entries(values).flatMap(([name, value]) => (value?.trim() ? [[name, value]] : [])),
  );
