/** The app behind a tunnel: reached by others under an https origin, with the publisher's own credentials and no stand-in. */
import { join } from 'node:path';
import { ensurePrivateFolder } from '../app/private-file.ts';
import { demandFree } from './ports.ts';
import { startWorker, type Worker, type WorkerOptions } from './worker.ts';

/**
 * Starts the app and waits until it answers.
 * @param options `dataFolder` is the one that `npm start` has; the database is another, so that no stand-in's people are in it
 * @throws StartRefused when the port is taken or the app does not come up
 */
export const startTunnelledApp = async (options: WorkerOptions): Promise<Worker> => {
  await demandFree('PORT', options.port);
  const dataFolder = join(options.dataFolder, 'tunnelled');
  await ensurePrivateFolder(options.dataFolder);
  await ensurePrivateFolder(dataFolder);
  return startWorker({ ...options, dataFolder });
};
