/**
 * `npm run build`: builds the Worker's bundle and the site into `apps/words/dist`, and prints the size of the
 * bundle.
 */
import { buildBundle, formatSize } from './app/bundle.ts';
import { runCommand } from './app/command.ts';
import { getBuildFolder } from './app/paths.ts';
import { readVariables } from './app/variables.ts';

await runCommand(async () => {
  const bundle = await buildBundle(getBuildFolder(process.env), await readVariables(process.env));
  console.log(`Worker: ${formatSize(bundle)}`);
});
