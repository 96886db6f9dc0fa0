/**
 * `npm run setup -- --origin https://words.example`: generates the missing keys and secrets in the variables
 * file, and prints how to connect MCP clients, and the values for the GPT editor. Default for `--origin`:
 * `ORIGIN` in the file or the environment.
 */
import { readProviders } from '../apps/words/src/config/providers.ts';
import { readContactEmail, readPublisherName } from '../apps/words/src/config/publisher.ts';
import { VariableError } from '../apps/words/src/config/variables.ts';
import { CommandError, printHelpIfRequested, runCommand } from './app/command.ts';
import { parseOrigin, readOriginOption } from './app/origin.ts';
import { getVariablesFile } from './app/paths.ts';
import { readVariables, type Variables } from './app/variables.ts';
import { buildSetupGroups } from './setup/groups.ts';
import { formatGroups } from './setup/print.ts';
import { ensureVariablesFile, type Outcome } from './setup/variables-file.ts';

const usage = `Usage: npm run setup [-- <options>]

Generates the missing keys and secrets in the variables file, and prints how to connect MCP clients and a custom GPT.

Options:
  --origin <https://words.example>    the origin of the app (default: ORIGIN in the variables file or the environment)`;

const main = async (): Promise<void> => {
  const requestedOrigin = readOriginOption(process.argv.slice(2));
  const origin = requestedOrigin ?? requireOrigin(await readVariables(process.env));
  const outcome = await ensureVariablesFile(process.env, origin);
  const variables = await readVariables(process.env);
  const { GPT_CLIENT_ID = '', GPT_CLIENT_SECRET = '' } = variables;
  const groups = buildSetupGroups({
    origin,
    gptClientId: GPT_CLIENT_ID,
    // While the secret is being replaced, there are two. The first one is the new one.
    gptClientSecret: GPT_CLIENT_SECRET.split(/\s+/)[0] ?? '',
  });
  console.log(
    `${describeOutcome(outcome)}\n\n${formatGroups(groups)}\n${describeNextSteps(variables, origin)}`,
  );
};

const requireOrigin = ({ ORIGIN }: Variables): string => {
  if (ORIGIN !== undefined) return parseOrigin('ORIGIN', ORIGIN);
  throw new CommandError('Pass the origin of the app: npm run setup -- --origin https://words.example');
};

const describeOutcome = (outcome: Outcome): string => {
  const file = getVariablesFile(process.env);
  switch (outcome) {
    case 'created':
      return `Created ${file} with generated keys and secrets. Keep it: without these keys, everyone is signed out.`;
    case 'completed':
      return `Added the missing values to ${file}, except those that cannot be generated.`;
    case 'unchanged':
      return `${file} is unchanged.`;
  }
};

const describeNextSteps = (variables: Variables, origin: string): string =>
  [
    ...[readPublisherName, readContactEmail].flatMap((read) => describeError(() => read(variables, origin))),
    ...describeSignInSteps(variables, origin),
    ...describeOtherOrigin(variables, origin),
    'docs/game/mcp.md explains MCP clients, and docs/game/custom-gpt.md the GPT editor. docs/game/deploy.md explains how to use a domain or a tunnel.',
  ].join('\n');

/** Returns the error of a variable that must be set by hand, or nothing. */
const describeError = (read: () => unknown): readonly string[] => {
  try {
    read();
    return [];
  } catch (error) {
    if (!(error instanceof VariableError)) throw error;
    return [error.message];
  }
};

const describeOtherOrigin = ({ ORIGIN }: Variables, origin: string): readonly string[] =>
  ORIGIN === origin ? [] : [`These values are for ${origin}, but ORIGIN is set to ${ORIGIN}.`];

const describeSignInSteps = (variables: Variables, origin: string): readonly string[] => {
  try {
    const providers = readProviders(variables, origin);
    return providers.flatMap(({ id, displayName, readLogoutToken, securityEvents }) => [
      `Redirect URI to register with ${displayName}: ${origin}/callback/${id}`,
      ...(readLogoutToken === undefined
        ? []
        : [
            `Back-channel logout URI to register with ${displayName} (docs/guides/security-events.md): ${origin}/backchannel-logout/${id}`,
          ]),
      ...(securityEvents === undefined
        ? []
        : [
            `Security event URL to register with ${displayName} (docs/guides/security-events.md): ${origin}/events/${id}`,
          ]),
    ]);
  } catch (error) {
    if (!(error instanceof VariableError)) throw error;
    return [error.message, `Redirect URIs to register have the form ${origin}/callback/google.`];
  }
};

if (!printHelpIfRequested(usage)) await runCommand(main);
