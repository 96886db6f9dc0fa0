/** `npm run build`: the Worker's bundle, how large it is, and the site as it would be deployed, all in `apps/words/dist`. */
import { bundle, sizeOf } from './app/bundle.ts';
import { runCommand } from './app/command.ts';
import { buildFolderOf } from './app/places.ts';
import { readVariables } from './app/variables.ts';

await runCommand(async () => {
  const built = await bundle(buildFolderOf(process.env), await readVariables(process.env));
  console.log(`Worker: ${sizeOf(built)}`);
});
