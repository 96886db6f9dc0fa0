/**
 * Keys and secrets of the local system. They are generated once, and stored in a file that only its owner can
 * read and that git ignores.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { generateKey } from 'assistant-auth/seal';
import { writePrivateFile } from '../app/private-file.ts';
import type { Variables } from '../app/variables.ts';
import { StartError } from './ports.ts';

export interface Settings {
  /** A key ring. Secret. */
  readonly sealingKeys: string;
  readonly gptClientId: string;
  /** 256 bits as base64url. Secret. */
  readonly gptClientSecret: string;
  /** 256 bits as base64url. Secret. */
  readonly dailySecret: string;
}

/** What the file contains. Earlier versions did not store `dailySecret`. */
type StoredSettings = Omit<Settings, 'dailySecret'> & Partial<Pick<Settings, 'dailySecret'>>;

export const settingsFile = (dataFolder: string): string => join(dataFolder, 'settings.json');

/**
 * Reads the settings, and changes nothing.
 * @returns `undefined` if there are none yet
 * @throws StartError if the file is damaged
 */
export const readSettings = async (dataFolder: string): Promise<StoredSettings | undefined> => {
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

/** Reads the settings. Generates and stores what is missing. */
export const ensureSettings = async (dataFolder: string): Promise<Settings> => {
  const storedSettings = await readSettings(dataFolder);
  const settings = { ...generateSettings(), ...storedSettings };
  const text = `${JSON.stringify(settings, null, 2)}\n`;
  if (storedSettings === undefined) {
    await mkdir(dataFolder, { recursive: true, mode: 0o700 });
    await writeFile(settingsFile(dataFolder), text, { mode: 0o600, flag: 'wx' });
  } else if (storedSettings.dailySecret === undefined) {
    await writePrivateFile(settingsFile(dataFolder), text);
  }
  return settings;
};

/** Returns the settings as variables of the app. */
export const buildSettingsVariables = ({
  sealingKeys,
  gptClientId,
  gptClientSecret,
  dailySecret,
}: StoredSettings): Variables => ({
  SEALING_KEYS: sealingKeys,
  GPT_CLIENT_ID: gptClientId,
  GPT_CLIENT_SECRET: gptClientSecret,
  ...(dailySecret !== undefined && { DAILY_SECRET: dailySecret }),
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
  dailySecret: randomBytes(32).toString('base64url'),
});

const parseSettings = (text: string): StoredSettings | undefined => {
  const { sealingKeys, gptClientId, gptClientSecret, dailySecret } = readObject(text);
  if (
    typeof sealingKeys !== 'string' ||
    typeof gptClientId !== 'string' ||
    typeof gptClientSecret !== 'string'
  )
    return undefined;
  const settings = { sealingKeys, gptClientId, gptClientSecret };
  if (dailySecret === undefined) return settings;
  return typeof dailySecret === 'string' ? { ...settings, dailySecret } : undefined;
};

const readObject = (text: string): Readonly<Partial<Record<keyof Settings, unknown>>> => {
  try {
    return Object(JSON.parse(text));
  } catch {
    return {};
  }
};
