/**
 * The interface of a grant type: it checks a token request and returns the grant that tokens are issued for.
 * Also opens the code or the refresh token of a request.
 */

import type { Client, VerifiedAssertion } from '../clients/client.ts';
import type { BrokerContext } from '../context.ts';
import type { EpochSeconds, GrantId } from '../oauth/identifiers.ts';
import type { Parameters } from '../oauth/parameters.ts';
import { tokenEndpointError } from '../oauth/protocol-error.ts';
import type { RecheckContext } from '../sign-in/provider-recheck.ts';
import type { GrantState } from '../storage/broker-storage.ts';
import type { SealedTypeOpener } from '../tokens/sealers.ts';

export const grantParameters = ['code', 'redirect_uri', 'code_verifier', 'refresh_token', 'scope'] as const;

/**
 * Opens the code or the refresh token of a request.
 * @throws ProtocolError `<kind>.missing` or `<kind>.unreadable`
 */
export const openPresented = async <Value>(
  kind: 'code' | 'refresh',
  sealedType: SealedTypeOpener<Value>,
  presented: string | undefined,
): Promise<Value> => {
  if (presented === undefined) throw tokenEndpointError(`${kind}.missing`);
  const opened = await sealedType.open(presented);
  if (opened.kind === 'failed') throw tokenEndpointError(`${kind}.unreadable`, { cause: opened.reason });
  return opened.value;
};

/** The parameters of a token request that its grant handler reads. */
export type GrantParameters = Parameters<(typeof grantParameters)[number] | 'resource'>;

export type GrantContext = RecheckContext &
  Pick<BrokerContext, 'lateRefresh' | 'limits' | 'refreshUser' | 'scopes'>;

/**
 * The client of a token request, and the assertion that it authenticated with, if any. It must be recorded.
 */
export interface AuthenticatedClient {
  readonly client: Client;
  readonly assertion: VerifiedAssertion | undefined;
}

/**
 * Opens the code or refresh token, checks the whole request, and redeems or refreshes the grant.
 * @throws ProtocolError with an error code of RFC 6749 §5.2 or RFC 8707 §2, or `temporarily_unavailable`. The
 *   code or refresh token is not used up, except by `code.scopes-removed`; `code.replayed`, `refresh.reused`,
 *   `refresh-user.refused` and `refresh.upstream-revoked` revoke the grant
 * @throws StorageUnavailable after which the code or refresh token may be used up
 */
export type GrantHandler = (
  context: GrantContext,
  authenticated: AuthenticatedClient,
  parameters: GrantParameters,
) => Promise<TokenGrant>;

/** A grant whose code was just redeemed or that was just refreshed, and what its tokens contain. */
export interface TokenGrant {
  readonly grantId: GrantId;
  readonly clientId: string;
  readonly grant: GrantState;
  /** The scopes of the grant, or fewer. */
  readonly scopes: readonly string[];
  readonly now: EpochSeconds;
  readonly accessExpiresAt: EpochSeconds;
  /** Whether the refresh token can be used only with an assertion. */
  readonly requiresAssertion: boolean;
  /** The refresh token to return. Default: a new one, if the grant's policy allows one. */
  readonly refreshToken?: string;
}
