/**
 * `npm run keys`: the command `assistant-auth keys` with the database of `npm start` or the deployed one
 * (docs/game/commands.md). Without a ring in `SEALING_KEYS` or on standard input, it reads the ring of
 * `npm start` with `--local`, and otherwise the one in the variables file.
 */
import { type KeysProgram, runKeys } from '../packages/assistant-auth/src/cli/keys.ts';
import { printOutput, runCommand } from './app/command.ts';
import { getVariablesFile } from './app/paths.ts';
import { readVariables } from './app/variables.ts';
import { createDatabaseOptions } from './database/database.ts';
import { getDataFolder } from './local-system/data-folder.ts';
import { readSettings } from './local-system/settings.ts';

const program: KeysProgram = {
  synopsis: 'npm run keys [-- <command>]',
  command: 'npm run -s keys --',
  databases: createDatabaseOptions(process.env),
  findStoredKeyRing: ({ local }) => ({
    name: getVariablesFile(process.env),
    read: local === true ? readLocalKeyRing : readConfiguredKeyRing,
  }),
};

const readLocalKeyRing = async (): Promise<string> =>
  (await readSettings(getDataFolder(process.env)))?.sealingKeys ?? '';

const readConfiguredKeyRing = async (): Promise<string> => {
  const { SEALING_KEYS = '' } = await readVariables(process.env);
  return SEALING_KEYS;
};

await runCommand(async () => printOutput(await runKeys(process.argv.slice(2), program)));
