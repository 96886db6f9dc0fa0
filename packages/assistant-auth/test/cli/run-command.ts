/** Runs the command `assistant-auth` in its own process, in the folder of a project, as a publisher would. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

export interface CommandResult {
  readonly code: unknown;
  readonly stdout: string;
  readonly stderr: string;
}

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

/** Runs a file of Node in a folder, with only these environment variables. */
export const runNode = async (
  folder: string,
  args: readonly string[],
  { variables = {}, input = '' }: RunOptions = {},
): Promise<CommandResult> => {
  const { PATH } = process.env;
  const child = spawn(process.execPath, args, {
    cwd: folder,
    // Wrangler looks for a login in HOME.
    env: { PATH, HOME: folder, NO_COLOR: '1', WRANGLER_SEND_METRICS: 'false', ...variables },
  });
  child.stdin.end(input);
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ]);
  return { code, stdout, stderr };
};

export interface RunOptions {
  readonly variables?: Readonly<Record<string, string>>;
  readonly input?: string;
}

/** Runs the command until it ends. */
export const runCommand = (
  folder: string,
  args: readonly string[],
  options?: RunOptions,
): Promise<CommandResult> => runNode(folder, ['--conditions=dev-source', main, ...args], options);
