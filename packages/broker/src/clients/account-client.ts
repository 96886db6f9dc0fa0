/** The account page as a client of its own broker: what it is given is a session, and never a token. */
import type { Issuer } from '../protocol/origin.ts';
import type { PublicClient } from './client.ts';

/**
 * Makes the client that a session is a grant of. It stands in no registry: nobody can ask for a code or a token in its name.
 * @param id no other client may have it
 * @param path where the page is
 */
export const accountClient = (id: string, issuer: Issuer, path: string): PublicClient => ({
  kind: 'static',
  id,
  name: 'the account page',
  redirects: [{ kind: 'exact', uri: issuer + path }],
  scopes: [],
  defaultScopes: [],
  unknownScopes: 'refused',
  pkce: 'required',
  refresh: 'stable',
  offlineAccess: 'always',
  refreshFailureStatus: 400,
  authentication: 'none',
});
