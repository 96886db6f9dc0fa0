/** The settings that every kind of client has, parsed. */
import { ConfigurationError } from '../protocol/errors.ts';
import { accountClientId } from '../protocol/reserved.ts';
import { hasApiScope, offlineAccess, scopeName } from '../protocol/scope.ts';

/** A secret is 256 random bits; this many characters is the least that can hold nearly as much. */
const shortestSecret = 32;

/** Printable and without blanks, which come from the file that a secret was pasted from and are part of none. */
const secretShape = /^[\x21-\x7E]+$/;

/** VSCHAR (RFC 6749 appendix A.1), without the colon that would end it inside Basic credentials. */
const idShape = /^[\x21-\x39\x3B-\x7E]{1,200}$/;

/** @param place where it stands in the options: `clients.<id>` */
export const parseId = (place: string, id: string): string => {
  if (!idShape.test(id))
    throw new ConfigurationError(`${place}.id`, 'must be printable ASCII without space or colon.');
  return id;
};

export const parseName = ({ id, name }: { readonly id: string; readonly name: string }) => {
  parseId(`clients.${id}`, id);
  if (id === accountClientId)
    throw new ConfigurationError(`clients.${id}.id`, `must not be ${id}, which is the account page.`);
  if (name.trim() === '') throw new ConfigurationError(`clients.${id}.name`, 'must not be empty.');
  return { id, name };
};

/** @param place where they stand in the options: `clients.<id>` */
export const parseSecrets = (place: string, secrets: readonly string[]): readonly string[] => {
  const allowed = secrets.length >= 1 && secrets.length <= 2;
  if (!allowed || !secrets.every((secret) => secret.length >= shortestSecret && secretShape.test(secret))) {
    throw new ConfigurationError(
      `${place}.secrets`,
      `must be one or two secrets of ${shortestSecret} characters or more, printable ASCII without blanks.`,
    );
  }
  return secrets;
};

/** All names together, with their separators: they travel in every token, and a token must fit into a header. */
const longestScopes = 1500;

export const parseScopes = (options: {
  readonly id: string;
  readonly scopes: readonly string[];
  readonly defaultScopes?: readonly string[];
}) => {
  const { id, scopes } = options;
  const { defaultScopes = scopes.filter((scope) => scope !== offlineAccess) } = options;
  if (!hasApiScope(scopes) || !scopes.every((scope) => scopeName.test(scope))) {
    throw new ConfigurationError(
      `clients.${id}.scopes`,
      `must contain a scope other than ${offlineAccess}, and no scope with a space, comma, quote or backslash.`,
    );
  }
  if (scopes.join(' ').length > longestScopes)
    throw new ConfigurationError(
      `clients.${id}.scopes`,
      `must be ${longestScopes} characters at most, together.`,
    );
  // Every kind of client can request a refresh token, even if it gets one anyway.
  const all = [...new Set([...scopes, offlineAccess])];
  if (!hasApiScope(defaultScopes) || !defaultScopes.every((scope) => all.includes(scope))) {
    throw new ConfigurationError(
      `clients.${id}.defaultScopes`,
      `must contain a scope other than ${offlineAccess}, and only scopes of this client.`,
    );
  }
  return { scopes: all, defaultScopes };
};
