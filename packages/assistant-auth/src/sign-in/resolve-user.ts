/** Whether a verified identity may sign in, as which user, and what is stored of it. */

import type { Client } from '../clients/client.ts';
import type { Admission, Admit, BrokerContext } from '../context.ts';
import { Refusal } from '../oauth/errors.ts';
import type { Identity } from '../oauth/identifiers.ts';
import { offlineAccess } from '../oauth/scope.ts';
import { randomId } from '../oauth/secrets.ts';
import type { Ledger, RefreshPolicy, SignIn, SignInOutcome } from '../storage/broker-storage.ts';
import { sealProviderToken, type Vault } from '../tokens/sealers.ts';

/** Everybody, as users of our own. */
export const admitEverybody: Admit = async () => ({ kind: 'admitted' });

/** What of a grant is settled before it is known whose it will be. */
export type AskedGrant = Pick<SignIn['grant'], 'id' | 'redirectUri' | 'scopes' | 'resource'>;

/** In bytes. Both travel in every access token. */
const longestUserId = 255;
const longestClaims = 512;

/** The maximum number of active grants of a user. A sign-in that adds one more revokes the least recently used grant. */
const maxActiveGrants = 200;

type ResolveUserContext = Pick<BrokerContext, 'admit' | 'vault' | 'limits' | 'now' | 'randomBytes'>;

/**
 * Makes the record of a sign-in.
 * @throws Refusal `admission.refused`, or `admission.user` or `admission.claims` for a word that cannot be kept
 */
export const signInOf = async (
  rooms: ResolveUserContext,
  asked: AskedGrant,
  client: Client,
  identity: Identity,
): Promise<SignIn> => {
  const { userId, claims } = parseAdmission(await rooms.admit(identity, client));
  const { limit, period } = rooms.limits.signInsPerUser;
  return {
    now: rooms.now(),
    limits: { signIns: limit, period, activeGrants: maxActiveGrants },
    identity: await storedIdentity(identity, rooms.vault),
    user:
      userId === undefined
        ? { kind: 'ours', newId: randomId(rooms.randomBytes) }
        : { kind: 'theirs', id: userId },
    grant: {
      ...asked,
      clientId: client.id,
      refreshPolicy: refreshPolicyOf(client, asked.scopes),
      claims,
      ...(identity.sid !== undefined && { sid: identity.sid }),
    },
  };
};

/**
 * Stores a sign-in.
 * @throws Refusal `user.limited` if the user has signed in too often; nothing was stored
 */
export const recordWithinLimits = async (
  ledger: Pick<Ledger, 'recordSignIn'>,
  signIn: SignIn,
): Promise<Exclude<SignInOutcome, { readonly kind: 'limited' }>> => {
  const outcome = await ledger.recordSignIn(signIn);
  if (outcome.kind !== 'limited') return outcome;
  throw new Refusal('user.limited', { retryAfter: outcome.retryAfter });
};

/**
 * Reads a publisher's word. Held by no compiler where the publisher writes JavaScript, so that whatever is not a clear yes is a no.
 * @throws Refusal `admission.refused`, `admission.user` or `admission.claims`
 */
export const parseAdmission = (admission: Admission) => {
  if (admission.kind !== 'admitted') throw new Refusal('admission.refused', { cause: admission.reason });
  const { userId, claims = {} } = admission;
  if (userId !== undefined && !isUserId(userId)) throw new Refusal('admission.user');
  if (!isClaims(claims)) throw new Refusal('admission.claims');
  return { userId, claims };
};

/** An empty one would be the same user for everybody whose look-up failed. */
const isUserId = (value: unknown): boolean =>
  typeof value === 'string' && value !== '' && value.isWellFormed() && sizeOf(value) <= longestUserId;

const isClaims = (value: unknown): boolean => {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isObject && Object.values(value).every(isClaim) && sizeOf(JSON.stringify(value)) <= longestClaims;
};

const isClaim = (value: unknown): boolean =>
  (typeof value === 'string' && value.isWellFormed()) || typeof value === 'boolean' || Number.isFinite(value);

const sizeOf = (text: string): number => new TextEncoder().encode(text).length;

/** What is stored of an identity; its token only sealed. */
export const storedIdentity = async (identity: Identity, vault: Vault): Promise<SignIn['identity']> => {
  const { provider, subject, label, refreshToken, tokenNames } = identity;
  const row = { provider, subject, ...(label === undefined ? {} : { label }) };
  if (refreshToken === undefined) return row;
  const sealedRefreshToken = await sealProviderToken(vault, row, refreshToken);
  return { ...row, sealedRefreshToken, ...(tokenNames !== undefined && { tokenNames }) };
};

const refreshPolicyOf = (client: Client, scopes: readonly string[]): RefreshPolicy => {
  const offline = client.offlineAccess === 'always' || scopes.includes(offlineAccess);
  return offline ? client.refresh : 'none';
};
