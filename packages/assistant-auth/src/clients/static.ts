/** The client kind `static`: a client that the publisher registers in the configuration. */
import { ConfigurationError, rejectUnknownOptions } from '../oauth/errors.ts';
import { parseRedirectRule, type RedirectRule } from '../oauth/redirect-uri.ts';
import { type Client, parseClientScopes, parseName, parseSecrets } from './client.ts';

/** The options of `staticClient`. */
export interface StaticClientOptions {
  /**
   * The client ID: 1 to 200 printable ASCII characters without spaces or colons. Users can see it.
   */
  readonly id: string;
  /** The name that the pages show. */
  readonly name: string;
  /**
   * The redirect URIs. They are compared byte for byte, except that a loopback URI
   * (`http://127.0.0.1/callback`, `http://localhost/callback`) matches any port (RFC 8252 §7.3).
   */
  readonly redirectUris: readonly string[];
  /**
   * One secret, or two while one replaces the other, for a confidential client: each at least 32 printable
   * ASCII characters without spaces, with 256 bits of randomness. Secret. Default: none, for a public client.
   */
  readonly secrets?: readonly string[];
  /**
   * Whether the client must use PKCE (RFC 7636): `required`, or `optional` for a client that cannot use it.
   * `optional` is allowed only with `secrets` and https redirect URIs (while the issuer is on loopback, also
   * with redirect URIs on loopback), and only for the first of the broker's `resources`, which must not be an
   * MCP server then. It deviates from OAuth 2.1 §4.1.1: a code that was stolen from a redirect can be used in
   * another session at the client, unless the client prevents that. A challenge that is sent is always
   * enforced. Default: `required`.
   */
  readonly pkce?: 'required' | 'optional';
  /**
   * Decides when the client gets refresh tokens: `always`, or only if it requests the scope `offline_access`
   * (`on-request`). With either value, the client can request that scope. Default: `on-request`.
   */
  readonly offlineAccess?: 'always' | 'on-request';
  /**
   * Lists the scopes that the client can be granted. Must contain a scope of the API; `offline_access` is
   * added.
   */
  readonly scopes: readonly string[];
  /**
   * Lists the scopes that are granted if the client requests no scopes, or only scopes of OpenID Connect that
   * the API does not use. Must contain a scope of the API. Default: all of `scopes` except `offline_access`.
   */
  readonly defaultScopes?: readonly string[];
}

/**
 * Registers a client: public without `secrets`, confidential with them (RFC 6749 §2.1). It must use PKCE with
 * S256 (RFC 7636) unless `pkce` is `optional`, and each refresh replaces the refresh token.
 * @param options the credentials, the redirect URIs and the scopes of the client
 * @throws ConfigurationError `clients.<id>.<option>` for an ID, a name, redirect URIs, secrets or scopes that
 *   are not valid, or if `pkce` is `optional` without secrets or with a redirect URI that does not use https
 * @example
 * ```ts
 * import { staticClient } from 'assistant-auth';
 *
 * const client = staticClient({
 *   id: 'words-cli',
 *   name: 'Words CLI',
 *   redirectUris: ['http://127.0.0.1/callback'],
 *   scopes: ['score'],
 * });
 * ```
 */
export const staticClient = (options: StaticClientOptions): Client => {
  const {
    id,
    name,
    redirectUris,
    secrets,
    pkce,
    offlineAccess = 'on-request',
    scopes,
    defaultScopes,
    ...unknown
  } = options;
  // A misspelled `secrets` must not make a public client.
  rejectUnknownOptions(`clients.${id}.`, unknown);
  const traits = {
    kind: 'static',
    ...parseName(options),
    ...parseClientScopes(`clients.${id}`, options),
    unknownScopes: 'refused',
    redirects: parseRedirects(options),
    pkce: parsePkce(options),
    refresh: 'rotating',
    offlineAccess,
    refreshFailureStatus: 400,
  } as const;
  return secrets === undefined
    ? { ...traits, authentication: 'none' }
    : {
        ...traits,
        authentication: 'client_secret',
        secrets: parseSecrets(`clients.${id}`, secrets),
      };
};

const parseRedirects = ({ id, redirectUris }: StaticClientOptions): readonly RedirectRule[] => {
  const option = `clients.${id}.redirectUris`;
  if (redirectUris.length === 0) throw new ConfigurationError(option, 'must contain at least one URI.');
  return redirectUris.map((uri) => parseRedirectRule(option, uri));
};

const parsePkce = ({
  id,
  secrets,
  redirectUris,
  pkce = 'required',
}: StaticClientOptions): 'required' | 'optional' => {
  if (pkce === 'required') return pkce;
  // `indexClients` refuses those on loopback, unless the issuer is also on loopback.
  if (pkce === 'optional' && secrets !== undefined && redirectUris.every((uri) => /^https?:/.test(uri)))
    return pkce;
  throw new ConfigurationError(
    `clients.${id}.pkce`,
    'must be required, or optional for a client with secrets whose redirect URIs all use https.',
  );
};
