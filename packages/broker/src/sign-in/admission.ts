/** Whether a verified identity may sign in, as which user, and what is stored of it. */
import type { Client } from '../clients/client.ts';
import { Refusal } from '../protocol/errors.ts';
import type { Identity, UserClaims, UserId } from '../protocol/identity.ts';
import { type RandomBytes, randomId } from '../protocol/random.ts';
import { offlineAccess } from '../protocol/scope.ts';
import type { Clock } from '../protocol/time.ts';
import type { RefreshPolicy, SignIn } from '../tokens/ledger.ts';
import { sealProviderToken } from '../tokens/provider-token.ts';
import type { Transaction } from '../tokens/transaction.ts';
import type { Vault } from '../tokens/vault.ts';

/** A publisher's word on an identity: refused, or admitted — as a user of theirs, or as one of ours. */
export type Admission =
  | { readonly kind: 'admitted'; readonly userId?: UserId; readonly claims?: UserClaims }
  /** The reason is logged. */
  | { readonly kind: 'refused'; readonly reason: string };

export type Admit = (identity: Identity, client: Client) => Promise<Admission>;

/** Everybody, as users of our own. */
export const admitEverybody: Admit = async () => ({ kind: 'admitted' });

/** They travel in every access token. */
const mostClaimBytes = 512;

/**
 * Makes the record of a sign-in.
 * @throws Refusal `admission.refused`, or `admission.claims` when the publisher's claims are too large
 */
export const signInOf = async (
  rooms: {
    readonly admit: Admit;
    readonly vault: Vault;
    readonly now: Clock;
    readonly randomBytes: RandomBytes;
  },
  { request, grantId }: Transaction,
  client: Client,
  identity: Identity,
): Promise<SignIn> => {
  const admission = await rooms.admit(identity, client);
  if (admission.kind === 'refused') throw new Refusal('admission.refused', { cause: admission.reason });
  const { userId, claims = {} } = admission;
  if (new TextEncoder().encode(JSON.stringify(claims)).length > mostClaimBytes)
    throw new Refusal('admission.claims');
  return {
    now: rooms.now(),
    identity: await storedIdentity(identity, rooms.vault),
    user:
      userId === undefined
        ? { kind: 'ours', newId: randomId(rooms.randomBytes) }
        : { kind: 'theirs', id: userId },
    grant: {
      id: grantId,
      clientId: client.id,
      redirectUri: request.redirectUri,
      scopes: request.scopes,
      resource: request.resource,
      refreshPolicy: refreshPolicyOf(client, request.scopes),
      claims,
    },
  };
};

const storedIdentity = async (identity: Identity, vault: Vault): Promise<SignIn['identity']> => {
  const { provider, subject, label, refreshToken } = identity;
  const row = { provider, subject, ...(label === undefined ? {} : { label }) };
  if (refreshToken === undefined) return row;
  return { ...row, sealedRefreshToken: await sealProviderToken(vault, row, refreshToken) };
};

const refreshPolicyOf = (client: Client, scopes: readonly string[]): RefreshPolicy => {
  const offline = client.offlineAccess === 'always' || scopes.includes(offlineAccess);
  return offline ? client.refresh : 'none';
};
