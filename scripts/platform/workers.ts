/** The app as a Worker with static assets. */
import { join } from 'node:path';
import type { ServeCommand, Served } from './serve.ts';
import { writeVariables } from './variables.ts';

export const serveWorker = async (config: string, served: Served): Promise<ServeCommand> => {
  const { dataFolder, site, variables } = served;
  const file = join(dataFolder, 'worker.env');
  await writeVariables(file, variables);
  return { args: ['dev', '--config', config, '--env-file', file, '--assets', site] };
};
