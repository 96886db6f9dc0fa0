/**
 * Returns the folder where `npm start` stores its data: `.local`, which git ignores, or the folder in
 * `LOCAL_DATA_FOLDER`.
 */
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const getDataFolder = (environment: Readonly<Record<string, string | undefined>>): string => {
  const { LOCAL_DATA_FOLDER = '' } = environment;
  return LOCAL_DATA_FOLDER === '' ? localFolder : resolve(LOCAL_DATA_FOLDER);
};

/** The default folder. */
export const localFolder = fileURLToPath(new URL('../../.local', import.meta.url));
