/** The providers that everybody knows, each switched on by its credentials: `<VENDOR>_CLIENT_ID` and what belongs to it. */
import { apple, github, google, type IdentityProvider, microsoft } from 'assistant-auth';
import { readStandIn } from './urls.ts';
import { type Environment, named, optional, required } from './variables.ts';

/** One vendor: its variables by what follows its name, and what is made of them. */
interface Vendor {
  readonly name: string;
  readonly needed: readonly string[];
  readonly optional?: readonly string[];
  readonly make: (read: Read, standIn: { readonly standIn?: string }) => IdentityProvider;
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

const vendors: readonly Vendor[] = [
  {
    name: 'GOOGLE',
    needed: ['CLIENT_ID', 'CLIENT_SECRET'],
    make: (read, standIn) => google({ ...credentials(read), ...standIn }),
  },
  {
    name: 'GITHUB',
    needed: ['CLIENT_ID', 'CLIENT_SECRET'],
    make: (read, standIn) => github({ ...credentials(read), ...standIn }),
  },
  {
    name: 'MICROSOFT',
    needed: ['CLIENT_ID', 'CLIENT_SECRET'],
    optional: ['TENANT'],
    make: (read, standIn) => {
      const tenant = read.optional('TENANT');
      return microsoft({ ...credentials(read), ...(tenant !== undefined && { tenant }), ...standIn });
    },
  },
  {
    name: 'APPLE',
    needed: ['CLIENT_ID', 'TEAM_ID', 'KEY_ID', 'PRIVATE_KEY'],
    make: ({ needed }, standIn) =>
      apple({
        clientId: needed('CLIENT_ID'),
        teamId: needed('TEAM_ID'),
        keyId: needed('KEY_ID'),
        privateKey: needed('PRIVATE_KEY'),
        ...standIn,
      }),
  },
];

/**
 * Reads the vendors of which anything is set.
 * @param origin the app's own: only on loopback may a vendor be a stand-in
 * @throws VariableError naming what a half-configured vendor lacks, or what is wrong with it
 */
export const readVendors = (environment: Environment, origin: string): readonly IdentityProvider[] =>
  vendors
    .filter((vendor) => variablesOf(vendor).some((name) => optional(environment, name) !== undefined))
    .map((vendor) => readVendor(vendor, environment, origin));

const readVendor = (vendor: Vendor, environment: Environment, origin: string): IdentityProvider => {
  const variable = (name: string): string => `${vendor.name}_${name}`;
  const need = `${vendor.needed.map(variable).join(', ')} belong together`;
  const read: Read = {
    needed: (name) => required(environment, variable(name), need),
    optional: (name) => optional(environment, variable(name)),
  };
  const standIn = readStandIn(environment, variable('STAND_IN'), origin);
  return named(
    (option) => variable(variableOf(option)),
    () => vendor.make(read, standIn === undefined ? {} : { standIn }),
  );
};

const variablesOf = ({ name, needed, optional: extra = [] }: Vendor): readonly string[] =>
  [...needed, ...extra, 'STAND_IN'].map((rest) => `${name}_${rest}`);

/** `providers.apple.teamId` was made of `TEAM_ID`. */
const variableOf = (option: string): string =>
  (option.split('.').at(-1) ?? '').replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
