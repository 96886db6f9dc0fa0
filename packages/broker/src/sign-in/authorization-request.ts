/** The checks of an authorization request, in their order: first who asks and where the answer goes, then what they ask for. */
import type { Client } from '../clients/client.ts';
import { type VerifiedRedirect, verifyRedirect } from '../clients/redirect.ts';
import type { Registry } from '../clients/registry.ts';
import { Refusal } from '../protocol/errors.ts';
import { type Parameters, readParameters, readResource } from '../protocol/parameters.ts';
import { parseChallenge } from '../protocol/pkce.ts';
import { type DeclaredScopes, grantedScopes } from '../protocol/scope.ts';
import type { AuthorizationRequest } from '../tokens/transaction.ts';

const known = [
  'client_id',
  'redirect_uri',
  'state',
  'response_type',
  'response_mode',
  'scope',
  // Listed to be refused when repeated; `parseChallenge` reads them itself, because there empty is not absent.
  'code_challenge',
  'code_challenge_method',
] as const;
type Query = Parameters<(typeof known)[number]>;

/** Who asks, and that they may be answered there: from here on an error may redirect. */
export interface Asker {
  readonly client: Client;
  readonly redirect: VerifiedRedirect;
  readonly state: string | undefined;
  readonly query: Query;
}

const longestState = 2048;

/**
 * Establishes client and redirect.
 * @throws Refusal to be shown to the person, never redirected
 */
export const identifyAsker = (source: URLSearchParams, registry: Registry): Asker => {
  const query = readParameters(source, known);
  const state = parseState(query.state);
  if (query.client_id === undefined) throw new Refusal('client.missing');
  const client = registry.find(query.client_id);
  if (client === undefined) throw new Refusal('client.unknown');
  return { client, redirect: verifyRedirect(client, query.redirect_uri), state, query };
};

/**
 * Checks what is asked for.
 * @param resources all that exist, the default first
 * @param declared all scopes that exist on this server
 * @throws Refusal to be sent to the client
 */
export const parseAuthorizationRequest = (
  source: URLSearchParams,
  { client, redirect, state, query }: Asker,
  resources: readonly string[],
  declared: DeclaredScopes,
): AuthorizationRequest => {
  checkResponseType(query);
  const codeChallenge = parseChallenge(source, client.pkce);
  const scopes = grantedScopes(query.scope, client, declared);
  const resource = parseResource(source, resources);
  return { clientId: client.id, redirectUri: redirect, state, scopes, resource, codeChallenge };
};

/** RFC 6749 appendix A.5: printable ASCII. Anything else could not be given back safely. */
const parseState = (state: string | undefined): string | undefined => {
  if (state !== undefined && state.length > longestState) throw new Refusal('state.too-long');
  if (state !== undefined && !/^[\x20-\x7E]*$/.test(state)) throw new Refusal('state.characters');
  return state;
};

const checkResponseType = ({ response_type, response_mode }: Query): void => {
  if (response_type === undefined) throw new Refusal('response-type.missing');
  if (response_type !== 'code') throw new Refusal('response-type.unsupported');
  if (response_mode !== undefined && response_mode !== 'query')
    throw new Refusal('response-mode.unsupported');
};

const parseResource = (source: URLSearchParams, resources: readonly string[]): string => {
  const requested = readResource(source) ?? resources[0];
  if (requested === undefined || !resources.includes(requested)) throw new Refusal('resource.unknown');
  return requested;
};
