/** Finds an installed Chrome or Chromium (Linux, macOS). */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { chromium } from 'playwright-core';

/**
 * Returns the path of the program: `CHROME_PATH` if set, otherwise the first one that exists in the usual
 * places.
 * @throws Error with instructions if there is none
 */
export const findChromium = (): string => {
  const { CHROME_PATH, PATH = '' } = process.env;
  if (CHROME_PATH !== undefined && CHROME_PATH !== '') {
    if (isExecutable(CHROME_PATH)) return CHROME_PATH;
    throw new Error(`CHROME_PATH must be the path of an executable file, not "${CHROME_PATH}".`);
  }
  const pathCandidates = PATH.split(delimiter).flatMap((folder) =>
    programNames.map((name) => join(folder, name)),
  );
  const found = [...pathCandidates, ...applicationPaths, chromium.executablePath()].find(isExecutable);
  if (found !== undefined) return found;
  throw new Error(
    'No Chrome or Chromium was found. Install one (Debian: apt install chromium; macOS: brew install --cask chromium; ' +
      'elsewhere: npx playwright-core install chromium), or set CHROME_PATH to the path of one.',
  );
};

const programNames = ['google-chrome-stable', 'google-chrome', 'chromium', 'chromium-browser', 'chrome'];

const applicationPaths = ['Google Chrome', 'Chromium', 'Google Chrome for Testing'].map(
  (name) => `/Applications/${name}.app/Contents/MacOS/${name}`,
);

const isExecutable = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
};
