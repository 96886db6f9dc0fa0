/**
 * The app as a Pages project with Functions. `wrangler pages dev` takes configuration and secrets from the folder that it runs in
 * and from nowhere else, so each local system has such a folder of its own, with links to the project's files.
 */
import { mkdir, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { ServeCommand, Served } from './serve.ts';
import { writeVariables } from './variables.ts';

const parts = ['package.json', 'wrangler.jsonc', 'functions'] as const;

export const servePages = async (project: string, served: Served): Promise<ServeCommand> => {
  const { dataFolder, site, variables } = served;
  const folder = join(dataFolder, 'pages');
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { mode: 0o700 });
  for (const part of parts) await symlink(join(project, part), join(folder, part));
  await writeVariables(join(folder, '.dev.vars'), variables);
  return { args: ['pages', 'dev', site], folder };
};
