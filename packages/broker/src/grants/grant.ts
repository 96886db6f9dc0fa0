/** What the token endpoint hands to a grant type, and what a grant type is. */
import type { Client } from '../clients/client.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Log } from '../protocol/log.ts';
import type { Parameters } from '../protocol/parameters.ts';
import type { Clock } from '../protocol/time.ts';
import type { IdentityProvider, ProviderIo } from '../providers/identity-provider.ts';
import type { Lifetimes } from '../tokens/lifetimes.ts';
import type { Vault } from '../tokens/vault.ts';
import type { TokenResponse } from './issue.ts';

export const grantParameters = ['code', 'redirect_uri', 'code_verifier', 'refresh_token', 'scope'] as const;

/** The parameters of a token request that belong to its grant type. */
export type GrantParameters = Parameters<(typeof grantParameters)[number] | 'resource'>;

export interface GrantRooms {
  readonly vault: Vault;
  readonly ledger: Ledger;
  readonly lifetimes: Lifetimes;
  readonly providers: ReadonlyMap<string, IdentityProvider>;
  /** For asking a provider while a client waits. */
  readonly checkIo: ProviderIo;
  readonly now: Clock;
  readonly log: Log;
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
