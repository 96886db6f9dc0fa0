/** Runs Wrangler in the user's terminal, where it can ask to log in or to confirm. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { text } from 'node:stream/consumers';
import { CommandError } from '../app/command.ts';

const cli = createRequire(import.meta.url).resolve('wrangler');

/**
 * Runs a command.
 * @throws CommandError if it fails, after it printed the reason
 */
export const runWranglerCommand = async (command: readonly string[]): Promise<void> => {
  await requireSuccess(start(command, 'inherit'), command);
};

/**
 * Runs a command and returns its output.
 * @throws CommandError if it fails, after it printed the reason
 */
export const captureWranglerOutput = async (command: readonly string[]): Promise<string> => {
  const child = start(command, 'pipe');
  const output = child.stdout === null ? '' : text(child.stdout);
  await requireSuccess(child, command);
  return output;
};

const start = (command: readonly string[], stdout: 'inherit' | 'pipe') => {
  const stdio = ['inherit', stdout, 'inherit'] as const;
  const child = spawn(process.execPath, ['--no-warnings', cli, ...command], {
    stdio: [...stdio],
    // The lock file determines the version of Wrangler, so its banner about updates is hidden.
    env: { ...process.env, WRANGLER_HIDE_BANNER: 'true' },
  });
  // A signal that is sent only to this process also ends Wrangler.
  const killAtExit = (): void => void child.kill();
  process.once('exit', killAtExit);
  child.once('exit', () => process.off('exit', killAtExit));
  return child;
};

const requireSuccess = async (child: ReturnType<typeof start>, command: readonly string[]): Promise<void> => {
  const [code]: unknown[] = await once(child, 'close');
  if (code === 0) return;
  const verbs = command.slice(
    0,
    command.findIndex((word) => word.startsWith('-')),
  );
  throw new CommandError(`wrangler ${verbs.join(' ')} failed; nothing after it was done.`);
};
