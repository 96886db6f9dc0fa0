/**
 * Redirect URIs as rules and how a requested one is held against them: byte for byte (RFC 9700 §4.1.3), but for the port
 * of a loopback address (RFC 8252 §7.3) and the GPT id in ChatGPT's address. Nothing is normalised, so nothing is confused.
 */

import { ConfigurationError, ProtocolError } from './errors.ts';
import { isLoopback } from './resource.ts';

export type RedirectRule =
  | { readonly kind: 'exact'; readonly uri: string }
  /** `http://127.0.0.1` with any port, then exactly `path`. */
  | { readonly kind: 'loopback'; readonly host: string; readonly path: string }
  /** ChatGPT's callback of one GPT; without `gptIds` of any. `development` is the same path on loopback. */
  | { readonly kind: 'gpt' | 'gpt-development'; readonly gptIds?: readonly string[] };

/** The shape of a GPT's id, as it stands in ChatGPT's redirect URI. */
export const gptIdPattern = /^g-[A-Za-z0-9_-]{4,128}$/;

/** How long a redirect URI may be, in characters. */
const maxLength = 1024;

/**
 * Turns a registered redirect URI into its rule.
 * @param option which setting it comes from, as the publisher knows it
 * @throws ConfigurationError unless it is https, http on loopback, or a private-use scheme with a dot (RFC 8252 §7.1)
 */
export const parseRedirectRule = (option: string, uri: string): RedirectRule => {
  const url = URL.parse(uri);
  if (url === null || url.href !== uri || uri.length > maxLength || /[#@]/.test(uri)) {
    throw new ConfigurationError(option, `must be absolute, normalised, without fragment or user: ${uri}`);
  }
  if (isLoopback(url)) return { kind: 'loopback', host: url.hostname, path: url.pathname + url.search };
  if (url.protocol === 'https:' || /^[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+:$/.test(url.protocol))
    return { kind: 'exact', uri };
  throw new ConfigurationError(option, `must use https, loopback http or a private-use scheme: ${uri}`);
};

/** Tells whether a requested redirect URI obeys a rule. */
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

// Which redirect a client may be answered at. Only a `VerifiedRedirect` is ever redirected to.

/** A redirect URI that this client registered; `verifyRedirect` alone makes it. */
export type VerifiedRedirect = string & { readonly brand: unique symbol };

/**
 * Holds a requested redirect URI against the client's rules (RFC 9700 §4.1.3).
 * @param requested may be absent only if the client has exactly one, exact URI (RFC 6749 §3.1.2.3)
 * @throws ProtocolError `redirect.missing` or `redirect.unregistered`; it must never be answered by a redirect
 */
export const verifyRedirect = (
  client: { readonly redirects: readonly RedirectRule[] },
  requested: string | undefined,
): VerifiedRedirect => {
  if (requested === undefined) return requireSingleRedirect(client);
  if (!client.redirects.some((rule) => matchesRedirectRule(rule, requested)))
    throw new ProtocolError('redirect.unregistered');
  return requested as VerifiedRedirect;
};

const requireSingleRedirect = ({
  redirects: [rule, ...others],
}: {
  readonly redirects: readonly RedirectRule[];
}): VerifiedRedirect => {
  if (rule?.kind !== 'exact' || others.length > 0) throw new ProtocolError('redirect.missing');
  return rule.uri as VerifiedRedirect;
};

/** The host; of a private-use scheme (RFC 8252 §7.1) the scheme, because what stands in a host's place there may be any name. */
export const formatRedirectHost = (redirectUri: string): string => {
  const { host, protocol } = new URL(redirectUri);
  return /^https?:$/.test(protocol) ? host : protocol;
};
