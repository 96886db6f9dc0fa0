/**
 * `npm start`: runs the app and the fake providers until Ctrl-C; with `--origin`, only the app, behind a
 * tunnel; with `--pages`, a Pages project instead of a Worker; with `--inspect`, also a debugger.
 */
import { escapeControlsInLines, isUserFacing, printHelpIfRequested } from './app/command.ts';
import { getDataFolder } from './local-system/data-folder.ts';
import { readPorts } from './local-system/ports.ts';
import { readArguments, usage } from './start/arguments.ts';
import { startLocal } from './start/local.ts';
import type { RunningApp, StartOptions } from './start/running-app.ts';
import { startTunneled } from './start/tunneled.ts';

const main = async (): Promise<number> => {
  const stopRequested = waitForStopSignal();
  const { origin, ...startArguments } = readArguments(process.argv.slice(2));
  const ports = readPorts(process.env);
  const dataFolder = getDataFolder(process.env);
  const app = await Promise.race([
    start(origin, { ...ports, ...startArguments, dataFolder, log: (line) => console.error(line) }),
    stopRequested,
  ]);
  if (app === undefined) return 130;
  console.log(app.summary);
  const reason = await Promise.race([stopRequested, app.unexpectedExit]);
  await app.close();
  if (reason === undefined) return 0;
  console.error(escapeControlsInLines(reason));
  return 1;
};

const start = (origin: string | undefined, options: StartOptions): Promise<RunningApp> => {
  if (origin !== undefined) return startTunneled(origin, options);
  console.log('Starting the app and the fake providers …');
  return startLocal(options);
};

/** Resolves when the process receives a signal to stop. */
const waitForStopSignal = (): Promise<undefined> =>
  new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => resolve(undefined));
  });

try {
  process.exit(printHelpIfRequested(usage) ? 0 : await main());
} catch (error) {
  if (!isUserFacing(error)) throw error;
  console.error(escapeControlsInLines(error.message));
  process.exit(1);
}
