/** What a command does when it is told to end: it exits, where Node by itself would be gone without a chance to clean up. */
import { constants } from 'node:os';

/** Turns the signals of Ctrl-C, `kill` and a closed terminal into an exit with the code that a shell gives such a command. */
export const exitWhenInterrupted = (): void => {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.once(signal, () => process.exit(128 + constants.signals[signal]));
};
