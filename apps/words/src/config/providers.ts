/** Reads the identity providers, in the order of their buttons. */
import type { IdentityProvider } from 'assistant-auth';
import { readBuiltInProviders } from './built-in-providers.ts';
import { readIssuers } from './issuers.ts';
import { type Environment, VariableError } from './variables.ts';

/**
 * Reads all providers, at least one.
 * @param origin the app's origin. Only an app on loopback can use fake providers.
 * @throws VariableError with the variable that is missing or wrong; also if there is no provider, or two have
 *   the same ID
 */
export const readProviders = (environment: Environment, origin: string): readonly IdentityProvider[] => {
  const providers = [...readBuiltInProviders(environment, origin), ...readIssuers(environment, origin)];
  if (providers.length === 0) {
    throw new VariableError(
      'GOOGLE_CLIENT_ID',
      'is missing, and no other provider is configured, so no one can sign in.',
    );
  }
  const ids = providers.map(({ id }) => id);
  const duplicate = ids.find((id, index) => ids.indexOf(id) < index);
  if (duplicate !== undefined)
    throw new VariableError(
      'OIDC_PROVIDERS',
      `must have unique IDs: another provider has the ID ${duplicate}.`,
    );
  return providers;
};
