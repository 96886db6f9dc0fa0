/** `grant_type=authorization_code` (RFC 6749 §4.1.3, RFC 7636 §4.6): a code becomes tokens, exactly once. */
import type { Client } from '../clients/client.ts';
import { Refusal } from '../oauth/errors.ts';
import { checkVerifier } from '../oauth/pkce.ts';
import { canonicalResource } from '../oauth/resource.ts';
import { hasApiScope, scopesLeft } from '../oauth/scope.ts';
import type { GrantFacts } from '../storage/broker-storage.ts';
import { codeReplayGrace, refreshExpiry } from '../tokens/lifetimes.ts';
import { type AuthorizationCode, findByResource } from '../tokens/sealed-types.ts';
import type { Vault } from '../tokens/sealers.ts';
import {
  type Grant,
  type GrantContext,
  type GrantParameters,
  issueTokens,
  sealRefreshToken,
} from './issue.ts';

export const authorizationCodeGrant: Grant = async (rooms, client, parameters) => {
  const { vault, lifetimes, now } = rooms;
  const code = await openCode(vault, parameters.code);
  await checkCode(vault, code, client, parameters);
  const issuedAt = now();
  const accessExpiresAt = issuedAt + lifetimes.access;
  // Spend after all checks and before issuing: a replay finds nothing left, a typo burns nothing.
  const grant = await spend(rooms, code, client, issuedAt);
  const scopes = scopesLeft(grant.scopes, client);
  if (!hasApiScope(scopes)) throw new Refusal('code.scopes-gone');
  const { grantId, clientId } = code;
  const yielded = { grantId, clientId, grant, scopes, now: issuedAt, accessExpiresAt };
  return issueTokens(vault, yielded, await sealRefreshToken(vault, yielded));
};

const openCode = async (vault: Vault, presented: string | undefined): Promise<AuthorizationCode> => {
  if (presented === undefined) throw new Refusal('code.missing');
  const opened = await vault.code.open(presented);
  if (opened.kind === 'unopened') throw new Refusal('code.unreadable', { cause: opened.reason });
  return opened.value;
};

const checkCode = async (
  vault: Vault,
  code: AuthorizationCode,
  client: Client,
  parameters: GrantParameters,
): Promise<void> => {
  if (code.clientId !== client.id) throw new Refusal('code.client');
  // With a challenge the verifier proves who asks, and OAuth 2.1 §4.1.3 no longer needs the redirect; one sent must fit.
  const redirect = parameters.redirect_uri ?? (code.codeChallenge === undefined ? '' : code.redirectUri);
  if (redirect !== code.redirectUri) throw new Refusal('code.redirect');
  if (parameters.resource !== undefined && parameters.resource !== canonicalResource(code.resource))
    throw new Refusal('code.resource');
  if (findByResource(vault.access, code.resource) === undefined) throw new Refusal('code.resource-gone');
  await checkVerifier(code.codeChallenge, parameters.code_verifier);
};

const spend = async (
  { ledger, lifetimes }: GrantContext,
  code: AuthorizationCode,
  client: Client,
  now: number,
): Promise<GrantFacts> => {
  const refresh = refreshExpiry(client.refresh, lifetimes, now);
  const outcome = await ledger.redeemCode({
    grantId: code.grantId,
    clientId: code.clientId,
    now,
    codeExpiresAt: code.expiresAt,
    replayGrace: codeReplayGrace,
    accessExpiresAt: now + lifetimes.access,
    refreshIdleExpiresAt: refresh.idle,
    refreshAbsoluteExpiresAt: refresh.absolute,
  });
  if (outcome.kind === 'redeemed') return outcome.grant;
  // The ledger tells the two apart no further, and the operator wants to know: the one is a clock, the other a client.
  const expired = outcome.reason === 'spent' && now >= code.expiresAt;
  throw new Refusal(expired ? 'code.expired' : `code.${outcome.reason}`);
};
