/**
 * Reads the built-in providers. Each is enabled by its credentials: `<NAME>_CLIENT_ID` and the variables that
 * belong to it.
 */
import { apple, github, google, type IdentityProvider, microsoft } from 'assistant-auth';
import { googleSecurityEvents } from 'assistant-auth/google-events';
import { readBaseUrl } from './urls.ts';
import {
  type Environment,
  readOptionalVariable,
  readRequiredVariable,
  withVariableErrors,
} from './variables.ts';

/**
 * A built-in provider, with its variables (`CLIENT_ID` means `<NAME>_CLIENT_ID`) and the function that
 * creates it.
 */
interface BuiltInProvider {
  readonly name: string;
  readonly requiredVariables: readonly string[];
  readonly optionalVariables?: readonly string[];
  readonly create: (reader: VariableReader, baseUrl: { readonly baseUrl?: string }) => IdentityProvider;
}

/** Reads the variables of one provider. */
interface VariableReader {
  readonly readRequired: (variable: string) => string;
  readonly readOptional: (variable: string) => string | undefined;
}

const readCredentials = ({ readRequired }: VariableReader) => ({
  clientId: readRequired('CLIENT_ID'),
  clientSecret: readRequired('CLIENT_SECRET'),
});

const builtInProviders: readonly BuiltInProvider[] = [
  {
    name: 'GOOGLE',
    requiredVariables: ['CLIENT_ID', 'CLIENT_SECRET'],
    create: (reader, baseUrl) =>
      google({ ...readCredentials(reader), securityEvents: googleSecurityEvents(), ...baseUrl }),
  },
  {
    name: 'GITHUB',
    requiredVariables: ['CLIENT_ID', 'CLIENT_SECRET'],
    create: (reader, baseUrl) => github({ ...readCredentials(reader), ...baseUrl }),
  },
  {
    name: 'MICROSOFT',
    requiredVariables: ['CLIENT_ID', 'CLIENT_SECRET'],
    optionalVariables: ['TENANT'],
    create: (reader, baseUrl) => {
      const tenant = reader.readOptional('TENANT');
      return microsoft({ ...readCredentials(reader), ...(tenant !== undefined && { tenant }), ...baseUrl });
    },
  },
  {
    name: 'APPLE',
    requiredVariables: ['CLIENT_ID', 'TEAM_ID', 'KEY_ID', 'PRIVATE_KEY'],
    create: ({ readRequired }, baseUrl) =>
      apple({
        clientId: readRequired('CLIENT_ID'),
        teamId: readRequired('TEAM_ID'),
        keyId: readRequired('KEY_ID'),
        privateKey: readRequired('PRIVATE_KEY'),
        ...baseUrl,
      }),
  },
];

/**
 * Reads the built-in providers that have at least one variable.
 * @param origin the app's origin. Only an app on loopback can use fake providers.
 * @throws VariableError with the variable that is missing or wrong
 */
export const readBuiltInProviders = (environment: Environment, origin: string): readonly IdentityProvider[] =>
  builtInProviders
    .filter((builtInProvider) =>
      listVariableNames(builtInProvider).some(
        (name) => readOptionalVariable(environment, name) !== undefined,
      ),
    )
    .map((builtInProvider) => readBuiltInProvider(builtInProvider, environment, origin));

const readBuiltInProvider = (
  builtInProvider: BuiltInProvider,
  environment: Environment,
  origin: string,
): IdentityProvider => {
  const toFullName = (name: string): string => `${builtInProvider.name}_${name}`;
  const hint = `${builtInProvider.requiredVariables.map(toFullName).join(', ')} must be set together`;
  const reader: VariableReader = {
    readRequired: (name) => readRequiredVariable(environment, toFullName(name), hint),
    readOptional: (name) => readOptionalVariable(environment, toFullName(name)),
  };
  const baseUrl = readBaseUrl(environment, toFullName('BASE_URL'), origin);
  return withVariableErrors(
    (option) => toFullName(toVariableName(option)),
    () => builtInProvider.create(reader, baseUrl === undefined ? {} : { baseUrl }),
  );
};

const listVariableNames = ({
  name,
  requiredVariables,
  optionalVariables = [],
}: BuiltInProvider): readonly string[] =>
  [...requiredVariables, ...optionalVariables, 'BASE_URL'].map((suffix) => `${name}_${suffix}`);

/** Returns the variable of an option: `TEAM_ID` for `providers.apple.teamId`. */
const toVariableName = (option: string): string =>
  (option.split('.').at(-1) ?? '').replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
