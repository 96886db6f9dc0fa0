/**
 * Adds the page for setting up clients to the site that `npm start` serves. A deployed site does not have it.
 */
import { copyFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isOnLoopback } from '../../apps/words/src/config/urls.ts';
import { setupStyle } from '../app/paths.ts';
import type { Variables } from '../app/variables.ts';
import { buildSetupGroups } from './groups.ts';
import { renderSetupPage } from './page.ts';

/** Writes the page into the site if the origin is on loopback, because the page is for development only. */
export const buildSetupPage = async (site: string, origin: string, variables: Variables): Promise<void> => {
  if (!isOnLoopback(origin)) return;
  const { GPT_CLIENT_ID = 'words-gpt' } = variables;
  const groups = buildSetupGroups({
    origin,
    gptClientId: GPT_CLIENT_ID,
    gptClientSecret: secretPlaceholder,
  });
  await writeFile(join(site, 'setup.html'), renderSetupPage(groups));
  await copyFile(setupStyle, join(site, 'setup.css'));
};

const secretPlaceholder =
  'Not shown here: npm start prints the name of the file that contains it, and npm run setup prints the secret.';
