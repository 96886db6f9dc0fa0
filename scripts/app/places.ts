/** Where the app's files lie that the commands work with. */
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const at = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));

export const wranglerConfig = at('apps/words/wrangler.jsonc');

/** The two platforms that the app is deployed to. */
export type Platform = 'workers' | 'pages';

/** For each platform, the Wrangler file that names the app's bindings. */
export const wranglerConfigs: Readonly<Record<Platform, string>> = {
  workers: wranglerConfig,
  pages: at('apps/words/pages/wrangler.jsonc'),
};

/** Names and explains every variable. */
export const variablesExample = at('apps/words/.dev.vars.example');

/** The publisher's own: `.dev.vars`, which git ignores, or the file named in `VARIABLES_FILE`. */
export const variablesFileOf = ({ VARIABLES_FILE = '' }: NodeJS.ProcessEnv): string =>
  VARIABLES_FILE === '' ? at('apps/words/.dev.vars') : resolve(VARIABLES_FILE);

/** The static files, as they lie in git. */
export const publicFolder = at('apps/words/public');

/** What is pasted into the GPT editor as its instructions. */
export const instructionsFile = at('apps/words/gpt/instructions.txt');

/** The style of the page for setting up a GPT. */
export const setupStyle = at('scripts/setup/page.css');

/** What is built: `dist`, which git ignores, or the folder named in `BUILD_FOLDER`. */
export const buildFolderOf = ({ BUILD_FOLDER = '' }: NodeJS.ProcessEnv): string =>
  BUILD_FOLDER === '' ? at('apps/words/dist') : resolve(BUILD_FOLDER);
