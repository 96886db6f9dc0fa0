/** Checks the option `scopes`, which declares every scope of the server, against the clients and the languages. */

import { ConfigurationError } from '../oauth/errors.ts';
import { offlineAccessScope, type ScopeDescriptions, scopeNamePattern } from '../oauth/scope.ts';
import type { Client } from './client.ts';

/** The descriptions of scopes: by language, or one text if the pages have one language. */
type ScopesOption = Readonly<Record<string, string | Readonly<Record<string, string>>>>;

/**
 * Adds `offline_access` to the scopes if a client can get refresh tokens, and checks that the scopes of each
 * client exist.
 * @param tags the languages that each scope needs a description in
 * @param source finds clients that are not in the configuration, which can get refresh tokens. Default: none
 * @throws ConfigurationError `scopes` for a malformed name, a description that is missing or empty, or `openid`;
 *   `clients.<id>.scopes` for a scope that does not exist
 */
export const parseScopes = (
  given: ScopesOption,
  tags: readonly string[],
  clients: readonly Client[],
  source?: object,
): ScopeDescriptions => {
  const canRefresh =
    source !== undefined ||
    clients.some((client) => client.offlineAccess === 'always' || client.scopes.includes(offlineAccessScope));
  const scopes = new Map([
    ...(canRefresh ? [[offlineAccessScope, {}] as const] : []),
    ...Object.entries(given).map(([name, text]) => [name, parseDescriptions(name, text, tags)] as const),
  ]);
  for (const name of scopes.keys()) {
    if (!scopeNamePattern.test(name))
      throw new ConfigurationError(
        'scopes',
        `must have names without spaces, commas, quotes or backslashes: ${name}`,
      );
    // A client that is granted `openid` must get an ID token (OpenID Connect Core §3.1.3.3), and this server
    // issues none.
    if (name === 'openid') throw new ConfigurationError('scopes', 'must not contain openid.');
  }
  for (const client of clients) {
    const unknown = client.scopes.find((scope) => !scopes.has(scope));
    if (unknown !== undefined)
      throw new ConfigurationError(`clients.${client.id}.scopes`, `must be declared in scopes: ${unknown}`);
  }
  return scopes;
};

/** A description without a language is only enough if the pages have one language. */
const parseDescriptions = (
  name: string,
  given: string | Readonly<Record<string, string>>,
  tags: readonly string[],
): Readonly<Record<string, string>> => {
  const [tag = '', ...others] = tags;
  if (typeof given === 'string' && others.length > 0)
    throw new ConfigurationError(
      'scopes',
      `must have descriptions by language (${tags.join(', ')}): ${name}`,
    );
  const descriptions = typeof given === 'string' ? { [tag]: given } : given;
  const missing = tags.find((language) => {
    const text: unknown = descriptions[language];
    return typeof text !== 'string' || text.trim() === '';
  });
  if (missing !== undefined)
    throw new ConfigurationError('scopes', `must have a description in ${missing}: ${name}`);
  return descriptions;
};
