/**
 * Runs one Worker in workerd through Wrangler's API, in its own process. `wrangler dev` and `wrangler pages
 * dev` always open a debugger, through which every process on the machine can read the key ring and all
 * secrets; `startApp` opens one only on request
 * (docs/decisions/0019-the-app-is-started-through-wranglers-api.md).
 *
 * The options arrive as one message over the channel to the parent process, because they contain secrets, and
 * every process can read the arguments of another one. When the channel closes because the parent has ended,
 * this process ends too.
 */
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { devNull } from 'node:os';
import { dirname, join } from 'node:path';
import { unstable_readConfig as readConfig, unstable_startWorker as startWorker } from 'wrangler';
import type { Platform } from '../app/paths.ts';

export interface DevServerOptions {
  readonly platform: Platform;
  /** The Wrangler file with the bindings. */
  readonly config: string;
  /** For Workers, the file to write the entry point to; for Pages, the compiled Functions. */
  readonly main: string;
  /** The folder of static files. */
  readonly site: string;
  /** The folder of the database. */
  readonly stateFolder: string;
  /** The port on 127.0.0.1 to listen on. */
  readonly port: number;
  readonly protocol: 'http' | 'https';
  /** The app's variables by name; some are secret. */
  readonly variables: Readonly<Record<string, string>>;
  readonly debugger: 'closed' | 'open';
}

/** Tells the parent process that the server listens, and the URL of the debugger if one is open. */
export interface Listening {
  readonly debuggerUrl?: string;
}

type Config = ReturnType<typeof readConfig>;

const serve = async (options: DevServerOptions): Promise<void> => {
  const { stateFolder, port, protocol, variables } = options;
  const config = readConfig({ config: options.config });
  const worker = await startWorker({
    config: await buildConfig(options, config),
    // Otherwise Wrangler reads `.dev.vars` or `.env`, which contain the variables of a deployment.
    envFiles: [devNull],
    bindings: Object.fromEntries(
      Object.entries(variables).map(([name, value]) => [name, { type: 'secret_text', value }]),
    ),
    dev: {
      server: { hostname: '127.0.0.1', port, secure: protocol === 'https' },
      // The scheme of the URL that the Worker sees.
      origin: { secure: protocol === 'https' },
      inspector: options.debugger === 'open' && { hostname: '127.0.0.1' },
      persist: stateFolder,
      remote: false,
      inferOriginFromRoutes: false,
      logLevel: 'log',
    },
  });
  let isRunning = false;
  worker.raw.once('reloadComplete', () => {
    isRunning = true;
  });
  // Wrangler has logged the reason. If the code does not build after a later change, the last build keeps
  // running, so that the change can be corrected.
  worker.raw.on('buildFailed', () => isRunning || process.exit(1));
  worker.raw.on('error', (error) => {
    console.error(formatError(error));
    process.exit(1);
  });
  const stop = (): void => void worker.dispose().finally(() => process.exit());
  process.once('SIGTERM', stop).once('disconnect', stop);
  await worker.ready;
  const debuggerUrl = (await worker.inspectorUrl)?.href;
  const listening: Listening = debuggerUrl === undefined ? {} : { debuggerUrl };
  process.send?.(JSON.stringify(listening));
};

const buildConfig = (options: DevServerOptions, config: Config): Promise<Config> => {
  switch (options.platform) {
    case 'workers':
      return buildWorkersConfig(options, config);
    case 'pages':
      return buildPagesConfig(options, config);
  }
};

/**
 * Omits the `scheduled` handler from the entry point. The server never runs it on a schedule, but any web
 * page could run it with a request for `/cdn-cgi/handler/scheduled`.
 */
const buildWorkersConfig = async ({ main, site }: DevServerOptions, config: Config): Promise<Config> => {
  const entrySource = `import worker from ${JSON.stringify(config.main)};
export * from ${JSON.stringify(config.main)};
const { scheduled, ...handlers } = worker;
export default handlers;
`;
  await mkdir(dirname(main), { recursive: true });
  await writeFile(main, entrySource);
  return { ...config, main, assets: { ...config.assets, directory: site } };
};

/**
 * Serves static files as Pages does: the Functions do not run for paths that `_routes.json` excludes, and the
 * response for a missing file is the `404.html` of the closest folder, or `index.html` if there is no `404.html`.
 */
const buildPagesConfig = async ({ main, site }: DevServerOptions, config: Config): Promise<Config> => {
  const { pages_build_output_dir: _, ...worker } = config;
  const isSinglePage = existsSync(join(site, 'index.html')) && !existsSync(join(site, '404.html'));
  const notFoundHandling = isSinglePage ? 'single-page-application' : '404-page';
  return {
    ...worker,
    main,
    no_bundle: true,
    assets: {
      ...{ directory: site, binding: 'ASSETS', not_found_handling: notFoundHandling },
      run_worker_first: await readRoutes(join(site, '_routes.json')),
    },
  };
};

/**
 * Translates `_routes.json` to `run_worker_first`. In both, exclusions take precedence. Without the file, the
 * Functions get every request.
 */
const readRoutes = async (file: string): Promise<string[]> => {
  if (!existsSync(file)) return ['/*'];
  const routes: { readonly include: readonly string[]; readonly exclude?: readonly string[] } = JSON.parse(
    await readFile(file, 'utf8'),
  );
  return [...routes.include, ...(routes.exclude ?? []).map((path) => `!${path}`)];
};

/** Wrangler reports an error, or an event with a reason and the error that caused it. */
const formatError = (error: unknown): string => {
  const { reason, cause, message } = Object(error);
  return [reason, Object(cause).message, message].filter((part) => typeof part === 'string').join(': ');
};

process.once('message', (text) => {
  const options: DevServerOptions = JSON.parse(String(text));
  serve(options).catch((error: unknown) => {
    console.error(formatError(error));
    process.exit(1);
  });
});
