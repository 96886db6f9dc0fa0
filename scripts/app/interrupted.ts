/**
 * Makes a command exit when it is interrupted. Without this, Node ends the process without running cleanup
 * handlers.
 */
import { constants } from 'node:os';

/**
 * Turns the signals of Ctrl-C, `kill` and a closed terminal into an exit, with the exit code that shells use
 * for that signal.
 */
export const exitWhenInterrupted = (): void => {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.once(signal, () => process.exit(128 + constants.signals[signal]));
};
