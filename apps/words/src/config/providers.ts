/** The identity providers of the environment, in the order of their buttons. */
import type { IdentityProvider } from 'assistant-auth';
import { readIssuers } from './issuers.ts';
import { type Environment, VariableError } from './variables.ts';
import { readBuiltInProviders } from './vendors.ts';

/**
 * Reads all providers, at least one.
 * @param origin the app's own: only on loopback may a provider be a fake provider
 * @throws VariableError naming what a half-configured provider lacks, or what is wrong with it
 */
export const readProviders = (environment: Environment, origin: string): readonly IdentityProvider[] => {
  const providers = [...readBuiltInProviders(environment, origin), ...readIssuers(environment, origin)];
  if (providers.length === 0) {
    throw new VariableError(
      'GOOGLE_CLIENT_ID',
      'is missing, and no other provider is there in its place: nobody could sign in.',
    );
  }
  const ids = providers.map(({ id }) => id);
  const duplicate = ids.find((id, at) => ids.indexOf(id) < at);
  if (duplicate !== undefined)
    throw new VariableError('OIDC_PROVIDERS', `must not use the id ${duplicate} twice.`);
  return providers;
};
