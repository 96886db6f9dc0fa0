/** Reports all errors in the app's variables at once. The app itself stops at the first one. */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { generateKey } from 'assistant-auth/seal';
import { VariableError } from '../../apps/words/src/config/variables.ts';
import { readConfig } from '../../apps/words/src/config.ts';
import { CommandError } from './command.ts';
import { readGptUrl } from './site.ts';
import type { Variables } from './variables.ts';

/**
 * Checks that the app would start with the publisher's variables file.
 * @param file the file that they were read from
 * @throws CommandError with one line for each error
 */
export const requireConfiguration = (variables: Variables, file: string): void =>
  requireVariables(
    variables,
    file,
    'Run npm run setup to generate keys and secrets. The file explains the other variables.',
  );

/**
 * Checks that the app would start with these variables.
 * @param source where they come from, for the message
 * @param advice a sentence that says how to correct them
 * @throws CommandError with one line for each error
 */
export const requireVariables = (variables: Variables, source: string, advice: string): void => {
  const problems = findConfigurationErrors(variables);
  if (problems.length === 0) return;
  const lines = problems.map(({ message }) => `  ${message}`);
  throw new CommandError([`The app cannot start with ${source}:`, ...lines, advice].join('\n'));
};

/**
 * Finds all errors. To find the next one, replaces each wrong value with a valid one, or with an empty one if
 * that does not help.
 */
const findConfigurationErrors = (
  variables: Variables,
  found: readonly VariableError[] = [],
): readonly VariableError[] => {
  const problem = findFirstError(variables);
  if (problem === undefined) return found;
  const { variable } = problem;
  if (!found.some((earlier) => earlier.variable === variable))
    return findConfigurationErrors({ ...variables, [variable]: placeholders[variable] ?? placeholder }, [
      ...found,
      problem,
    ]);
  return variables[variable] === ''
    ? found
    : findConfigurationErrors({ ...variables, [variable]: '' }, found);
};

const findFirstError = (variables: Variables): VariableError | undefined => {
  try {
    readConfig(variables);
    readGptUrl(variables);
    return undefined;
  } catch (error) {
    if (error instanceof VariableError) return error;
    throw error;
  }
};

/** Valid as a secret and as an ID. */
const placeholder = randomBytes(32).toString('hex');

const placeholders: Variables = {
  ORIGIN: 'https://words.example',
  CONTACT_EMAIL: 'help@words.example',
  SEALING_KEYS: generateKey('filler', (length) => new Uint8Array(randomBytes(length))),
  DAILY_SECRET: randomBytes(32).toString('base64url'),
  APPLE_TEAM_ID: 'ABCDE12345',
  APPLE_KEY_ID: 'ABCDE12345',
  APPLE_PRIVATE_KEY: String(
    generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }),
  ),
};
