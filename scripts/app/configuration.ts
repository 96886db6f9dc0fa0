/** Everything that is wrong with a publisher's variables at once, where the app would stop at the first. */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { generateKey } from 'assistant-auth/seal';
import { VariableError } from '../../apps/words/src/config/variables.ts';
import { readConfig } from '../../apps/words/src/config.ts';
import { Refused } from './command.ts';
import { readGptUrl } from './site.ts';
import type { Variables } from './variables.ts';

/**
 * Makes sure that the app would start with the variables of the publisher's file.
 * @param file the file that they were read from
 * @throws Refused with one line for each fault
 */
export const demandConfiguration = (variables: Variables, file: string): void =>
  demandVariables(variables, file, 'npm run setup draws what can be drawn; the file explains the rest.');

/**
 * Makes sure that the app would start with these variables.
 * @param source where they come from, for the message
 * @param advice a sentence that says how to correct them
 * @throws Refused with one line for each fault
 */
export const demandVariables = (variables: Variables, source: string, advice: string): void => {
  const faults = configurationFaults(variables);
  if (faults.length === 0) return;
  const lines = faults.map(({ message }) => `  ${message}`);
  throw new Refused([`The app would not start with ${source}:`, ...lines, advice].join('\n'));
};

/**
 * Finds what the app would stumble over: each fault is mended, to see what comes after it, with a value that would do or by leaving
 * the variable out.
 */
const configurationFaults = (
  variables: Variables,
  found: readonly VariableError[] = [],
): readonly VariableError[] => {
  const fault = firstFault(variables);
  if (fault === undefined) return found;
  const { variable } = fault;
  if (!found.some((earlier) => earlier.variable === variable))
    return configurationFaults({ ...variables, [variable]: fillers[variable] ?? filler }, [...found, fault]);
  return variables[variable] === '' ? found : configurationFaults({ ...variables, [variable]: '' }, found);
};

const firstFault = (variables: Variables): VariableError | undefined => {
  try {
    readConfig(variables);
    readGptUrl(variables);
    return undefined;
  } catch (error) {
    if (error instanceof VariableError) return error;
    throw error;
  }
};

/** Long enough for a secret, plain enough for an id. */
const filler = 'x'.repeat(43);

const fillers: Variables = {
  ORIGIN: 'https://words.example',
  SEALING_KEYS: generateKey('filler', (length) => new Uint8Array(randomBytes(length))),
  APPLE_TEAM_ID: 'ABCDE12345',
  APPLE_KEY_ID: 'ABCDE12345',
  APPLE_PRIVATE_KEY: String(
    generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }),
  ),
};
