/**
 * Parses resource identifiers (RFC 8707 §2) into a canonical form, and the issuer. Two identifiers are
 * equivalent only if all their differences are listed in RFC 3986 §6.2.2.1 and §6.2.3: case of scheme and
 * host, the default port, `/` or nothing as the whole path.
 */
import { ConfigurationError } from './errors.ts';

const defaultPorts: Readonly<Record<string, string>> = { http: '80', https: '443' };

/**
 * Scheme, host, port, and the rest: printable ASCII without a fragment or a backslash. User information does
 * not match.
 */
const identifierPattern =
  /^(https?):\/\/([a-z0-9._-]+|\[[0-9a-f:.]+\])(?::([0-9]*))?([/?][\x21\x22\x24-\x5B\x5D-\x7E]*)?$/i;

/**
 * Parses an identifier into its canonical form: lowercase scheme and host, no default port, no `/` as the
 * whole path. The rest of the path and the query are not changed, because any difference there can identify
 * another resource.
 * @returns undefined if the text is not an absolute http or https URL in printable ASCII, or if it has user
 *   information, a fragment or a backslash
 */
export const parseResourceIdentifier = (text: string): string | undefined => {
  const [, givenScheme, host, port = '', rest = ''] = identifierPattern.exec(text) ?? [];
  if (givenScheme === undefined || host === undefined) return undefined;
  const scheme = givenScheme.toLowerCase();
  const authority = host.toLowerCase() + (port === '' || port === defaultPorts[scheme] ? '' : `:${port}`);
  return `${scheme}://${authority}${rest.replace(/^\/(?=\?|$)/, '')}`;
};

/**
 * Returns the canonical form. Text that is not an identifier is returned unchanged, so that it equals only
 * itself.
 */
export const canonicalResource = (text: string): string => parseResourceIdentifier(text) ?? text;

/**
 * Parses resource identifiers (RFC 8707 §2): absolute https URLs without a fragment; http only on loopback.
 * @returns their canonical forms; by default the issuer
 * @throws ConfigurationError `resources` for a malformed identifier, or for two that are equivalent
 */
export const parseResources = (
  input: readonly [string, ...string[]] | undefined,
  issuer: Issuer,
): readonly [string, ...string[]] => {
  const [first = issuer, ...others] = (input ?? [issuer]).map((text) => parseResource('resources', text));
  const resources = [first, ...others] as const;
  const duplicate = resources.find((resource, at) => resources.indexOf(resource) < at);
  if (duplicate !== undefined)
    throw new ConfigurationError('resources', `must be unique, but this one is repeated: ${duplicate}`);
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
  // Clients send the identifier as a URL parser writes it, so one that the parser changes could never be
  // requested.
  if (resource !== undefined && isAllowed && canonicalResource(url.href) === resource) return resource;
  throw new ConfigurationError(
    option,
    `must be absolute and normalized, use https, and have no user information or fragment: ${text}`,
  );
};

/** An https origin, or an http origin on loopback, as `URL` writes it: without a path or a trailing slash. */
export type Issuer = string & { readonly brand: unique symbol };

/**
 * Parses the broker's own origin.
 * @throws ConfigurationError `issuer` if it is not a normalized http or https origin (a trailing slash is
 *   allowed), or if it uses http and is not on loopback
 */
export const parseIssuer = (text: string): Issuer => {
  const url = URL.parse(text);
  if (url === null || !isOrigin(url, text)) {
    throw new ConfigurationError(
      'issuer',
      'must be an origin such as https://words.example, without a path.',
    );
  }
  if (url.protocol !== 'https:' && !isLoopback(url)) {
    throw new ConfigurationError('issuer', 'must use https; http is allowed for loopback addresses only.');
  }
  return url.origin as Issuer;
};

/** Returns whether a URL is plain http on loopback: localhost, 127.0.0.1 or [::1]. */
export const isLoopback = (url: URL): boolean =>
  url.protocol === 'http:' && ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname);

const isOrigin = (url: URL, text: string): boolean =>
  /^https?:$/.test(url.protocol) && (url.origin === text || `${url.origin}/` === text);
