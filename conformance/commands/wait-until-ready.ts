/** Waits for `npm start` to have everything running. */
import type { RunningCommand } from './command.ts';

/** Gives the summary as soon as it is there. @throws what the command said when it ended before */
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
