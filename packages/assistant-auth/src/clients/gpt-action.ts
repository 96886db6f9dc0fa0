/**
 * The client kind `gpt-action`: the Action of a custom GPT in ChatGPT, with what ChatGPT's OAuth client
 * needs.
 */
import { ConfigurationError, rejectUnknownOptions } from '../oauth/errors.ts';
import { gptIdPattern } from '../oauth/redirect-uri.ts';
import { type ConfidentialClient, parseClientScopes, parseName, parseSecrets } from './client.ts';

/** The options of `gptAction`. */
export interface GptActionOptions {
  /**
   * The client ID, as it is entered in the GPT editor: 1 to 200 printable ASCII characters without spaces or
   * colons. Users can see it.
   */
  readonly id: string;
  /** The name that the pages show, for example that of the GPT. */
  readonly name: string;
  /**
   * One client secret, or two while one replaces the other: each at least 32 printable ASCII characters
   * without spaces, with 256 bits of randomness. Secret.
   */
  readonly secrets: readonly string[];
  /** The IDs (`g-…`) of the GPTs that can use this client. Default: any GPT whose owner knows the secret. */
  readonly gptIds?: readonly string[];
  /**
   * Lists the scopes that the GPT can be granted. Must contain a scope of the API; `offline_access` is added.
   */
  readonly scopes: readonly string[];
  /**
   * Lists the scopes that are granted if the GPT requests no scopes, or only scopes of OpenID Connect that
   * the API does not use. Must contain a scope of the API. Default: all of `scopes` except `offline_access`.
   */
  readonly defaultScopes?: readonly string[];
  /**
   * The status of the response to a refresh token that is not valid. Default: 401, so that ChatGPT starts a
   * new sign-in.
   */
  readonly refreshFailureStatus?: 400 | 401;
}

/**
 * Registers the Action of a custom GPT. A callback URL of ChatGPT is accepted if its GPT ID is allowed.
 * Actions do not send a code challenge, so PKCE is optional for the first of the broker's `resources`, which
 * must not be an MCP server. The client secret is required. Refresh tokens are always issued, and stay the
 * same.
 * @param options the credentials, the GPTs and the scopes of the client
 * @throws ConfigurationError `clients.<id>.<option>` for an ID, a name, secrets, GPT IDs or scopes that are
 *   not valid
 * @example
 * ```ts
 * import { gptAction } from 'assistant-auth';
 *
 * const client = gptAction({
 *   id: 'words-gpt',
 *   name: 'Words With Chat',
 *   secrets: [env.GPT_CLIENT_SECRET],
 *   gptIds: ['g-68f0c2a1b4d8'],
 *   scopes: ['score'],
 * });
 * ```
 */
export const gptAction = (options: GptActionOptions): ConfidentialClient => {
  const {
    id,
    name,
    secrets,
    gptIds,
    scopes,
    defaultScopes,
    refreshFailureStatus = 401,
    ...unknown
  } = options;
  rejectUnknownOptions(`clients.${id}.`, unknown);
  const gptRestriction = parseGptIds(options);
  return {
    kind: 'gpt-action',
    ...parseName(options),
    ...parseClientScopes(`clients.${id}`, options),
    authentication: 'client_secret',
    secrets: parseSecrets(`clients.${id}`, secrets),
    redirects: [
      { kind: 'gpt', ...gptRestriction },
      { kind: 'gpt-development', ...gptRestriction },
    ],
    // ChatGPT sends no code challenge. If one is sent, it is enforced.
    pkce: 'optional',
    // The scope field of the GPT editor is filled in by hand, perhaps for another API.
    unknownScopes: 'dropped',
    // ChatGPT is not known to store a new refresh token reliably.
    refresh: 'stable',
    offlineAccess: 'always',
    refreshFailureStatus,
  };
};

const parseGptIds = ({ id, gptIds }: GptActionOptions): { readonly gptIds?: readonly string[] } => {
  if (gptIds === undefined) return {};
  if (gptIds.length > 0 && gptIds.every((gpt) => gptIdPattern.test(gpt))) return { gptIds };
  throw new ConfigurationError(
    `clients.${id}.gptIds`,
    'must be GPT IDs such as g-68f0c2a1b4d8, at least one.',
  );
};
