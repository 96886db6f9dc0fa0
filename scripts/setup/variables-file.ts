/** Creates the publisher's variables file from the example, and generates keys and secrets. */
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { generateKey } from 'assistant-auth/seal';
import { getVariablesFile, variablesExample } from '../app/paths.ts';
import { makePrivate, writePrivateFile } from '../app/private-file.ts';
import { addMissingVariables, readVariablesFile } from '../app/variables.ts';

/** Whether the file was written. */
export type Outcome = 'created' | 'completed' | 'unchanged';

/**
 * Ensures that the file contains a key ring, the secret of the daily word, a client for the GPT and an origin. Existing values are kept.
 * Afterwards, only the file's owner can read it.
 * @param origin written if the file has none. If `undefined`, no origin is written
 */
export const ensureVariablesFile = async (
  environment: NodeJS.ProcessEnv,
  origin: string | undefined,
): Promise<Outcome> => {
  const existing = await readVariablesFile(environment);
  const text = existing ?? (await readFile(variablesExample, 'utf8'));
  const completed = addMissingVariables(text, {
    ...generateVariables(),
    ...(origin !== undefined && { ORIGIN: origin }),
  });
  const file = getVariablesFile(environment);
  if (completed === existing) {
    await makePrivate(file);
    return 'unchanged';
  }
  await writePrivateFile(file, completed);
  return existing === undefined ? 'created' : 'completed';
};

const generateVariables = () => ({
  SEALING_KEYS: generateKey(
    new Date().toISOString().slice(0, 10),
    (length) => new Uint8Array(randomBytes(length)),
  ),
  DAILY_SECRET: randomBytes(32).toString('base64url'),
  GPT_CLIENT_ID: 'words-gpt',
  GPT_CLIENT_SECRET: randomBytes(32).toString('base64url'),
});
