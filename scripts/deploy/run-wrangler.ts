/** Runs wrangler for the person at the terminal, who may be asked to log in and to confirm. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { text } from 'node:stream/consumers';
import { CommandError } from '../app/command.ts';

const cli = createRequire(import.meta.url).resolve('wrangler');

/** Runs a command to its end. @throws Refused when it fails, after it said why */
export const runWranglerCommand = async (command: readonly string[]): Promise<void> => {
  await requireSuccess(start(command, 'inherit'), command);
};

/** Runs a command and gives what it prints. @throws Refused likewise */
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
    // The lock file says which wrangler it is: nobody is asked for a newer one.
    env: { ...process.env, WRANGLER_HIDE_BANNER: 'true' },
  });
  // Who interrupts this process by its id alone means wrangler too.
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
