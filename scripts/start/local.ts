/** `npm start`: the app on loopback, with fake providers to sign in at. */
import { people } from '@words-with-chat/lab';
import { readGivenVariables, type Variables } from '../app/variables.ts';
import type { StandIn } from '../local-system/stand-ins/stand-ins.ts';
import { type LocalSystem, startLocalSystem } from '../local-system/system.ts';
import { debuggerLine, type Started, type StartOptions } from './started.ts';

/**
 * Starts the app with the variables that the environment sets, and with defaults for the other required ones.
 * @throws Refused with the name of each variable that is wrong
 */
export const startLocal = async (options: StartOptions): Promise<Started> => {
  const given = await readGivenVariables(process.env);
  const origin = `http://localhost:${options.port}`;
  for (const notice of unusedSettings(given, process.env, origin)) options.log(notice);
  const { ORIGIN: _, ...variables } = given;
  const system = await startLocalSystem({ ...options, variables });
  return { ...system, summary: summary(system, variables) + debuggerLine(system) };
};

/** Returns a line for each setting that has no effect without `--origin`. */
const unusedSettings = (
  { ORIGIN = '' }: Variables,
  { VARIABLES_FILE = '' }: NodeJS.ProcessEnv,
  origin: string,
): readonly string[] => [
  ...(ORIGIN === '' || ORIGIN === origin
    ? []
    : [`ORIGIN is not used: npm start runs the app at ${origin}. To run it behind a tunnel, pass --origin.`]),
  ...(VARIABLES_FILE === ''
    ? []
    : ['VARIABLES_FILE is not used: npm start reads a variables file only with --origin.']),
];

const summary = (system: LocalSystem, variables: Variables): string => {
  const { origin, standIns, gptClientId, settingsFile } = system;
  const secretIn = 'GPT_CLIENT_SECRET' in variables ? 'GPT_CLIENT_SECRET' : settingsFile;
  return `
  Words With Chat    ${origin}
  A person's account ${origin}/account
  API description    ${origin}/openapi.yaml
${[...signInLines(standIns), ...environmentLines(variables)].join('\n')}
  ChatGPT's client   ${gptClientId}, its secret in ${secretIn}
  The GPT editor     ${origin}/setup shows what goes into it

  To play its side   ${demoCommand(origin)}
  To end             Ctrl-C; keys, users and scores stay
`;
};

const signInLines = (standIns: readonly StandIn[]): readonly string[] =>
  standIns.length === 0
    ? ['  Sign in at         the providers that the environment configures; no fake provider runs']
    : [
        `  Sign in at         ${standIns.map(place).join('\n                     ')}`,
        `                     all stand-ins, with accounts of ${names}`,
      ];

const environmentLines = (variables: Variables): readonly string[] =>
  Object.keys(variables).length === 0
    ? []
    : [`  The environment    sets ${Object.keys(variables).join(', ')}`];

const place = ({ label, issuer }: StandIn): string => `${issuer} in place of ${label}`;

const demoCommand = (origin: string): string => {
  const { port } = new URL(origin);
  return port === '8787' ? 'npm run demo' : `PORT=${port} npm run demo`;
};

const names = people.map(({ name }) => name).join(', ');
