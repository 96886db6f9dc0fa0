/** Waits until `npm start` is ready. */
import type { RunningCommand } from './command.ts';

/**
 * Returns the printed summary.
 * @throws Error with the command's error output if the command exits first
 */
export const waitUntilReady = ({ process: child, finished }: RunningCommand): Promise<string> => {
  const ready = new Promise<string>((resolve) => {
    let output = '';
    child.stdout?.on('data', (chunk) => {
      output += chunk;
      if (output.includes('Ctrl-C')) resolve(output);
    });
  });
  return Promise.race([ready, finished.then(({ stderr }) => Promise.reject(new Error(stderr)))]);
};
