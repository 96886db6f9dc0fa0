/**
 * `npm run setup -- --origin https://words.example`: generates the missing keys and secrets in the file of
 * variables, and prints the values for the GPT editor. Default for `--origin`: `ORIGIN` in the file or the
 * environment.
 */
import { readProviders } from '../apps/words/src/config/providers.ts';
import { VariableError } from '../apps/words/src/config/variables.ts';
import { CommandError, printHelpIfRequested, runCommand } from './app/command.ts';
import { parseOrigin, readOriginOption } from './app/origin.ts';
import { getVariablesFile } from './app/paths.ts';
import { readVariables, type Variables } from './app/variables.ts';
import { buildGptEditorSections } from './setup/gpt-editor.ts';
import { formatSections } from './setup/print.ts';
import { ensureVariablesFile, type Outcome } from './setup/variables-file.ts';

const usage = `Write npm run setup, or npm run setup -- with
  --origin <https://words.example>    where the app will be reached; ORIGIN of the file of variables when left out`;

const main = async (): Promise<void> => {
  const requestedOrigin = readOriginOption(process.argv.slice(2));
  const origin = requestedOrigin ?? requireOrigin(await readVariables(process.env));
  const outcome = await ensureVariablesFile(process.env, origin);
  const variables = await readVariables(process.env);
  const { GPT_CLIENT_ID = '', GPT_CLIENT_SECRET = '' } = variables;
  const sections = await buildGptEditorSections({
    origin,
    clientId: GPT_CLIENT_ID,
    // During a change of the secret, the first of two is the new one.
    clientSecret: GPT_CLIENT_SECRET.split(/\s+/)[0] ?? '',
  });
  console.log(`${describeOutcome(outcome)}\n\n${formatSections(sections)}\n${nextSteps(variables, origin)}`);
};

const requireOrigin = ({ ORIGIN }: Variables): string => {
  if (ORIGIN !== undefined) return parseOrigin('ORIGIN', ORIGIN);
  throw new CommandError('Pass the origin of the app: npm run setup -- --origin https://words.example');
};

const describeOutcome = (outcome: Outcome): string => {
  const file = getVariablesFile(process.env);
  switch (outcome) {
    case 'created':
      return `${file} is new, with generated keys and secrets. Keep it: without these keys, everyone is signed out.`;
    case 'completed':
      return `${file} had missing values. Those that can be generated were added.`;
    case 'unchanged':
      return `${file} is unchanged.`;
  }
};

const nextSteps = (variables: Variables, origin: string): string =>
  [
    ...signInSteps(variables, origin),
    ...otherOrigin(variables, origin),
    'docs/gpt.md explains the GPT editor, and docs/deploy.md a domain or a tunnel.',
  ].join('\n');

const otherOrigin = ({ ORIGIN }: Variables, origin: string): readonly string[] =>
  ORIGIN === origin ? [] : [`These values are for ${origin}; the file’s own ORIGIN is ${ORIGIN}.`];

const signInSteps = (variables: Variables, origin: string): readonly string[] => {
  try {
    const providers = readProviders(variables, origin);
    return providers.flatMap(({ id, displayName, readLogoutToken, securityEvents }) => [
      `Redirect URI to register with ${displayName}: ${origin}/callback/${id}`,
      ...(readLogoutToken === undefined
        ? []
        : [
            `Where ${displayName} says that people sign out (docs/providers.md): ${origin}/backchannel-logout/${id}`,
          ]),
      ...(securityEvents === undefined
        ? []
        : [`Where ${displayName} says what became of accounts (docs/providers.md): ${origin}/events/${id}`]),
    ]);
  } catch (error) {
    if (!(error instanceof VariableError)) throw error;
    return [error.message, `Redirect URIs to register have the form ${origin}/callback/google.`];
  }
};

if (!printHelpIfRequested(usage)) await runCommand(main);
