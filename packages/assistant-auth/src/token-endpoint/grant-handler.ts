/** What a grant type is: it gets a token request, and returns the grant that tokens are issued for. */

import type { Client } from '../clients/client.ts';
import type { BrokerContext } from '../context.ts';
import type { EpochSeconds, GrantId } from '../oauth/identifiers.ts';
import type { Parameters } from '../oauth/parameters.ts';
import type { RecheckContext } from '../sign-in/provider-recheck.ts';
import type { GrantState } from '../storage/broker-storage.ts';

export const grantParameters = ['code', 'redirect_uri', 'code_verifier', 'refresh_token', 'scope'] as const;

/** The parameters of a token request that belong to its grant type. */
export type GrantParameters = Parameters<(typeof grantParameters)[number] | 'resource'>;

export type GrantContext = RecheckContext & Pick<BrokerContext, 'lateRefresh' | 'limits' | 'scopes'>;

/**
 * Opens the code or refresh token, checks the whole request, and redeems or refreshes the grant.
 * @throws ProtocolError with the code of RFC 6749 §5.2; nothing was spent unless the reason says so
 */
export type GrantHandler = (
  context: GrantContext,
  client: Client,
  parameters: GrantParameters,
) => Promise<TokenGrant>;

/** A grant that was just spent or refreshed, and what it is to yield. */
export interface TokenGrant {
  readonly grantId: GrantId;
  readonly clientId: string;
  readonly grant: GrantState;
  /** The grant's, or fewer. */
  readonly scopes: readonly string[];
  readonly now: EpochSeconds;
  readonly accessExpiresAt: EpochSeconds;
  /** The refresh token to return. Default: a new one, if the grant's policy allows one. */
  readonly refreshToken?: string;
}
