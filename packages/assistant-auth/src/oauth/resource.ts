/**
 * Resource identifiers (RFC 8707 §2) in a canonical form. Two identifiers are equivalent only if all their differences are listed in
 * RFC 3986 §6.2.2.1 and §6.2.3: case of scheme and host, the default port, `/` or nothing as the whole path.
 */

const defaultPorts: Readonly<Record<string, string>> = { http: '80', https: '443' };

/** Scheme, host, port, and the rest: printable ASCII without a fragment or a backslash. User information does not match. */
const identifier =
  /^(https?):\/\/([a-z0-9._-]+|\[[0-9a-f:.]+\])(?::([0-9]*))?([/?][\x21\x22\x24-\x5B\x5D-\x7E]*)?$/i;

/**
 * Parses an identifier into its canonical form: lowercase scheme and host, no default port, no `/` as the whole path. The rest of
 * the path and the query are not changed, because any difference there can identify another resource.
 * @returns undefined if the text is not an absolute http or https URL in printable ASCII, or if it has user information, a fragment or a
 *   backslash
 */
export const parseResourceIdentifier = (text: string): string | undefined => {
  const [, givenScheme, host, port = '', rest = ''] = identifier.exec(text) ?? [];
  if (givenScheme === undefined || host === undefined) return undefined;
  const scheme = givenScheme.toLowerCase();
  const authority = host.toLowerCase() + (port === '' || port === defaultPorts[scheme] ? '' : `:${port}`);
  return `${scheme}://${authority}${rest.replace(/^\/(?=\?|$)/, '')}`;
};

/** Returns the canonical form. Text that is not an identifier is returned unchanged, so that it equals only itself. */
export const canonicalResource = (text: string): string => parseResourceIdentifier(text) ?? text;
