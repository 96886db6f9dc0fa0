/** The providers that everybody knows, each switched on by its credentials: `<VENDOR>_CLIENT_ID` and what belongs to it. */
import { apple, github, google, type IdentityProvider, microsoft } from 'assistant-auth';
import { readBaseUrl } from './urls.ts';
import { type Environment, optional, required, withVariableErrors } from './variables.ts';

/** One vendor: its variables by what follows its name, and what is made of them. */
interface BuiltInProvider {
  readonly name: string;
  readonly needed: readonly string[];
  readonly optional?: readonly string[];
  readonly make: (read: Read, baseUrl: { readonly baseUrl?: string }) => IdentityProvider;
}

/** Reads variables of one vendor. */
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
 * Reads the vendors of which anything is set.
 * @param origin the app's own: only on loopback may a vendor be a fake provider
 * @throws VariableError naming what a half-configured vendor lacks, or what is wrong with it
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
  const hint = `${builtInProvider.needed.map(variable).join(', ')} belong together`;
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

/** `providers.apple.teamId` was made of `TEAM_ID`. */
const toVariableName = (option: string): string =>
  (option.split('.').at(-1) ?? '').replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
