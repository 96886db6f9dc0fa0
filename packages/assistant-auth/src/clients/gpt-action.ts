/** The client kind `gpt-action`: a custom GPT's Action in ChatGPT, with what its OAuth leaves out. */
import { ConfigurationError } from '../oauth/errors.ts';
import { gptIdPattern } from '../oauth/redirect-uri.ts';
import { type ConfidentialClient, parseClientScopes, parseName, parseSecrets } from './client.ts';

export interface GptActionOptions {
  /** Client id as it is typed into the GPT editor; users can see it. */
  readonly id: string;
  /** Shown to the person who is asked for consent. */
  readonly name: string;
  /** One client secret, or two during a change; each 32 characters or more. */
  readonly secrets: readonly string[];
  /** Ids (`g-…`) of the GPTs that may sign in. Left out: any GPT whose owner knows the secret. */
  readonly gptIds?: readonly string[];
  /** Lists the scopes that the GPT can be granted. Must contain a scope of the API; `offline_access` is added. */
  readonly scopes: readonly string[];
  /**
   * Lists the scopes that are granted if the GPT requests no scope of the API. Must contain a scope of the API. Default: all of
   * `scopes` except `offline_access`.
   */
  readonly defaultScopes?: readonly string[];
  /** How a dead refresh token is answered; 401 when left out, so that ChatGPT signs the person in anew. */
  readonly refreshFailureStatus?: 400 | 401;
}

/**
 * Registers a custom GPT's Action.
 * @throws ConfigurationError `clients.<id>.<option>` for a missing name, a short secret, a malformed GPT id, a bad scope
 */
export const gptAction = (options: GptActionOptions): ConfidentialClient => {
  const gptRestriction = parseGptIds(options);
  return {
    kind: 'gpt-action',
    ...parseName(options),
    ...parseClientScopes(options),
    authentication: 'client_secret',
    secrets: parseSecrets(`clients.${options.id}`, options.secrets),
    redirects: [
      { kind: 'gpt', ...gptRestriction },
      { kind: 'gpt-development', ...gptRestriction },
    ],
    // ChatGPT sends none; one that is sent is enforced.
    pkce: 'optional',
    // What stands in the editor's scope field was typed by hand, perhaps for another API.
    unknownScopes: 'dropped',
    // ChatGPT is not known to store a new refresh token reliably.
    refresh: 'stable',
    offlineAccess: 'always',
    refreshFailureStatus: options.refreshFailureStatus ?? 401,
  };
};

const parseGptIds = ({ id, gptIds }: GptActionOptions): { readonly gptIds?: readonly string[] } => {
  if (gptIds === undefined) return {};
  if (gptIds.length > 0 && gptIds.every((gpt) => gptIdPattern.test(gpt))) return { gptIds };
  throw new ConfigurationError(`clients.${id}.gptIds`, 'must be ids of GPTs, such as g-68f0c2a1b4d8.');
};
