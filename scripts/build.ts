/** `npm run build`: the Worker's bundle, how large it is, and the site as it would be deployed, all in `apps/words/dist`. */
import { bundle, formatSize } from './app/bundle.ts';
import { runCommand } from './app/command.ts';
import { getBuildFolder } from './app/paths.ts';
import { readVariables } from './app/variables.ts';

await runCommand(async () => {
  const built = await bundle(getBuildFolder(process.env), await readVariables(process.env));
  console.log(`Worker: ${formatSize(built)}`);
});
