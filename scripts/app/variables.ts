/** The app's variables as a publisher keeps them: in a file, or in the environment, which wins. */
import { readFile } from 'node:fs/promises';
import { parseEnv } from 'node:util';
import { CommandError } from './command.ts';
import { getVariablesFile, variablesExample } from './paths.ts';

/** Values by name; one that is empty is left out. Most are secret. */
export type Variables = Readonly<Record<string, string>>;

/**
 * Reads all variables that are set. The environment is asked for the names of the example only.
 * @throws Refused when the file has a name that the example does not have: it would be missed under the right one
 */
export const readVariables = async (environment: NodeJS.ProcessEnv): Promise<Variables> => {
  const names = await listVariableNames();
  const fileVariables = parseVariables((await readVariablesFile(environment)) ?? '');
  const unknownName = Object.keys(fileVariables).find((name) => !names.includes(name));
  if (unknownName !== undefined)
    throw new CommandError(
      `${getVariablesFile(environment)} sets ${unknownName}, which is no variable of the app.`,
    );
  return { ...fileVariables, ...(await readEnvironmentVariables(environment)) };
};

/** Returns the app's variables that the environment sets, without those of the publisher's file. */
export const readEnvironmentVariables = async (environment: NodeJS.ProcessEnv): Promise<Variables> => {
  const names = await listVariableNames();
  return withoutEmpty(Object.fromEntries(names.map((name) => [name, environment[name]])));
};

/** Returns the name of every variable in the example, including those that are commented out. */
export const listVariableNames = async (): Promise<readonly string[]> =>
  [...(await readFile(variablesExample, 'utf8')).matchAll(/^(?:# )?([A-Z][A-Z0-9_]*)=/gm)].map(
    ([, name = '']) => name,
  );

/** Gives the text of the publisher's file, `undefined` when there is none. */
export const readVariablesFile = async (environment: NodeJS.ProcessEnv): Promise<string | undefined> => {
  try {
    return await readFile(getVariablesFile(environment), 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
};

/**
 * Writes values behind the names that have none yet, and keeps everything else of the file, comments too.
 * @param values without quotes and line breaks
 */
export const addMissingVariables = (text: string, values: Variables): string => {
  const known = parseVariables(text);
  return Object.entries(values)
    .filter(([name]) => known[name] === undefined)
    .reduce((filled, [name, value]) => setLine(filled, name, value), text);
};

const parseVariables = (text: string): Variables => withoutEmpty(parseEnv(text));

const setLine = (text: string, name: string, value: string): string => {
  const line = new RegExp(`^${name}=.*$`, 'm');
  const set = `${name}=${value}`;
  return line.test(text) ? text.replace(line, () => set) : `${text.replace(/\n?$/, '\n')}${set}\n`;
};

const withoutEmpty = (values: Readonly<Record<string, string | undefined>>): Variables =>
  Object.fromEntries(
    Object.entries(values).flatMap(([name, value]) => (value?.trim() ? [[name, value]] : [])),
  );
