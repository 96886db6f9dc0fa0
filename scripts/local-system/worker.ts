/**
 * Starts the app, or another project, in workerd: builds the app's site, applies the migrations, compiles the
 * Functions of a Pages project, starts the server, and waits until it responds.
 */
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { stripVTControlCharacters } from 'node:util';
import { escapeControls } from '../app/command.ts';
import { type Platform, wranglerConfigs } from '../app/paths.ts';
import { buildSite } from '../app/site.ts';
import { type DevServer, type ProcessOptions, runWrangler, startDevServer } from '../app/wrangler.ts';
import { buildSetupPage } from '../setup/site.ts';
import type { DevServerOptions, Listening } from './dev-server.ts';
import { StartError } from './ports.ts';

export interface WorkerOptions extends ProcessOptions {
  /** The port on loopback to listen on. */
  readonly port: number;
  /** The origin at which clients reach the app. If it is https, a tunnel is in front of the app. */
  readonly origin: string;
  /** The platform that the app runs on. Default: `workers`. */
  readonly platform?: Platform;
  /** The app's other variables by name. */
  readonly variables: Readonly<Record<string, string>>;
  /**
   * Whether a debugger listens on loopback, through which every process on the machine can read all secrets.
   * Default: `closed`.
   */
  readonly debugger?: 'closed' | 'open';
}

/** A project with a Wrangler file. */
interface Project extends Pick<DevServerOptions, 'platform' | 'config' | 'site'> {}

export interface RunningProject extends Listening {
  /** Resolves with the reason if the process ends without `close`. */
  readonly unexpectedExit: Promise<string>;
  close(): Promise<void>;
}

/**
 * Starts the app.
 * @throws CommandError if it does not start. The message or the log says why
 */
export const startApp = async (options: WorkerOptions): Promise<RunningProject> => {
  const { dataFolder, origin, platform = 'workers' } = options;
  const variables = { ...options.variables, ORIGIN: origin };
  const site = join(dataFolder, 'site');
  await buildSite(site, variables);
  await buildSetupPage(site, origin, variables);
  return startProject({ platform, config: wranglerConfigs[platform], site }, { ...options, variables });
};

/**
 * Applies the migrations, starts the server, and waits until it responds.
 * @throws CommandError if it does not start. The message or the log says why
 */
const startProject = async (
  project: Project,
  options: Omit<WorkerOptions, 'platform'>,
): Promise<RunningProject> => {
  const { dataFolder, origin, port, log, variables } = options;
  const stateFolder = join(dataFolder, 'state');
  const databaseArguments = ['DB', '--local', '--persist-to', stateFolder, '--config', project.config];
  await runWrangler(['d1', 'migrations', 'apply', ...databaseArguments], dataFolder);
  const main = join(dataFolder, project.platform, 'index.js');
  if (project.platform === 'pages') await compileFunctions(project, main, dataFolder);
  const server = startDevServer(
    {
      ...{ ...project, main, stateFolder, port, variables, debugger: options.debugger ?? 'closed' },
      // The app responds only to its own origin, including the scheme. A tunnel connects to the port with
      // TLS.
      protocol: origin.startsWith('https:') ? 'https' : 'http',
    },
    { dataFolder, log: filterLog(log) },
  );
  const unexpectedExit = server.exited.then(
    (code) => `The app in workerd exited unexpectedly with exit code ${code}.`,
  );
  try {
    const listening = await waitUntilListening(server, unexpectedExit);
    await waitUntilReady(origin, port, unexpectedExit);
    return { ...listening, unexpectedExit, close: () => server.stop() };
  } catch (error) {
    await server.stop();
    throw error;
  }
};

const compileFunctions = ({ config }: Project, main: string, dataFolder: string): Promise<void> => {
  const functions = join(dirname(config), 'functions');
  return runWrangler(['pages', 'functions', 'build', functions, '--outdir', dirname(main)], dataFolder);
};

const waitUntilListening = ({ listening }: DevServer, unexpectedExit: Promise<string>): Promise<Listening> =>
  Promise.race([listening, unexpectedExit.then((reason) => Promise.reject(new StartError(reason)))]);

/** How long the first response may take, in milliseconds. */
const timeoutMs = 180_000;

/**
 * Waits until the app responds to a request for its origin, whose port can differ from the one that it
 * listens on.
 * @param unexpectedExit resolves with the reason if the process has ended
 * @throws StartError if the process has ended, or if the app responds with an error or does not respond
 */
const waitUntilReady = async (
  origin: string,
  port: number,
  unexpectedExit: Promise<string>,
): Promise<void> => {
  const abortController = new AbortController();
  void unexpectedExit.then((reason) => abortController.abort(new StartError(reason)));
  const signal = AbortSignal.any([abortController.signal, AbortSignal.timeout(timeoutMs)]);
  while (!signal.aborted) {
    const status = await requestStatus(origin, port, signal);
    if (status === 200) return;
    if (status !== undefined)
      throw new StartError(`The app responded to its first request with status ${status}.`);
    await pause(100);
  }
  abortController.signal.throwIfAborted();
  throw new StartError(`The app did not respond within ${timeoutMs / 1000} s.`);
};

/** Does not use `fetch`, which always sends the host that it connects to. */
const requestStatus = (origin: string, port: number, signal: AbortSignal): Promise<number | undefined> =>
  new Promise((resolve) => {
    const { protocol, host } = new URL(origin);
    const options = {
      ...{ host: '127.0.0.1', port, path: '/.well-known/oauth-authorization-server' },
      ...{ headers: { host }, signal, agent: false },
    };
    // The local runtime generates its certificate at each start. The connection stays on loopback.
    const clientRequest =
      protocol === 'https:' ? httpsRequest({ ...options, rejectUnauthorized: false }) : httpRequest(options);
    clientRequest.once('error', () => resolve(undefined));
    clientRequest.once('response', (response) => resolve(response.resume().statusCode));
    clientRequest.end();
  });

/**
 * Matches the lines that Wrangler prints at every start and for every request, but not the Worker's own
 * lines, warnings or errors.
 */
const ignoredLinePattern =
  /^\[wrangler:info\]|^⎔|^✨|^Using secrets defined in|^Your Worker has access to|^Binding\s|^env\./;

/**
 * Passes on all lines except those that match and the indented lines that follow them. Removes the colors of
 * Wrangler, and escapes control characters: the Worker's lines can contain data from anywhere.
 */
const filterLog = (log: (line: string) => void): ((line: string) => void) => {
  let isIgnored = false;
  return (line) => {
    isIgnored = ignoredLinePattern.test(line) || (isIgnored && line.startsWith('  '));
    if (!isIgnored) log(escapeControls(stripVTControlCharacters(line)));
  };
};
