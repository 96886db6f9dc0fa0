/**
 * Signs the user in to a client with the session of the account page, without the provider's sign-in page.
 * Rechecks the identity at its provider, unless the last recheck is still valid, and continues only if the
 * provider confirms that the account is still active. The user consents each time: consent is not remembered.
 */

import type { Client } from '../clients/client.ts';
import type { ContinueSessionResult, SessionOffer, Sessions } from '../context.ts';
import { keepAlive } from '../endpoint/handler.ts';
import type { Clock, Seconds } from '../oauth/identifiers.ts';
import { randomId } from '../oauth/secrets.ts';
import { recheckIdentity } from '../sign-in/provider-recheck.ts';
import { buildSignIn, recordWithinLimits } from '../sign-in/resolve-user.ts';
import type { AccountStorage } from '../storage/account-storage.ts';
import { recheckLeaseDuration } from '../tokens/lifetimes.ts';
import type { AuthorizationRequest } from '../tokens/sealed-types.ts';
import { accountPaths, type SessionContext } from './context.ts';
import { type ActiveSession, clearSessionCookie, readSession, useSession } from './session.ts';

/** Finds the session that the page can offer. */
const findOffer = async (
  request: Request,
  context: SessionContext,
  maxAge: Seconds | undefined,
): Promise<SessionOffer> => {
  const session = await useSession(request, context);
  const provider = context.providers.get(session?.identity.provider ?? '');
  if (session === undefined || provider === undefined || !canContinue(session)) return {};
  if (isTooOld(session, maxAge, context.now)) return {};
  const { label } = session.identity;
  return {
    session: session.grantId,
    display: { provider: provider.displayName, ...(label !== undefined && { label }) },
  };
};

/**
 * Returns whether the user can continue in this session. Without an upstream token the identity cannot be
 * rechecked, and without the profile `resolveUser` cannot be called.
 */
const canContinue = ({ identity, verifiedProfile }: ActiveSession): boolean =>
  identity.hasUpstreamToken && verifiedProfile !== undefined;

/** Returns whether the user authenticated longer ago than the client accepts. */
const isTooOld = ({ signedInAt }: ActiveSession, maxAge: Seconds | undefined, now: Clock): boolean =>
  maxAge !== undefined && now() > signedInAt + maxAge;

/**
 * Rechecks the identity of the session, and records a sign-in of its user.
 * @param offeredSession the grant ID of the session that the page offered
 * @throws ProtocolError `resolve-user.…`, because `resolveUser` is called at every sign-in,
 *   `user.limited`, or `provider.changed`
 */
const continueSession = async (
  context: SessionContext,
  request: Request,
  offeredSession: string | undefined,
  client: Client,
  { redirectUri, scopes, resource, maxAge }: AuthorizationRequest,
): Promise<ContinueSessionResult> => {
  const session = await useSession(request, context);
  if (session === undefined) return sessionEnded;
  // The page showed the identity of the offered session. Another session may have started since then.
  if (session.grantId !== offeredSession || session.verifiedProfile === undefined) return notVerified;
  // The page may have been open for a while.
  if (isTooOld(session, maxAge, context.now)) return signInTooOld;
  // The last recheck can still be valid after the provider was removed from the configuration, but it no
  // longer counts.
  if (!context.providers.has(session.identity.provider)) return notVerified;
  switch (await keepAlive(context, recheckSessionIdentity(context, session))) {
    case 'revoked':
      return sessionEnded;
    case 'inconclusive':
      return notVerified;
    case 'active': {
      const grantId = randomId(context.randomBytes);
      const identity = { ...session.verifiedProfile, ...session.identity };
      const requestedGrant = { id: grantId, redirectUri, scopes, resource };
      const { language } = context.branding.select(request);
      const signIn = await buildSignIn(context, requestedGrant, client, identity, language);
      const outcome = await recordWithinLimits(context, { ...signIn, session: session.grantId });
      return outcome.kind === 'recorded' ? { kind: 'recorded', grantId } : sessionEnded;
    }
  }
};

const sessionEnded: ContinueSessionResult = {
  kind: 'stopped',
  sessionOffer: { notice: 'session-ended' },
  cookies: [clearSessionCookie()],
};

const notVerified: ContinueSessionResult = {
  kind: 'stopped',
  sessionOffer: { notice: 'provider-not-confirmed' },
  cookies: [],
};

const signInTooOld: ContinueSessionResult = {
  kind: 'stopped',
  sessionOffer: { notice: 'sign-in-too-old' },
  cookies: [],
};

const recheckSessionIdentity = async (context: SessionContext, { identity }: ActiveSession) => {
  const { provider, subject } = identity;
  const leaseOutcome = await context.accountStorage.acquireRecheckLease({
    provider,
    subject,
    now: context.now(),
    recheckLeaseDuration,
  });
  switch (leaseOutcome.kind) {
    case 'verified':
      return 'active';
    case 'acquired':
      return recheckIdentity(context, leaseOutcome.lease);
    case 'inconclusive':
      return 'inconclusive';
  }
};

/** Lets the sign-in page offer to continue in the session of the account page. */
export const createSessions = (accountStorage: AccountStorage): Sessions => ({
  accountPath: accountPaths.page,
  identify: async (request, context) => (await readSession(request, context))?.grantId,
  findOffer: (request, context, maxAge) => findOffer(request, { ...context, accountStorage }, maxAge),
  continueSession: (context, ...parameters) => continueSession({ ...context, accountStorage }, ...parameters),
});
