/** The identity providers of the environment: each is switched on by its credentials. */
import { google, type IdentityProvider, oidc } from '@words-with-chat/broker';
import { isOnLoopback, readIssuer } from './urls.ts';
import { type Environment, named, optional, required, VariableError } from './variables.ts';

/**
 * Reads all providers, at least one.
 * @param origin the app's own: only on loopback may a provider be a stand-in
 * @throws VariableError naming what a half-configured provider lacks, or the URL that is wrong
 */
export const readProviders = (environment: Environment, origin: string): readonly IdentityProvider[] => {
  const providers = [readGoogle(environment, origin), readOidc(environment, origin)].filter(
    (provider) => provider !== undefined,
  );
  if (providers.length === 0) {
    throw new VariableError(
      'GOOGLE_CLIENT_ID',
      'is missing, and no OIDC_ISSUER is there in its place: nobody could sign in.',
    );
  }
  return providers;
};

const readGoogle = (environment: Environment, origin: string): IdentityProvider | undefined => {
  if (!anySet(environment, ['GOOGLE_CLIENT_ID', 'GOOGLE_CLIENT_SECRET', 'GOOGLE_ISSUER'])) return undefined;
  const need = 'GOOGLE_CLIENT_ID and GOOGLE_CLIENT_SECRET belong together';
  const clientId = required(environment, 'GOOGLE_CLIENT_ID', need);
  const clientSecret = required(environment, 'GOOGLE_CLIENT_SECRET', need);
  const issuer = readIssuer(environment, 'GOOGLE_ISSUER', origin);
  if (issuer !== undefined && !isOnLoopback(origin)) {
    throw new VariableError(
      'GOOGLE_ISSUER',
      'is for a stand-in, and an ORIGIN that others can reach has none.',
    );
  }
  return named(
    (option) => (option.endsWith('clientSecret') ? 'GOOGLE_CLIENT_SECRET' : 'GOOGLE_CLIENT_ID'),
    () => google({ clientId, clientSecret, ...(issuer !== undefined && { standIn: issuer }) }),
  );
};

const readOidc = (environment: Environment, origin: string): IdentityProvider | undefined => {
  const names = ['OIDC_ISSUER', 'OIDC_CLIENT_ID', 'OIDC_CLIENT_SECRET', 'OIDC_LABEL'] as const;
  if (!anySet(environment, names)) return undefined;
  const need = `${names.slice(0, -1).join(', ')} and OIDC_LABEL belong together`;
  const label = required(environment, 'OIDC_LABEL', need);
  const clientId = required(environment, 'OIDC_CLIENT_ID', need);
  const clientSecret = required(environment, 'OIDC_CLIENT_SECRET', need);
  required(environment, 'OIDC_ISSUER', need);
  const issuer = readIssuer(environment, 'OIDC_ISSUER', origin) ?? '';
  return named(
    () => 'OIDC_ISSUER',
    () => oidc({ id: 'oidc', label, issuer, clientId, clientSecret }),
  );
};

const anySet = (environment: Environment, variables: readonly string[]): boolean =>
  variables.some((variable) => optional(environment, variable) !== undefined);
