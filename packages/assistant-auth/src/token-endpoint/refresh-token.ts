/**
 * `grant_type=refresh_token` (RFC 6749 §6). A rotating grant gets a new refresh token at each refresh (RFC
 * 9700 §4.14.2). The previous token counts as a retry for two minutes (`lifetimes.refreshGrace`) and gets the
 * current tokens again. After that, if the current token was never used, the option `lateRefresh` decides:
 * `recover` (the default) starts a new branch, `revoke` revokes the grant. Any other replaced token revokes
 * the grant. A stable grant keeps its refresh token. A token that has expired is refused, and revokes
 * nothing. Storage decides which case applies, atomically (`isTokenAccepted` and `revokeReused` in
 * `storage/sqlite/grants.ts`, `classifyPresentedToken` in `storage/memory/grants.ts`). Before that, calls the
 * option `refreshUser`; after it, rechecks the identity at its provider, if that is due.
 */

import type { Client, VerifiedAssertion } from '../clients/client.ts';
import { keepAlive } from '../endpoint/handler.ts';
import type { EpochSeconds } from '../oauth/identifiers.ts';
import { tokenEndpointError } from '../oauth/protocol-error.ts';
import { canonicalResource } from '../oauth/resource.ts';
import { filterAvailableScopes, hasApiScope, narrowScopes } from '../oauth/scope.ts';
import { recheckIdentity } from '../sign-in/provider-recheck.ts';
import type { GrantState, PresentedRefreshToken } from '../storage/broker-storage.ts';
import { recheckLeaseDuration } from '../tokens/lifetimes.ts';
import type { RefreshToken } from '../tokens/sealed-types.ts';
import { findByResource } from '../tokens/sealers.ts';
import {
  type GrantContext,
  type GrantHandler,
  type GrantParameters,
  openPresented,
} from './grant-handler.ts';
import { callRefreshUser } from './refresh-user.ts';

export const refreshTokenGrant: GrantHandler = async (context, { client, assertion }, parameters) => {
  const { sealers, lifetimes, providers, lateRefresh } = context;
  const now = context.now();
  const presented = await openPresented('refresh', sealers.refresh, parameters.refresh_token);
  checkRefreshToken(presented, client, parameters, now);
  // A refresh needs the client authentication of the code exchange, or a stronger one. Otherwise, a stolen
  // token could be used without the client's key.
  const { requiresAssertion } = presented;
  if (requiresAssertion && assertion === undefined) throw tokenEndpointError('refresh.authentication');
  if (findByResource(sealers.access, presented.resource) === undefined)
    throw tokenEndpointError('refresh.resource-removed');
  if (!hasApiScope(filterAvailableScopes(presented.scopes, client)))
    throw tokenEndpointError('refresh.scopes-removed');
  const scopes = narrowScopes(parameters.scope, presented.scopes, client, context.scopes);
  // A missing variable must sign nobody out: the token works again when the provider is configured again.
  if (!providers.has(presented.provider))
    throw tokenEndpointError('refresh.provider-removed', { cause: presented.provider });
  const { grantId, clientId, generation } = presented;
  const token = { grantId, clientId, generation, now, grace: lifetimes.refreshGrace, lateRefresh };
  if (await isLimited(context, token)) throw tokenEndpointError('refresh.limited');
  const idleExpiresAt = now + lifetimes.refresh[client.refresh].idle;
  // Refresh and recheck run to the end even if the client disconnects. Otherwise the lease could be acquired
  // for a recheck that is never made.
  const grant = await keepAlive(context, refreshAndRecheck(context, token, assertion, idleExpiresAt));
  if (grant.generation > generation + 1) context.log({ event: 'late-refresh', clientId });
  const tokenGrant = {
    ...{ grantId, clientId, grant, scopes, now, accessExpiresAt: now + lifetimes.access },
    requiresAssertion: requiresAssertion || assertion !== undefined,
  };
  // A stable refresh token is returned unchanged, so a client that does not store it again loses nothing.
  const { refresh_token: refreshToken } = parameters;
  return grant.refreshPolicy === 'stable' && refreshToken !== undefined
    ? { ...tokenGrant, refreshToken }
    : tokenGrant;
};

const checkRefreshToken = (
  presented: RefreshToken,
  client: Client,
  { resource }: GrantParameters,
  now: EpochSeconds,
): void => {
  if (presented.clientId !== client.id) throw tokenEndpointError('refresh.client');
  if (now >= presented.expiresAt) throw tokenEndpointError('refresh.expired');
  if (resource !== undefined && resource !== canonicalResource(presented.resource))
    throw tokenEndpointError('refresh.resource');
};

/**
 * Returns whether the request is refused because the grant has used up its allowance. A request that can't
 * succeed is not limited: if it reuses a replaced token, the grant must be revoked (RFC 9700 §4.14.2), even
 * if an attacker who stole a token keeps using up the allowance. The broker reads from storage whether a
 * request can succeed, and these reads have a separate allowance for each generation; when it is used up,
 * requests with a token of that generation are limited.
 */
const isLimited = async (
  { storage, limits }: GrantContext,
  token: PresentedRefreshToken,
): Promise<boolean> => {
  const { grantId, generation } = token;
  const { refreshesPerGrant } = limits;
  if ((await refreshesPerGrant.take(grantId)) === 'allowed') return false;
  if ((await refreshesPerGrant.take(`${grantId} ${generation}`)) === 'limited') return true;
  return (await storage.readRefreshable(token)) !== undefined;
};

const refreshAndRecheck = async (
  context: GrantContext,
  token: PresentedRefreshToken,
  assertion: VerifiedAssertion | undefined,
  refreshIdleExpiresAt: EpochSeconds,
): Promise<GrantState> => {
  const { storage, lifetimes } = context;
  const checked = await callRefreshUser(context, token);
  const outcome = await storage.refresh({
    ...token,
    ...checked,
    accessExpiresAt: token.now + lifetimes.access,
    refreshIdleExpiresAt,
    recheckLeaseDuration,
    ...(assertion && { assertion }),
  });
  if (outcome.kind === 'refused')
    throw tokenEndpointError(
      outcome.reason === 'assertion-replayed'
        ? 'authentication.assertion-replayed'
        : `refresh.${outcome.reason}`,
    );
  const { grant, recheck } = outcome;
  if (recheck !== undefined && (await recheckIdentity(context, recheck)) === 'revoked')
    throw tokenEndpointError('refresh.upstream-revoked', { cause: recheck.provider });
  // For example, the user signed in again in between. A retry gets the tokens, and asks the publisher.
  if (checked === undefined) throw tokenEndpointError('refresh-user.failed');
  return grant;
};
