/** The paths of the app's files that the commands use. */
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const resolvePath = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));

/** The folder whose dependencies contain Wrangler. */
export const repositoryFolder = resolvePath('.');

export const wranglerConfig = resolvePath('apps/words/wrangler.jsonc');

/**
 * The condition in the `exports` of the packages that resolves to their sources. Everything in the workspace
 * uses it, so the packages need no build.
 */
export const sourceCondition = 'dev-source';

/** The two platforms that the app is deployed to. */
export type Platform = 'workers' | 'pages';

/** For each platform, the Wrangler file with the app's bindings. */
export const wranglerConfigs: Readonly<Record<Platform, string>> = {
  workers: wranglerConfig,
  pages: resolvePath('apps/words/pages/wrangler.jsonc'),
};

/** The file that lists and explains every variable. */
export const variablesExample = resolvePath('apps/words/.dev.vars.example');

/**
 * Returns the publisher's variables file: `.dev.vars`, which git ignores, or the file in `VARIABLES_FILE`.
 */
export const getVariablesFile = ({ VARIABLES_FILE = '' }: NodeJS.ProcessEnv): string =>
  VARIABLES_FILE === '' ? resolvePath('apps/words/.dev.vars') : resolve(VARIABLES_FILE);

/** The static files in the repository. */
export const publicFolder = resolvePath('apps/words/public');

/** The style sheet of the setup page. */
export const setupStyle = resolvePath('scripts/setup/page.css');

/** Returns the build folder: `dist`, which git ignores, or the folder in `BUILD_FOLDER`. */
export const getBuildFolder = ({ BUILD_FOLDER = '' }: NodeJS.ProcessEnv): string =>
  BUILD_FOLDER === '' ? resolvePath('apps/words/dist') : resolve(BUILD_FOLDER);
