/** Where the app's files lie that the commands work with. */
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const resolvePath = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));

export const wranglerConfig = resolvePath('apps/words/wrangler.jsonc');

/** The two platforms that the app is deployed to. */
export type Platform = 'workers' | 'pages';

/** For each platform, the Wrangler file that names the app's bindings. */
export const wranglerConfigs: Readonly<Record<Platform, string>> = {
  workers: wranglerConfig,
  pages: resolvePath('apps/words/pages/wrangler.jsonc'),
};

/** Names and explains every variable. */
export const variablesExample = resolvePath('apps/words/.dev.vars.example');

/** The publisher's own: `.dev.vars`, which git ignores, or the file named in `VARIABLES_FILE`. */
export const getVariablesFile = ({ VARIABLES_FILE = '' }: NodeJS.ProcessEnv): string =>
  VARIABLES_FILE === '' ? resolvePath('apps/words/.dev.vars') : resolve(VARIABLES_FILE);

/** The static files, as they lie in git. */
export const publicFolder = resolvePath('apps/words/public');

/** What is pasted into the GPT editor as its instructions. */
export const instructionsFile = resolvePath('apps/words/gpt/instructions.txt');

/** The style of the page for setting up a GPT. */
export const setupStyle = resolvePath('scripts/setup/page.css');

/** What is built: `dist`, which git ignores, or the folder named in `BUILD_FOLDER`. */
export const getBuildFolder = ({ BUILD_FOLDER = '' }: NodeJS.ProcessEnv): string =>
  BUILD_FOLDER === '' ? resolvePath('apps/words/dist') : resolve(BUILD_FOLDER);
