/**
 * Keys and secrets of the local system. They are generated once, and stored in a file that only its owner can
 * read and that git ignores.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { generateKey } from 'assistant-auth/seal';
import type { Variables } from '../app/variables.ts';
import { StartError } from './ports.ts';

export interface Settings {
  /** A key ring. Secret. */
  readonly sealingKeys: string;
  readonly gptClientId: string;
  /** 256 bits as base64url. Secret. */
  readonly gptClientSecret: string;
}

export const settingsFile = (dataFolder: string): string => join(dataFolder, 'settings.json');

/**
 * Reads the settings.
 * @returns `undefined` if there are none yet
 * @throws StartError if the file is damaged
 */
export const readSettings = async (dataFolder: string): Promise<Settings | undefined> => {
  const file = settingsFile(dataFolder);
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  const settings = parseSettings(text);
  if (settings === undefined) throw new StartError(`${file} is damaged. Delete it to generate new secrets.`);
  return settings;
};

/** Reads the settings, or generates and stores them. */
export const ensureSettings = async (dataFolder: string): Promise<Settings> => {
  const existingSettings = await readSettings(dataFolder);
  if (existingSettings !== undefined) return existingSettings;
  const settings = generateSettings();
  await mkdir(dataFolder, { recursive: true, mode: 0o700 });
  await writeFile(settingsFile(dataFolder), `${JSON.stringify(settings, null, 2)}\n`, {
    mode: 0o600,
    flag: 'wx',
  });
  return settings;
};

/** Returns the settings as variables of the app. */
export const buildSettingsVariables = ({
  sealingKeys,
  gptClientId,
  gptClientSecret,
}: Settings): Variables => ({
  SEALING_KEYS: sealingKeys,
  GPT_CLIENT_ID: gptClientId,
  GPT_CLIENT_SECRET: gptClientSecret,
});

/** Returns the credentials that ChatGPT uses. If there are two secrets, the first is the new one. */
export const readGptCredentials = ({ GPT_CLIENT_ID = '', GPT_CLIENT_SECRET = '' }: Variables) => ({
  gptClientId: GPT_CLIENT_ID.trim(),
  gptClientSecret: GPT_CLIENT_SECRET.trim().split(/\s+/)[0] ?? '',
});

const generateSettings = (): Settings => ({
  sealingKeys: generateKey('local', (length) => new Uint8Array(randomBytes(length))),
  gptClientId: 'words-gpt',
  gptClientSecret: randomBytes(32).toString('base64url'),
});

const parseSettings = (text: string): Settings | undefined => {
  const values = readObject(text);
  const { sealingKeys, gptClientId, gptClientSecret } = values;
  const isComplete =
    typeof sealingKeys === 'string' && typeof gptClientId === 'string' && typeof gptClientSecret === 'string';
  return isComplete ? { sealingKeys, gptClientId, gptClientSecret } : undefined;
};

const readObject = (text: string): Readonly<Partial<Record<keyof Settings, unknown>>> => {
  try {
    return Object(JSON.parse(text));
  } catch {
    return {};
  }
};
