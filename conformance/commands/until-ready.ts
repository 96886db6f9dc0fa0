/** Waits for `npm start` to have everything running. */
import type { Running } from './command.ts';

/** Gives the summary as soon as it is there. @throws what the command said when it ended before */
export const untilReady = ({ process: child, finished }: Running): Promise<string> => {
  const ready = new Promise<string>((resolve) => {
    let said = '';
    child.stdout?.on('data', (chunk) => {
      said += chunk;
      if (said.includes('Ctrl-C')) resolve(said);
    });
  });
  return Promise.race([ready, finished.then(({ stderr }) => Promise.reject(new Error(stderr)))]);
};
