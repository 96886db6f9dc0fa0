/** Maps a verified identity to a user with the option `resolveUser`, and builds and stores the sign-in. */

import type { Client } from '../clients/client.ts';
import type { BrokerContext, RefusedUser, ResolveUser, UserResolution } from '../context.ts';
import type { EpochSeconds, Identity } from '../oauth/identifiers.ts';
import { callbackError, type ProtocolError, type Refusal } from '../oauth/protocol-error.ts';
import { isLoopback } from '../oauth/resource.ts';
import { offlineAccessScope } from '../oauth/scope.ts';
import { randomId } from '../oauth/secrets.ts';
import type { IdentityKey, RefreshPolicy, SignIn, SignInOutcome } from '../storage/broker-storage.ts';
import { type Sealers, sealUpstreamToken } from '../tokens/sealers.ts';
import { controlCharacters } from '../ui/layout.ts';

/** The default of `resolveUser`: accepts every identity, and the broker assigns the user IDs. */
export const acceptEveryIdentity: ResolveUser = async () => ({ kind: 'accepted' });

/** The part of a grant that is known before its user is. */
export type RequestedGrant = Pick<SignIn['grant'], 'id' | 'redirectUri' | 'scopes' | 'resource' | 'device'>;

/** In bytes. Every access token contains both values. */
const maxUserIdBytes = 255;
const maxClaimsBytes = 512;

/**
 * The maximum number of active grants of a user, not counting sessions of the account page. A sign-in that
 * adds one more revokes the least recently used grant.
 */
const maxActiveGrants = 200;

type ResolveUserContext = Pick<
  BrokerContext,
  'resolveUser' | 'issuer' | 'providers' | 'sealers' | 'limits' | 'now' | 'randomBytes'
>;

/**
 * Builds the sign-in to store.
 * @param language the language of the page that `resolveUser` can show a message on
 * @throws ProtocolError as `parseUserResolution`
 */
export const buildSignIn = async (
  context: ResolveUserContext,
  requestedGrant: RequestedGrant,
  client: Client,
  identity: Identity,
  language: string,
): Promise<SignIn> => {
  const { userId, claims } = parseUserResolution(
    context,
    identity,
    await context.resolveUser(identity, client, language),
  );
  const { limit, period } = context.limits.signInsPerUser;
  return {
    now: context.now(),
    limits: { signIns: limit, period, activeGrants: maxActiveGrants },
    identity: await sealIdentity(identity, context.sealers),
    subjectNamespace: findNamespace(context, identity),
    user:
      userId === undefined
        ? { kind: 'by-identity', newId: randomId(context.randomBytes) }
        : { kind: 'resolved', id: userId },
    grant: {
      ...requestedGrant,
      clientId: client.id,
      refreshPolicy: selectRefreshPolicy(client, requestedGrant.scopes),
      claims,
      ...(identity.sid !== undefined && { sid: identity.sid }),
    },
    ...copyClient(client, context.now()),
  };
};

/**
 * Finds the subject namespace of an identity's provider.
 * @throws ProtocolError `provider.unknown` if the provider is no longer configured
 */
const findNamespace = (
  { providers }: Pick<BrokerContext, 'providers'>,
  { provider }: IdentityKey,
): string => {
  const { subjectNamespace } = providers.get(provider) ?? {};
  if (subjectNamespace === undefined) throw callbackError('provider.unknown');
  return subjectNamespace;
};

/**
 * Builds the stored copy of a client that is not in the configuration, so that the broker still knows it
 * later.
 */
const copyClient = ({ id, name, storedCopy }: Client, now: EpochSeconds): Pick<SignIn, 'client'> =>
  storedCopy === undefined
    ? {}
    : { client: { id, name, metadata: storedCopy.metadata, retainUntil: now + storedCopy.retention } };

/**
 * Stores a sign-in.
 * @throws ProtocolError `user.limited` if the user has signed in too often, or `provider.changed`; nothing
 *   was stored
 */
export const recordWithinLimits = async (
  {
    storage,
    startCleanupIfDue,
    waitUntil,
  }: Pick<BrokerContext, 'storage' | 'startCleanupIfDue' | 'waitUntil'>,
  signIn: SignIn,
): Promise<Exclude<SignInOutcome, { readonly kind: 'limited' | 'provider-changed' }>> => {
  const outcome = await storage.recordSignIn(signIn);
  if (outcome.kind === 'limited') throw callbackError('user.limited', { retryAfter: outcome.retryAfter });
  if (outcome.kind === 'provider-changed') throw callbackError('provider.changed');
  if (outcome.kind === 'recorded') startCleanupIfDue?.(waitUntil);
  return outcome;
};

/**
 * Checks the result of `resolveUser`. No compiler checks it if the publisher writes JavaScript, so every
 * result but `accepted` is refused.
 * @throws ProtocolError `resolve-user.refused`; `resolve-user.invalid-refusal`, `resolve-user.invalid-id` or
 *   `resolve-user.invalid-claims` for a value that is malformed or too large
 */
export const parseUserResolution = (
  context: RefusalContext,
  identity: Identity,
  resolution: UserResolution,
) => {
  if (resolution.kind !== 'accepted')
    throw callbackError('resolve-user.refused', {
      cause: resolution.reason,
      refusal: parseRefusal(context, identity, resolution),
    });
  const { userId, claims = {} } = resolution;
  if (userId !== undefined && !isText(userId, maxUserIdBytes)) throw callbackError('resolve-user.invalid-id');
  if (!isClaims(claims)) throw callbackError('resolve-user.invalid-claims');
  return { userId, claims };
};

type RefusalContext = Pick<BrokerContext, 'issuer' | 'providers'>;

/**
 * Parses the message and the link of a refusal.
 * @returns `undefined` if there is neither
 * @throws ProtocolError `resolve-user.invalid-refusal`, which refuses the user without message and link
 */
const parseRefusal = (
  { issuer, providers }: RefusalContext,
  { provider, label }: Identity,
  { message, link }: RefusedUser,
): Refusal | undefined => {
  if (message === undefined && link === undefined) return undefined;
  const displayName = providers.get(provider)?.displayName ?? provider;
  return {
    message: parsePlainText('message', message, 1000),
    // A JavaScript caller can return anything as the link.
    ...(link !== undefined && {
      link: {
        text: parsePlainText('link.text', link?.text, 200),
        href: parseLinkTarget(link?.href, issuer),
      },
    }),
    identity: { provider: displayName, ...(label !== undefined && { label }) },
  };
};

const parsePlainText = (name: string, text: unknown, maxBytes: number): string => {
  if (isText(text, maxBytes) && text.search(controlCharacters) < 0) return text;
  throw invalidRefusal(`${name} must be plain text on one line, of at most ${maxBytes} bytes`);
};

/** Returns the URL as it was parsed, so that the browser finds the same scheme in it. */
const parseLinkTarget = (target: unknown, issuer: string): string => {
  const url = URL.parse(String(target));
  // An issuer uses http only on loopback.
  const isLocal = url !== null && isLoopback(url) && issuer.startsWith('http:');
  if (url !== null && (isLocal || linkTarget.test(url.href)) && url.href.length <= 512) return url.href;
  throw invalidRefusal('link.href must be an https or mailto URL of at most 512 bytes');
};

/** Matches https without user information, and mailto with one address and nothing else. */
const linkTarget = /^(?:https:\/\/[^/@]+\/|mailto:[\w.+-]+@[\w.-]+$)/;

const invalidRefusal = (cause: string): ProtocolError =>
  callbackError('resolve-user.invalid-refusal', { cause });

/** An empty ID is refused, because all users whose lookup failed would share it. */
const isText = (value: unknown, maxBytes: number): value is string =>
  typeof value === 'string' && value !== '' && value.isWellFormed() && countBytes(value) <= maxBytes;

/** Returns whether a value that the publisher returned can be sealed into access tokens. */
export const isClaims = (value: unknown): boolean => {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  return (
    isObject && Object.values(value).every(isClaim) && countBytes(JSON.stringify(value)) <= maxClaimsBytes
  );
};

const isClaim = (value: unknown): boolean =>
  (typeof value === 'string' && value.isWellFormed()) || typeof value === 'boolean' || Number.isFinite(value);

const countBytes = (text: string): number => new TextEncoder().encode(text).length;

/** Returns the part of an identity that is stored, with its refresh token sealed. */
export const sealIdentity = async (identity: Identity, sealers: Sealers): Promise<SignIn['identity']> => {
  const { provider, subject, label, refreshToken, tokenIdentifiers } = identity;
  const row = { provider, subject, ...(label === undefined ? {} : { label }) };
  if (refreshToken === undefined) return row;
  const sealedRefreshToken = await sealUpstreamToken(sealers, row, refreshToken);
  return { ...row, sealedRefreshToken, ...(tokenIdentifiers !== undefined && { tokenIdentifiers }) };
};

/** Returns whether the client gets a refresh token, and whether each use replaces it. */
export const selectRefreshPolicy = (client: Client, scopes: readonly string[]): RefreshPolicy => {
  const offline = client.offlineAccess === 'always' || scopes.includes(offlineAccessScope);
  return offline ? client.refresh : 'none';
};
