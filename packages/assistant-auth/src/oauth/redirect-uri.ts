/**
 * Parses redirect URIs into rules and verifies requested ones: by exact string comparison (RFC 9700 §4.1.3).
 * Exceptions: the port of a loopback address or `localhost` (RFC 8252 §7.3), and, in ChatGPT's URI, the GPT
 * ID and the host, which is one of two. Nothing is normalized, so no two spellings are confused.
 */

import { ConfigurationError } from './errors.ts';
import { authorizationError } from './protocol-error.ts';
import { isLoopback } from './resource.ts';

/**
 * A rule for redirect URIs of a client. `staticClient` and `gptAction` create rules.
 * @see RFC 9700 §4.1.3, RFC 8252 §7.3
 */
export type RedirectRule =
  /** Exactly one URI. */
  | {
      readonly kind: 'exact';
      /** The URI. Requested URIs are compared with it as strings. */
      readonly uri: string;
    }
  /** `http`, a loopback host with any port, then exactly one path. */
  | {
      readonly kind: 'loopback';
      /** The host: `localhost`, `127.0.0.1` or `[::1]`. */
      readonly host: string;
      /** The path and the query. */
      readonly path: string;
    }
  /** ChatGPT's callback for GPTs. */
  | {
      readonly kind: 'gpt';
      /** The IDs of the GPTs, such as `g-abc123`. Default: any GPT. */
      readonly gptIds?: readonly string[];
    }
  /** The same path on loopback, for development. Accepted only if the issuer is on loopback. */
  | {
      readonly kind: 'gpt-development';
      /** The IDs of the GPTs, such as `g-abc123`. Default: any GPT. */
      readonly gptIds?: readonly string[];
    };

/** The format of a GPT ID in ChatGPT's redirect URI. */
export const gptIdPattern = /^g-[A-Za-z0-9_-]{4,128}$/;

/** The maximum length of a redirect URI, in characters. */
const maxLength = 1024;

/**
 * Parses a registered redirect URI into its rule.
 * @param option the name of the option that it comes from, for the error message
 * @throws ConfigurationError unless it uses https, http on loopback, or a private-use scheme with a dot (RFC
 *   8252 §7.1), or if it contains `#` or `@`, is not normalized, or has more than 1,024
 *   characters
 */
export const parseRedirectRule = (option: string, uri: string): RedirectRule => {
  const url = parseRedirectUri(uri);
  if (url === undefined)
    throw new ConfigurationError(
      option,
      `must be absolute and normalized, without # or @, and have at most ${maxLength} characters: ${uri}`,
    );
  const rule = createRedirectRule(url);
  if (rule !== undefined) return rule;
  throw new ConfigurationError(
    option,
    `must use https, loopback http or a private-use scheme with a dot: ${uri}`,
  );
};

/** @returns `undefined` unless the URI is absolute and normalized, without `#` or `@`, and not too long */
export const parseRedirectUri = (uri: string): URL | undefined => {
  const url = URL.parse(uri);
  return url === null || url.href !== uri || uri.length > maxLength || /[#@]/.test(uri) ? undefined : url;
};

/** @returns `undefined` for a scheme that is not allowed */
export const createRedirectRule = (url: URL): RedirectRule | undefined => {
  if (isLoopback(url)) return { kind: 'loopback', host: url.hostname, path: url.pathname + url.search };
  return url.protocol === 'https:' || /^[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+:$/.test(url.protocol)
    ? { kind: 'exact', uri: url.href }
    : undefined;
};

/** Returns whether a requested redirect URI matches a rule. */
export const matchesRedirectRule = (rule: RedirectRule, requested: string): boolean => {
  if (requested.length > maxLength) return false;
  switch (rule.kind) {
    case 'exact':
      return requested === rule.uri;
    case 'loopback':
      return parseLoopbackPath(requested, rule.host) === rule.path;
    case 'gpt':
      return isGptCallback(
        /^https:\/\/(?:chat\.openai\.com|chatgpt\.com)(\/.*)$/.exec(requested)?.[1],
        rule.gptIds,
      );
    case 'gpt-development':
      return ['127.0.0.1', 'localhost', '[::1]'].some((host) =>
        isGptCallback(parseLoopbackPath(requested, host), rule.gptIds),
      );
  }
};

const parseLoopbackPath = (requested: string, host: string): string | undefined => {
  const origin = `http://${host}`;
  if (!requested.startsWith(origin)) return undefined;
  const [, port, path] = /^(?::([1-9]\d{0,4}))?(\/.*)$/.exec(requested.slice(origin.length)) ?? [];
  return Number(port ?? 80) <= 65_535 ? path : undefined;
};

const isGptCallback = (path: string | undefined, gptIds: readonly string[] | undefined): boolean => {
  const id = /^\/aip\/([^/]+)\/oauth\/callback$/.exec(path ?? '')?.[1] ?? '';
  return gptIdPattern.test(id) && (gptIds?.includes(id) ?? true);
};

// Verification: redirects to a client go only to a `VerifiedRedirect`.

/** A redirect URI that matches a rule of the client. Only `verifyRedirect` creates it. */
export type VerifiedRedirect = string & { readonly brand: unique symbol };

/**
 * Verifies a requested redirect URI against the client's rules (RFC 9700 §4.1.3).
 * @param requested can be absent only if the client has exactly one rule, for an exact URI (RFC 6749
 *   §3.1.2.3)
 * @throws ProtocolError `redirect.missing` or `redirect.unregistered`, which must never be returned in a
 *   redirect
 */
export const verifyRedirect = (
  client: { readonly id: string; readonly redirects: readonly RedirectRule[] },
  requested: string | undefined,
): VerifiedRedirect => {
  if (requested === undefined) return requireSingleRedirect(client);
  if (!client.redirects.some((rule) => matchesRedirectRule(rule, requested)))
    throw authorizationError('redirect.unregistered', { clientId: client.id });
  return requested as VerifiedRedirect;
};

const requireSingleRedirect = ({
  redirects: [rule, ...others],
}: {
  readonly redirects: readonly RedirectRule[];
}): VerifiedRedirect => {
  if (rule?.kind !== 'exact' || others.length > 0) throw authorizationError('redirect.missing');
  return rule.uri as VerifiedRedirect;
};

/**
 * Returns the host for display. For a private-use scheme (RFC 8252 §7.1), returns the scheme, because the
 * host of such a URI can be any name.
 */
export const formatRedirectHost = (redirectUri: string): string => {
  const { host, protocol } = new URL(redirectUri);
  return /^https?:$/.test(protocol) ? host : protocol;
};
