/** Runs one of the project's commands in its own process, as a user would. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { sourceCondition } from '../../scripts/app/paths.ts';

export interface CommandResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunningCommand {
  readonly process: ChildProcess;
  readonly finished: Promise<CommandResult>;
}

type Script = 'start' | 'demo' | 'keys' | 'admin' | 'setup' | 'build' | 'deploy';

export const startCommand = (
  script: Script,
  variables: Readonly<Record<string, string>>,
  options: {
    readonly nodeArgs?: readonly string[];
    readonly args?: readonly string[];
    readonly input?: string;
  } = {},
): RunningCommand => {
  const { PATH, HOME } = process.env;
  const { nodeArgs = [], args = [], input = '' } = options;
  const file = (name: string): string => fileURLToPath(new URL(`../../scripts/${name}`, import.meta.url));
  const scriptArguments = ['--import', file('require-node.mjs'), file(`${script}.ts`), ...args];
  const processArguments = [...nodeArgs, `--conditions=${sourceCondition}`, ...scriptArguments];
  const child = spawn(process.execPath, processArguments, {
    env: { PATH, HOME, NO_COLOR: '1', ...variables },
  });
  child.stdin.end(input);
  const output = Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  const finished = output.then(([stdout, stderr, [code]]) => ({
    code: typeof code === 'number' ? code : null,
    stdout,
    stderr,
  }));
  return { process: child, finished };
};

/** Runs a command until it ends. */
export const runCommand = (...parameters: Parameters<typeof startCommand>): Promise<CommandResult> =>
  startCommand(...parameters).finished;
