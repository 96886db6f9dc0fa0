/** What the token endpoint hands to a grant type, and what a grant type is. */

import type { Client } from '../clients/client.ts';
import type { BrokerContext } from '../context.ts';
import type { EpochSeconds, GrantId, Seconds } from '../oauth/identifiers.ts';
import type { Parameters } from '../oauth/parameters.ts';
import type { RecheckContext } from '../sign-in/provider-recheck.ts';
import type { GrantState } from '../storage/broker-storage.ts';
import { findByResource } from '../tokens/sealed-types.ts';
import type { Sealers } from '../tokens/sealers.ts';

export const grantParameters = ['code', 'redirect_uri', 'code_verifier', 'refresh_token', 'scope'] as const;

/** The parameters of a token request that belong to its grant type. */
export type GrantParameters = Parameters<(typeof grantParameters)[number] | 'resource'>;

export type GrantContext = RecheckContext & Pick<BrokerContext, 'lateRefresh' | 'limits' | 'scopes'>;

/**
 * Opens what was presented, checks all of it, spends it, and issues.
 * @throws ProtocolError with the code of RFC 6749 §5.2; nothing was spent unless the reason says so
 */
export type GrantHandler = (
  context: GrantContext,
  client: Client,
  parameters: GrantParameters,
) => Promise<TokenResponse>;

// Issuing tokens (RFC 6749 §5.1): what every grant type does in the end.

/** The token endpoint's answer, as it goes over the wire. */
export interface TokenResponse {
  readonly access_token: string;
  readonly token_type: 'bearer';
  /** Seconds. */
  readonly expires_in: Seconds;
  readonly refresh_token?: string;
  readonly scope: string;
}

/** A grant that was just spent or refreshed, and what it is to yield. */
export interface TokenGrant {
  readonly grantId: GrantId;
  readonly clientId: string;
  readonly grant: GrantState;
  /** The grant's, or fewer. */
  readonly scopes: readonly string[];
  readonly now: EpochSeconds;
  readonly accessExpiresAt: EpochSeconds;
}

/** Seals an access token, and says what goes with it. */
export const issueTokens = async (
  sealers: Sealers,
  tokenGrant: TokenGrant,
  refreshToken: string | undefined,
): Promise<TokenResponse> => {
  const { grantId, clientId, grant, scopes, now, accessExpiresAt } = tokenGrant;
  const access = findByResource(sealers.access, grant.resource);
  // Both grants checked their own copy of the resource before they spent.
  if (access === undefined) throw new Error('a grant for a resource that is not configured');
  const { userId, claims } = grant;
  const sealed = await access.seal({
    userId,
    grantId,
    clientId,
    scopes,
    claims,
    issuedAt: now,
    expiresAt: accessExpiresAt,
  });
  return {
    access_token: sealed,
    token_type: 'bearer',
    expires_in: accessExpiresAt - now,
    ...(refreshToken === undefined ? {} : { refresh_token: refreshToken }),
    scope: scopes.join(' '),
  };
};

/** Seals the grant's current refresh token; none if its policy is to have none. */
export const sealRefreshToken = async (
  sealers: Sealers,
  tokenGrant: TokenGrant,
): Promise<string | undefined> => {
  const { grantId, clientId, grant } = tokenGrant;
  const { scopes, resource, generation } = grant;
  switch (grant.refreshPolicy) {
    case 'none':
      return undefined;
    // A stable token stays the same text, so only the row knows when it was last used.
    case 'stable':
      return sealers.refresh.seal({
        grantId,
        clientId,
        scopes,
        resource,
        generation,
        expiresAt: grant.refreshAbsoluteExpiresAt,
      });
    case 'rotating':
      return sealers.refresh.seal({
        grantId,
        clientId,
        scopes,
        resource,
        generation,
        expiresAt: grant.refreshIdleExpiresAt,
      });
  }
};
