/**
 * `npm start`: runs the app and the fake providers until Ctrl-C; with `--origin`, the app alone behind a tunnel; with `--pages`, a
 * Pages project instead of a Worker; with `--inspect`, with a debugger.
 */
import { isPlain, showsHelp } from './app/command.ts';
import { readDataFolder } from './local-system/data-folder.ts';
import { readPorts } from './local-system/ports.ts';
import { readArguments, usage } from './start/arguments.ts';
import { startLocal } from './start/local.ts';
import type { Started, StartOptions } from './start/started.ts';
import { startTunnelled } from './start/tunnelled.ts';

const main = async (): Promise<number> => {
  const told = stopSignal();
  const { origin, ...asked } = readArguments(process.argv.slice(2));
  const ports = readPorts(process.env);
  const dataFolder = readDataFolder(process.env);
  const started = await Promise.race([
    start(origin, { ...ports, ...asked, dataFolder, log: (line) => console.error(line) }),
    told,
  ]);
  if (started === undefined) return 130;
  console.log(started.summary);
  const reason = await Promise.race([told, started.died]);
  await started.close();
  if (reason === undefined) return 0;
  console.error(reason);
  return 1;
};

const start = (origin: string | undefined, options: StartOptions): Promise<Started> => {
  if (origin !== undefined) return startTunnelled(origin, options);
  console.log('Starting the app and the sign-in stand-ins …');
  return startLocal(options);
};

/** Settles when the person, or the system, asks for the end. */
const stopSignal = (): Promise<undefined> =>
  new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => resolve(undefined));
  });

try {
  process.exit(showsHelp(usage) ? 0 : await main());
} catch (error) {
  if (!isPlain(error)) throw error;
  console.error(error.message);
  process.exit(1);
}
