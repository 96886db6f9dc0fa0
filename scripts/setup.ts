/**
 * `npm run setup -- --origin https://words.example`: draws what can be drawn into the file of variables, and prints what
 * goes into the GPT editor. Without `--origin` the file's own `ORIGIN` is used.
 */
import { readProviders } from '../apps/words/src/config/providers.ts';
import { VariableError } from '../apps/words/src/config/variables.ts';
import { Refused, runCommand, showsHelp } from './app/command.ts';
import { originOption, parseOrigin } from './app/origin.ts';
import { variablesFileOf } from './app/places.ts';
import { readVariables, type Variables } from './app/variables.ts';
import { gptEditor } from './setup/gpt-editor.ts';
import { printed } from './setup/print.ts';
import { ensureVariablesFile, type Outcome } from './setup/variables-file.ts';

const usage = `Write npm run setup, or npm run setup -- with
  --origin <https://words.example>    where the app will be reached; ORIGIN of the file of variables when left out`;

const main = async (): Promise<void> => {
  const asked = originOption(process.argv.slice(2));
  const origin = asked ?? knownOrigin(await readVariables(process.env));
  const outcome = await ensureVariablesFile(process.env, origin);
  const variables = await readVariables(process.env);
  const { GPT_CLIENT_ID = '', GPT_CLIENT_SECRET = '' } = variables;
  const sections = await gptEditor({
    origin,
    clientId: GPT_CLIENT_ID,
    // The first of two is the new one, while they are changed.
    clientSecret: GPT_CLIENT_SECRET.split(/\s+/)[0] ?? '',
  });
  console.log(`${sentence(outcome)}\n\n${printed(sections)}\n${nextSteps(variables, origin)}`);
};

const knownOrigin = ({ ORIGIN }: Variables): string => {
  if (ORIGIN !== undefined) return parseOrigin('ORIGIN', ORIGIN);
  throw new Refused('Say where the app will be reached: npm run setup -- --origin https://words.example');
};

const sentence = (outcome: Outcome): string => {
  const file = variablesFileOf(process.env);
  switch (outcome) {
    case 'made':
      return `${file} is new, with keys and secrets that were drawn just now. Keep it: losing the keys signs everybody out.`;
    case 'completed':
      return `${file} had gaps, and what could be drawn was drawn.`;
    case 'unchanged':
      return `${file} stays as it is.`;
  }
};

const nextSteps = (variables: Variables, origin: string): string =>
  [
    ...signInSteps(variables, origin),
    ...otherOrigin(variables, origin),
    'docs/gpt.md leads through the GPT editor, docs/deploy.md to a domain or a tunnel.',
  ].join('\n');

const otherOrigin = ({ ORIGIN }: Variables, origin: string): readonly string[] =>
  ORIGIN === origin ? [] : [`These values are for ${origin}; the file’s own ORIGIN is ${ORIGIN}.`];

const signInSteps = (variables: Variables, origin: string): readonly string[] => {
  try {
    const providers = readProviders(variables, origin);
    return providers.flatMap(({ id, label, readLogoutToken, events }) => [
      `Redirect URI to register with ${label}: ${origin}/callback/${id}`,
      ...(readLogoutToken === undefined
        ? []
        : [
            `Where ${label} says that people sign out (docs/providers.md): ${origin}/backchannel-logout/${id}`,
          ]),
      ...(events === undefined
        ? []
        : [`Where ${label} says what became of accounts (docs/providers.md): ${origin}/events/${id}`]),
    ]);
  } catch (error) {
    if (!(error instanceof VariableError)) throw error;
    return [error.message, `Redirect URIs to register have the form ${origin}/callback/google.`];
  }
};

if (!showsHelp(usage)) await runCommand(main);
