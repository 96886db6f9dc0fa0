/** The options that concern several rooms at once, parsed and held against each other. */
import type { Client } from './clients/client.ts';
import type { LateRefresh } from './ledger/ledger.ts';
import { ConfigurationError } from './protocol/errors.ts';
import { type Issuer, isLoopback } from './protocol/origin.ts';
import { continueChoice } from './protocol/reserved.ts';
import { canonicalResource, parseResourceIdentifier } from './protocol/resource.ts';
import { offlineAccess, scopeName } from './protocol/scope.ts';
import type { Seconds } from './protocol/time.ts';
import type { IdentityProvider } from './providers/identity-provider.ts';

const day: Seconds = 86_400;
const offlineAccessSentence = 'stay connected until you end it';

/**
 * Adds `offline_access` to the scopes if a client can get refresh tokens, and checks that the scopes of each client exist.
 * @throws ConfigurationError `scopes` for a malformed name, an empty description or `openid`, `clients.<id>.scopes` for an unknown one
 */
export const parseScopes = (
  described: Readonly<Record<string, string>>,
  clients: readonly Client[],
): ReadonlyMap<string, string> => {
  const refreshes = clients.some(
    (client) => client.offlineAccess === 'always' || client.scopes.includes(offlineAccess),
  );
  const scopes = new Map(
    Object.entries({ ...(refreshes ? { [offlineAccess]: offlineAccessSentence } : {}), ...described }),
  );
  for (const [name, sentence] of scopes) {
    if (!scopeName.test(name))
      throw new ConfigurationError('scopes', `must not contain space, comma, quote or backslash: ${name}`);
    // A client that is granted `openid` must get an ID token (OpenID Connect Core §3.1.3.3), and this server issues none.
    if (name === 'openid') throw new ConfigurationError('scopes', 'must not contain openid.');
    if (sentence.trim() === '')
      throw new ConfigurationError('scopes', `must have a sentence for each scope: ${name}`);
  }
  for (const client of clients) {
    const unknown = client.scopes.find((scope) => !scopes.has(scope));
    if (unknown !== undefined)
      throw new ConfigurationError(`clients.${client.id}.scopes`, `must be declared in scopes: ${unknown}`);
  }
  return scopes;
};

/**
 * Checks how long the audit is kept.
 * @returns 90 days when left out
 * @throws ConfigurationError `auditRetention` unless it is whole and a day to 400 days
 */
export const parseAuditRetention = (given: Seconds = 90 * day): Seconds => {
  if (Number.isInteger(given) && given >= day && given <= 400 * day) return given;
  const bounds = `from ${day} to ${400 * day}`;
  throw new ConfigurationError('auditRetention', `must be a whole number of seconds ${bounds}.`);
};

/**
 * Checks the option `lateRefresh`.
 * @returns the value; by default `recover`
 * @throws ConfigurationError `lateRefresh` for any other value
 */
export const parseLateRefresh = (given: LateRefresh = 'recover'): LateRefresh => {
  if (given === 'recover' || given === 'revoke') return given;
  throw new ConfigurationError('lateRefresh', 'must be recover or revoke.');
};

/**
 * Parses resource identifiers (RFC 8707 §2): absolute https URLs without a fragment; http only on loopback.
 * @returns their canonical forms; by default the issuer
 * @throws ConfigurationError `resources` for a malformed identifier, or for two that are equivalent
 */
export const parseResources = (
  given: readonly [string, ...string[]] | undefined,
  issuer: Issuer,
): readonly [string, ...string[]] => {
  const [first = issuer, ...others] = (given ?? [issuer]).map((text) => parseResource('resources', text));
  const resources = [first, ...others] as const;
  const repeated = resources.find((resource, at) => resources.indexOf(resource) < at);
  if (repeated !== undefined)
    throw new ConfigurationError('resources', `must be different; two of them are ${repeated}`);
  return resources;
};

/**
 * Parses one resource identifier.
 * @returns its canonical form, from which keys are derived
 * @throws ConfigurationError with the name of the option
 */
export const parseResource = (option: string, text: string): string => {
  const resource = parseResourceIdentifier(text);
  const url = resource === undefined ? null : URL.parse(resource);
  const isAllowed = url !== null && (url.protocol === 'https:' || isLoopback(url));
  // Clients send the identifier as a URL parser writes it, so one that the parser changes could never be requested.
  if (resource !== undefined && isAllowed && canonicalResource(url.href) === resource) return resource;
  throw new ConfigurationError(
    option,
    `must be absolute, normalized https URLs without user information or a fragment: ${text}`,
  );
};

/**
 * Checks the providers together. Plain http is for stand-ins, and stand-ins are for a broker on loopback.
 * @throws ConfigurationError `providers` for none, a bad or repeated id, or an http address beyond that
 */
export const parseProviders = (
  given: readonly IdentityProvider[],
  issuer: Issuer,
): ReadonlyMap<string, IdentityProvider> => {
  const providers = new Map(given.map((provider) => [provider.id, provider]));
  if (providers.size === 0) throw new ConfigurationError('providers', 'must hold at least one.');
  if (providers.size < given.length) throw new ConfigurationError('providers', 'must have different ids.');
  const local = isLoopback(new URL(issuer));
  for (const { id, configuredUrls } of given) {
    if (!/^[a-z0-9-]{1,32}$/.test(id) || id === continueChoice)
      throw new ConfigurationError(
        'providers',
        `must have ids of a-z, 0-9 and hyphen, not ${continueChoice}: ${id}`,
      );
    for (const configured of configuredUrls) {
      const url = URL.parse(configured);
      if (url?.protocol === 'https:' || (local && url !== null && isLoopback(url))) continue;
      throw new ConfigurationError(`providers.${id}`, `must use https: ${configured}`);
    }
  }
  return providers;
};
