/**
 * Reads OAuth parameters: each at most once, empty means absent, unknown ones are ignored (RFC 6749 §3.1,
 * §3.2).
 */
import { authorizationError, requestError } from './protocol-error.ts';
import { canonicalResource } from './resource.ts';

/** The parameters of one request that the endpoint knows. */
export type Parameters<Name extends string> = { readonly [name in Name]?: string };

/**
 * Reads the known parameters of a query or a form body.
 * @throws ProtocolError `invalid_request` if a known parameter is repeated
 */
export const readParameters = <Name extends string>(
  source: URLSearchParams,
  known: readonly Name[],
): Parameters<Name> => {
  const found: { [name in Name]?: string } = {};
  for (const name of known) {
    const values = source.getAll(name);
    if (values.length > 1) throw requestError('parameter.repeated');
    if (values[0]) found[name] = values[0];
  }
  return found;
};

/**
 * Reads the resource indicator (RFC 8707 §2) and returns its canonical form. It is the only parameter that
 * can be repeated, with equivalent values, because a token is for one resource.
 * @throws ProtocolError `invalid_target` if there are several different values
 */
export const readResource = (source: URLSearchParams): string | undefined => {
  const [resource, ...more] = source
    .getAll('resource')
    .filter((value) => value !== '')
    .map(canonicalResource);
  if (more.some((other) => other !== resource)) throw authorizationError('resource.multiple');
  return resource;
};
