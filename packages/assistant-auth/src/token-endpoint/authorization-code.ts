/**
 * `grant_type=authorization_code` (RFC 6749 §4.1.3, RFC 7636 §4.6): redeems a code for tokens, exactly once.
 * Storage decides, atomically (`updateRedeemedGrant` and `revokeReplayed` in `storage/sqlite/grants.ts`,
 * `redeemCode` in `storage/memory/grants.ts`): a second redemption is refused, and after ten seconds
 * (`codeReplayGrace`) it also revokes the grant. A request that fails another check does not reach storage,
 * and revokes nothing.
 */

import { limitAssertions } from '../clients/authentication.ts';
import type { Client } from '../clients/client.ts';
import { verifyCodeVerifier } from '../oauth/pkce.ts';
import { tokenEndpointError } from '../oauth/protocol-error.ts';
import { canonicalResource } from '../oauth/resource.ts';
import { filterAvailableScopes, hasApiScope } from '../oauth/scope.ts';
import type { GrantState } from '../storage/broker-storage.ts';
import { codeReplayGrace } from '../tokens/lifetimes.ts';
import type { AuthorizationCode } from '../tokens/sealed-types.ts';
import { findByResource, type Sealers } from '../tokens/sealers.ts';
import {
  type AuthenticatedClient,
  type GrantContext,
  type GrantHandler,
  type GrantParameters,
  openPresented,
} from './grant-handler.ts';

export const authorizationCodeGrant: GrantHandler = async (context, { client, assertion }, parameters) => {
  const { sealers, lifetimes, now } = context;
  const code = await openPresented('code', sealers.code, parameters.code);
  await checkCode(sealers, code, client, parameters);
  const issuedAt = now();
  const accessExpiresAt = issuedAt + lifetimes.access;
  // After the checks of the request and before tokens are issued: a replayed code gets no tokens, and a
  // request with a mistake does not use up the code. The scopes are in the stored grant, so they can only be
  // checked afterwards.
  const grant = await redeem(context, code, { client, assertion }, issuedAt);
  const scopes = filterAvailableScopes(grant.scopes, client);
  if (!hasApiScope(scopes)) throw tokenEndpointError('code.scopes-removed');
  const { grantId, clientId } = code;
  const requiresAssertion = assertion !== undefined;
  return { grantId, clientId, grant, scopes, now: issuedAt, accessExpiresAt, requiresAssertion };
};

const checkCode = async (
  sealers: Sealers,
  code: AuthorizationCode,
  client: Client,
  parameters: GrantParameters,
): Promise<void> => {
  if (code.clientId !== client.id) throw tokenEndpointError('code.client');
  // With PKCE, the verifier proves that this client started the request, and OAuth 2.1 §4.1.3 no longer
  // requires `redirect_uri`. If it is sent, it must match.
  const redirect = parameters.redirect_uri ?? (code.codeChallenge === undefined ? '' : code.redirectUri);
  if (redirect !== code.redirectUri) throw tokenEndpointError('code.redirect');
  if (parameters.resource !== undefined && parameters.resource !== canonicalResource(code.resource))
    throw tokenEndpointError('code.resource');
  if (findByResource(sealers.access, code.resource) === undefined)
    throw tokenEndpointError('code.resource-removed');
  await verifyCodeVerifier(code.codeChallenge, parameters.code_verifier);
};

const redeem = async (
  context: GrantContext,
  code: AuthorizationCode,
  { client, assertion }: AuthenticatedClient,
  now: number,
): Promise<GrantState> => {
  const { storage, lifetimes } = context;
  await limitAssertions(context, assertion, code.grantId);
  const refresh = lifetimes.refresh[client.refresh];
  const outcome = await storage.redeemCode({
    grantId: code.grantId,
    clientId: code.clientId,
    now,
    codeExpiresAt: code.expiresAt,
    replayGrace: codeReplayGrace,
    accessExpiresAt: now + lifetimes.access,
    refreshIdleExpiresAt: now + refresh.idle,
    refreshAbsoluteExpiresAt: now + refresh.absolute,
    ...(assertion && { assertion }),
  });
  if (outcome.kind === 'redeemed') return outcome.grant;
  if (outcome.reason === 'assertion-replayed') throw tokenEndpointError('authentication.assertion-replayed');
  // `invalid` covers expired codes, codes that were used within the grace period, and grants that are revoked
  // or unknown. After the code has expired, the reason is `code.expired` for all of them, which points to a
  // slow client or clock.
  const expired = outcome.reason === 'invalid' && now >= code.expiresAt;
  throw tokenEndpointError(expired ? 'code.expired' : `code.${outcome.reason}`);
};
