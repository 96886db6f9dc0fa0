/** What the token endpoint hands to a grant type, and what a grant type is. */
import type { Client } from '../clients/client.ts';
import type { LateRefresh } from '../ledger/ledger.ts';
import type { Limits } from '../limits/limits.ts';
import type { Parameters } from '../protocol/parameters.ts';
import type { DeclaredScopes } from '../protocol/scope.ts';
import type { Lifetimes } from '../tokens/lifetimes.ts';
import type { VouchingRooms } from '../vouching/provider-word.ts';
import type { TokenResponse } from './issue.ts';

export const grantParameters = ['code', 'redirect_uri', 'code_verifier', 'refresh_token', 'scope'] as const;

/** The parameters of a token request that belong to its grant type. */
export type GrantParameters = Parameters<(typeof grantParameters)[number] | 'resource'>;

export interface GrantRooms extends VouchingRooms {
  readonly lifetimes: Lifetimes;
  readonly lateRefresh: LateRefresh;
  readonly limits: Pick<Limits, 'refreshesPerGrant'>;
  /** Every scope that exists on this server. */
  readonly scopes: DeclaredScopes;
}

/**
 * Opens what was presented, checks all of it, spends it, and issues.
 * @throws Refusal with the code of RFC 6749 §5.2; nothing was spent unless the reason says so
 */
export type Grant = (
  rooms: GrantRooms,
  client: Client,
  parameters: GrantParameters,
) => Promise<TokenResponse>;
