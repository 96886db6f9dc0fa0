/**
 * Reads the built-in providers. Each is enabled by its credentials: `<NAME>_CLIENT_ID` and the variables that
 * belong to it.
 */
import { apple, github, google, type IdentityProvider, microsoft } from 'assistant-auth';
import { readBaseUrl } from './urls.ts';
import { type Environment, optional, required, withVariableErrors } from './variables.ts';

/**
 * A built-in provider, with its variables (`CLIENT_ID` means `<NAME>_CLIENT_ID`) and the function that
 * creates it.
 */
interface BuiltInProvider {
  readonly name: string;
  readonly needed: readonly string[];
  readonly optional?: readonly string[];
  readonly make: (read: Read, baseUrl: { readonly baseUrl?: string }) => IdentityProvider;
}

/** Reads the variables of one provider. */
interface Read {
  readonly needed: (variable: string) => string;
  readonly optional: (variable: string) => string | undefined;
}

const credentials = ({ needed }: Read) => ({
  clientId: needed('CLIENT_ID'),
  clientSecret: needed('CLIENT_SECRET'),
});

const builtInProviders: readonly BuiltInProvider[] = [
  {
    name: 'GOOGLE',
    needed: ['CLIENT_ID', 'CLIENT_SECRET'],
    make: (read, baseUrl) => google({ ...credentials(read), ...baseUrl }),
  },
  {
    name: 'GITHUB',
    needed: ['CLIENT_ID', 'CLIENT_SECRET'],
    make: (read, baseUrl) => github({ ...credentials(read), ...baseUrl }),
  },
  {
    name: 'MICROSOFT',
    needed: ['CLIENT_ID', 'CLIENT_SECRET'],
    optional: ['TENANT'],
    make: (read, baseUrl) => {
      const tenant = read.optional('TENANT');
      return microsoft({ ...credentials(read), ...(tenant !== undefined && { tenant }), ...baseUrl });
    },
  },
  {
    name: 'APPLE',
    needed: ['CLIENT_ID', 'TEAM_ID', 'KEY_ID', 'PRIVATE_KEY'],
    make: ({ needed }, baseUrl) =>
      apple({
        clientId: needed('CLIENT_ID'),
        teamId: needed('TEAM_ID'),
        keyId: needed('KEY_ID'),
        privateKey: needed('PRIVATE_KEY'),
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
      listVariableNames(builtInProvider).some((name) => optional(environment, name) !== undefined),
    )
    .map((builtInProvider) => readBuiltInProvider(builtInProvider, environment, origin));

const readBuiltInProvider = (
  builtInProvider: BuiltInProvider,
  environment: Environment,
  origin: string,
): IdentityProvider => {
  const variable = (name: string): string => `${builtInProvider.name}_${name}`;
  const hint = `${builtInProvider.needed.map(variable).join(', ')} must be set together`;
  const read: Read = {
    needed: (name) => required(environment, variable(name), hint),
    optional: (name) => optional(environment, variable(name)),
  };
  const baseUrl = readBaseUrl(environment, variable('BASE_URL'), origin);
  return withVariableErrors(
    (option) => variable(toVariableName(option)),
    () => builtInProvider.make(read, baseUrl === undefined ? {} : { baseUrl }),
  );
};

const listVariableNames = ({ name, needed, optional: extra = [] }: BuiltInProvider): readonly string[] =>
  [...needed, ...extra, 'BASE_URL'].map((rest) => `${name}_${rest}`);

/** Returns the variable of an option: `TEAM_ID` for `providers.apple.teamId`. */
const toVariableName = (option: string): string =>
  (option.split('.').at(-1) ?? '').replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
