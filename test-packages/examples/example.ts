/** Copies an example to a new project, as a publisher does, and runs its commands. */
import { execFile, spawn } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { delimiter, dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { localEnvironment } from '../../packages/assistant-auth/src/cli/database/wrangler.ts';
import { buildWranglerFolders, superviseProcess } from '../../scripts/app/wrangler.ts';
import { readCodeBlocks } from '../../scripts/docs/markdown.ts';

const resolvePath = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** A project outside the workspace. */
export interface Project {
  readonly folder: string;
  /**
   * Runs a shell command until it ends.
   * @returns its standard output
   * @throws Error with its output if it fails
   */
  run(command: string, variables?: Variables): Promise<string>;
  /**
   * Starts a shell command, and waits until it has printed a line.
   * @throws Error with its output if it exits first
   */
  start(command: string, line: RegExp, variables?: Variables): Promise<RunningCommand>;
}

type Variables = Readonly<Record<string, string>>;

export interface RunningCommand {
  /** Stops the command and all processes that it started. */
  stop(): Promise<void>;
}

/**
 * Creates a project, and runs the first command of the example's README in it, which installs the example.
 * @param clone the folder that the README calls the clone
 */
export const installExample = async (name: string, clone: string): Promise<Project> => {
  const project = createProject(name, { CLONE: clone });
  await project.run(readInstallCommand(name));
  return project;
};

/**
 * Creates a project in a new folder beside the clone. It is empty, except for a lock file.
 * @param variables the environment of all commands
 */
export const createProject = (name: string, variables: Variables & { readonly CLONE: string }): Project => {
  const folder = mkdtempSync(join(dirname(variables.CLONE), `${name}-`));
  // The versions of the dependencies. Without it, npm would install the newest versions.
  copyFileSync(resolvePath('../package-lock.json'), join(folder, 'package-lock.json'));
  const env = { ...createEnvironment(folder), ...variables };
  return {
    folder,
    async run(command, extra = {}) {
      const options = { cwd: folder, env: { ...env, ...extra }, timeout: 300_000 };
      return (await promisify(execFile)('sh', ['-c', command], options)).stdout;
    },
    async start(command, line, extra = {}) {
      const child = spawn('sh', ['-c', command], {
        ...{ cwd: folder, env: { ...env, ...extra }, stdio: ['ignore', 'pipe', 'pipe'], detached: true },
      });
      const lines: string[] = [];
      const { promise: started, resolve } = Promise.withResolvers<void>();
      const log = (printed: string): void => {
        lines.push(printed);
        if (line.test(printed)) resolve();
      };
      const { exited, stop } = superviseProcess(child, { log });
      const failed = exited.then((code) => {
        throw new Error(`${command} ended with code ${code}:\n${lines.join('\n')}`);
      });
      await Promise.race([started, failed]);
      return { stop };
    },
  };
};

/**
 * Runs a shell command in a folder, with the programs of the workspace.
 * @returns its standard output
 * @throws Error with its output if it fails
 */
export const runShell = async (command: string, cwd: string): Promise<string> => {
  const env = { ...process.env, NO_COLOR: '1' };
  return (await promisify(execFile)('sh', ['-c', command], { cwd, env, timeout: 300_000 })).stdout;
};

/**
 * Sends a request with an invalid `Host` header, so that `toRequest` throws.
 * @returns the response, with its status line and headers
 */
export const sendMalformedRequest = (port: number, path: string): Promise<string> => {
  const socket = createConnection(port, '127.0.0.1');
  socket.end(`GET ${path} HTTP/1.1\r\nHost: words example\r\nConnection: close\r\n\r\n`);
  return text(socket);
};

/**
 * Registers a client with the app at `issuer`, as MCP clients do.
 * @returns the client ID
 */
export const registerClient = async (issuer: string, redirectUri: string): Promise<string> => {
  const response = await fetch(`${issuer}/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ redirect_uris: [redirectUri], token_endpoint_auth_method: 'none' }),
  });
  const { client_id } = await response.json();
  return String(client_id);
};

/**
 * Returns the first command in the README of an example.
 * @throws Error if there is none
 */
const readInstallCommand = (name: string): string => {
  const readme = readFileSync(resolvePath(`../../examples/${name}/README.md`), 'utf8');
  const [command = ''] =
    readCodeBlocks(readme)
      .find(({ language }) => language === 'sh')
      ?.code.split('\n') ?? [];
  if (command === '') throw new Error(`The README of ${name} has no command.`);
  return command;
};

/** What npm and Wrangler may read of the environment. A variable of an example must not come from there. */
const inheritedVariables =
  /^(HOME|LANG|(https?|no|all)_proxy|npm_config_(registry|cache|cafile|userconfig|globalconfig|.*proxy)|NODE_EXTRA_CA_CERTS)$/i;

const createEnvironment = (folder: string): Variables => {
  // Without the commands of the workspace, so that a project needs its own.
  const { PATH = '' } = process.env;
  const paths = PATH.split(delimiter).filter((path) => !path.endsWith(join('node_modules', '.bin')));
  const temporary = join(folder, '.tmp');
  mkdirSync(temporary);
  return {
    ...Object.fromEntries(
      Object.entries(process.env).flatMap(([name, value = '']) =>
        inheritedVariables.test(name) ? [[name, value]] : [],
      ),
    ),
    ...{ ...localEnvironment, ...buildWranglerFolders(folder), npm_config_prefer_offline: 'true' },
    ...{ TMPDIR: temporary, PATH: [dirname(process.execPath), ...paths].join(delimiter) },
  };
};
