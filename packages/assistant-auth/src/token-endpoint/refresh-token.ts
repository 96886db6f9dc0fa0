/**
 * `grant_type=refresh_token` (RFC 6749 §6) with rotation (RFC 9700 §4.14.2): a client whose response was lost can retry, and a
 * stolen token is detected when the second of two parties refreshes.
 */
import type { Client } from '../clients/client.ts';
import { Refusal } from '../oauth/errors.ts';
import { canonicalResource } from '../oauth/resource.ts';
import { hasApiScope, narrowedScopes, scopesLeft } from '../oauth/scope.ts';
import type { EpochSeconds } from '../oauth/time.ts';
import { heedProvider } from '../sign-in/provider-recheck.ts';
import type { GrantFacts } from '../storage/broker-storage.ts';
import { keepAlive } from '../storage/write-with-retry.ts';
import { checkLease, refreshExpiry, refreshGrace } from '../tokens/lifetimes.ts';
import { findByResource, type RefreshToken } from '../tokens/sealed-types.ts';
import type { Vault } from '../tokens/sealers.ts';
import {
  type Grant,
  type GrantContext,
  type GrantParameters,
  issueTokens,
  sealRefreshToken,
} from './issue.ts';

export const refreshTokenGrant: Grant = async (rooms, client, parameters) => {
  const { vault, lifetimes } = rooms;
  const now = rooms.now();
  const presented = await openRefreshToken(vault, parameters.refresh_token);
  checkRefreshToken(presented, client, parameters, now);
  if (findByResource(vault.access, presented.resource) === undefined)
    throw new Refusal('refresh.resource-gone');
  if (!hasApiScope(scopesLeft(presented.scopes, client))) throw new Refusal('refresh.scopes-gone');
  const scopes = narrowedScopes(parameters.scope, presented.scopes, client, rooms.scopes);
  if (await isLimited(rooms, presented, now)) throw new Refusal('refresh.limited');
  const idleExpiresAt = refreshExpiry(client.refresh, lifetimes, now).idle;
  // Both run to the end even if the client disconnects. Otherwise the lease could be acquired for a recheck that is never made.
  const grant = await keepAlive(rooms, refreshAndRecheck(rooms, presented, now, idleExpiresAt));
  const { grantId, clientId } = presented;
  if (grant.generation > presented.generation + 1) rooms.log({ event: 'late-refresh', clientId });
  const yielded = { grantId, clientId, grant, scopes, now, accessExpiresAt: now + lifetimes.access };
  // A stable token is given back as it came: a client that stores nothing new loses nothing.
  const next =
    grant.refreshPolicy === 'stable' ? parameters.refresh_token : await sealRefreshToken(vault, yielded);
  return issueTokens(vault, yielded, next);
};

const openRefreshToken = async (vault: Vault, presented: string | undefined): Promise<RefreshToken> => {
  if (presented === undefined) throw new Refusal('refresh.missing');
  const opened = await vault.refresh.open(presented);
  if (opened.kind === 'unopened') throw new Refusal('refresh.unreadable', { cause: opened.reason });
  return opened.value;
};

const checkRefreshToken = (
  presented: RefreshToken,
  client: Client,
  { resource }: GrantParameters,
  now: EpochSeconds,
): void => {
  if (presented.clientId !== client.id) throw new Refusal('refresh.client');
  if (now >= presented.expiresAt) throw new Refusal('refresh.expired');
  if (resource !== undefined && resource !== canonicalResource(presented.resource))
    throw new Refusal('refresh.resource');
};

/**
 * Tells whether the grant has used up its allowance. A request that can't succeed is never limited: if its token was replaced, the grant
 * must be revoked (RFC 9700 §4.14.2), even if an attacker who stole a token keeps using up the allowance. These checks have an allowance for
 * each generation.
 */
const isLimited = async (
  { ledger, limits, lateRefresh }: GrantContext,
  { grantId, clientId, generation }: RefreshToken,
  now: EpochSeconds,
): Promise<boolean> => {
  const { refreshesPerGrant } = limits;
  if ((await refreshesPerGrant.take(grantId)) === 'allowed') return false;
  if ((await refreshesPerGrant.take(`${grantId} ${generation}`)) === 'limited') return true;
  return ledger.isRefreshable({ grantId, clientId, generation, now, grace: refreshGrace, lateRefresh });
};

const refreshAndRecheck = async (
  rooms: GrantContext,
  { grantId, clientId, generation }: RefreshToken,
  now: EpochSeconds,
  refreshIdleExpiresAt: EpochSeconds,
): Promise<GrantFacts> => {
  const { ledger, lifetimes, lateRefresh } = rooms;
  const outcome = await ledger.refresh({
    grantId,
    clientId,
    generation,
    now,
    grace: refreshGrace,
    lateRefresh,
    accessExpiresAt: now + lifetimes.access,
    refreshIdleExpiresAt,
    checkLease,
  });
  if (outcome.kind !== 'continued') throw new Refusal(`refresh.${outcome.reason}`);
  const { grant, due } = outcome;
  if (due !== undefined && (await heedProvider(rooms, due)) === 'gone')
    throw new Refusal('refresh.gone', { cause: due.provider });
  return grant;
};
