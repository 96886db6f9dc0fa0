/** The page for setting up a GPT, as part of the site that `npm start` serves. What is built and uploaded has none. */
import { copyFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isOnLoopback } from '../../apps/words/src/config/urls.ts';
import { setupStyle } from '../app/paths.ts';
import type { Variables } from '../app/variables.ts';
import { buildGptEditorSections } from './gpt-editor.ts';
import { renderSetupPage } from './page.ts';

/** Lays the page out beside the others, unless others than this machine reach the origin: it is for development only. */
export const buildSetupPage = async (
  site: string,
  origin: string,
  { GPT_CLIENT_ID = 'words-gpt' }: Variables,
): Promise<void> => {
  if (!isOnLoopback(origin)) return;
  const sections = await buildGptEditorSections({
    origin,
    clientId: GPT_CLIENT_ID,
    clientSecret: secretPlaceholder,
  });
  await writeFile(join(site, 'setup.html'), renderSetupPage(sections));
  await copyFile(setupStyle, join(site, 'setup.css'));
};

const secretPlaceholder = 'Not on a page: npm start says which file holds it, npm run setup prints it.';
