/** SQL carried out by wrangler, on this machine while `npm start` runs or not, or on the deployed database. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { text } from 'node:stream/consumers';
import type { ExecuteText } from 'assistant-auth/d1';
import { Refused } from '../app/command.ts';
import { quietly } from '../local-system/wrangler.ts';
import type { Place } from './place.ts';

const { SEALING_KEYS: _, ...withoutRing } = process.env;

const cli = createRequire(import.meta.url).resolve('wrangler');

/**
 * Makes what carries out statements there. The key ring, which `npm run keys` takes from the environment, is not for wrangler. The
 * statements stand among the arguments of a process, which others on the machine can read: no
 * statement holds a secret.
 * @returns a function that throws Refused with what the database said when it failed; then nothing was changed
 */
export const executeAt =
  (place: Place): ExecuteText =>
  async (statements) => {
    const command = ['d1', 'execute', 'DB', '--json', '--yes', '--config', place.config, ...whereOf(place)];
    const child = spawn(
      process.execPath,
      ['--no-warnings', cli, ...command, '--command', statements.join(';\n')],
      { stdio: ['inherit', 'pipe', 'pipe'], env: { ...withoutRing, ...environmentOf(place) } },
    );
    const [said, complained, [code]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'close'),
    ]);
    if (code === 0) return said;
    throw new Refused(
      `The database did not carry it out: ${reasonOf(said) ?? reasonOf(complained) ?? complained}`,
    );
  };

const whereOf = ({ local }: Place): readonly string[] =>
  local === undefined ? ['--remote'] : ['--local', '--persist-to', local.stateFolder];

const environmentOf = ({ local }: Place): Readonly<Record<string, string>> =>
  local === undefined ? { WRANGLER_HIDE_BANNER: 'true' } : quietly(local.dataFolder);

/** What wrangler says went wrong, as JSON. */
const reasonOf = (said: string): string | undefined => {
  try {
    const reason: unknown = Object(Object(JSON.parse(said)).error).text;
    return typeof reason === 'string' ? reason : undefined;
  } catch {
    return undefined;
  }
};
