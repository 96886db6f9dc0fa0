/**
 * Completes the account page's login transactions: a sign-in starts a session, which is a grant; linking an
 * identity continues with a page that asks for confirmation.
 */

import { paths } from '../context.ts';
import { bindToRequest } from '../endpoint/handler.ts';
import { bindBrowser } from '../http/csrf.ts';
import { readCookies } from '../http/request.ts';
import { plainPageResponse, seeOther } from '../http/responses.ts';
import type { GrantId, Identity, UserId } from '../oauth/identifiers.ts';
import { accountError, callbackError } from '../oauth/protocol-error.ts';
import {
  buildCompletionCookies,
  type CallbackContext,
  type CallbackHandler,
  failTransaction,
  handleProviderResponseUnlessDenied,
  withTransactionStatusError,
} from '../sign-in/callback.ts';
import {
  acceptEveryIdentity,
  buildSignIn,
  parseUserResolution,
  recordWithinLimits,
  sealIdentity,
} from '../sign-in/resolve-user.ts';
import { type AccountContext, accountPaths } from './context.ts';
import { describeDevice } from './device.ts';
import { sealAccountForm, setFlash } from './forms.ts';
import {
  type ActiveSession,
  readSession,
  recentAuthLifetime,
  setSessionCookie,
  useSession,
} from './session.ts';
import type { AccountBranding } from './ui/texts.ts';

/** Creates the callback handler for sign-ins to the account page. */
export const accountCallback = (context: AccountContext): CallbackHandler<'account'> => ({
  complete: (callback, { user }) => completeAccountSignIn(context, callback, user),
  destination: async () => ({ kind: 'account', url: accountPaths.page }),
});

/** Creates the callback handler for linking an identity. */
export const linkCallback = (context: AccountContext): CallbackHandler<'link'> => ({
  complete: (callback, purpose) => completeLink(context, callback, purpose),
  destination: async () => ({ kind: 'account', url: accountPaths.page }),
});

/** @param user the user that the identity must belong to. Default: any user. */
const completeAccountSignIn = async (
  accountContext: AccountContext,
  callback: CallbackContext,
  user: UserId | undefined,
): Promise<Response> => {
  const { requestContext, provider, transaction } = callback;
  const context = bindToRequest(accountContext, requestContext);
  const accountUrl = context.issuer + accountPaths.page;
  const identity = await handleProviderResponseUnlessDenied(context, callback);
  if (identity === undefined || !(await matchesExpectedUser(context, identity, user)))
    return seeOther(accountUrl, [...(await denyTransaction(context, callback)), setFlash('not-confirmed')]);
  const device = describeDevice(requestContext.request.headers.get('user-agent'));
  const { language } = context.branding.select(requestContext.request);
  await startSession(context, { id: transaction.grantId, device, language }, identity, user);
  await revokePreviousSession(context, requestContext.request);
  requestContext.log({ event: 'signed-in', clientId: context.account.id, provider: provider.id });
  const session = await setSessionCookie(context, transaction.grantId, identity);
  const completed = await buildCompletionCookies(context, callback);
  return seeOther(accountUrl, [
    ...completed,
    session,
    ...(user === undefined ? [] : [setFlash('confirmed')]),
  ]);
};

/** The user canceled, or signed in as someone else. Remembered, so that a repeated callback shows that. */
const denyTransaction = (context: AccountContext, callback: CallbackContext) =>
  failTransaction(context, callback, callbackError('provider.denied'));

/** Looks up the user before the sign-in is recorded: a confirmation must never create a new user. */
const matchesExpectedUser = async (
  { accountStorage }: AccountContext,
  identity: Identity,
  user: UserId | undefined,
) => user === undefined || (await accountStorage.findUser(identity)) === user;

const startSession = async (
  context: AccountContext,
  {
    id,
    device,
    language,
  }: { readonly id: GrantId; readonly device: string | undefined; readonly language: string },
  identity: Identity,
  user: UserId | undefined,
): Promise<void> => {
  const { storage, issuer, account, lifetimes, now } = context;
  const [redirect] = account.redirects;
  const redirectUri = redirect?.kind === 'exact' ? redirect.uri : issuer;
  const requestedGrant = {
    ...{ id, redirectUri, scopes: account.scopes, resource: issuer },
    ...(device !== undefined && { device }),
  };
  const outcome = await recordWithinLimits(
    context,
    await buildSignIn(context, requestedGrant, account, identity, language),
  );
  if (outcome.kind !== 'recorded') throw callbackError('transaction.replayed');
  // The identity was unlinked after the lookup, or `resolveUser` returned another user: the sign-in belongs
  // to another user and confirms nothing.
  if (user !== undefined && outcome.userId !== user) throw accountError('session.changed');
  const at = now();
  const redeemed = await storage.redeemCode({
    ...{ grantId: id, clientId: account.id, now: at, replayGrace: 0 },
    codeExpiresAt: at + 1,
    // A session has no access token.
    accessExpiresAt: 0,
    refreshIdleExpiresAt: at + Math.min(lifetimes.sessionIdle, lifetimes.sessionAbsolute),
    refreshAbsoluteExpiresAt: at + lifetimes.sessionAbsolute,
  });
  // The grant was revoked in the meantime. No session starts, and the previous one stays.
  if (redeemed.kind !== 'redeemed') throw accountError('session.changed');
};

/** Revokes the session that the new one replaces. No other browser has its cookie. */
const revokePreviousSession = async (context: AccountContext, request: Request): Promise<void> => {
  const previous = await readSession(request, context);
  if (previous === undefined) return;
  const target = { kind: 'grant', id: previous.grantId } as const;
  await context.storage.revoke(target, 'signed in again', context.now(), 'user');
};

// Linking an identity. Nothing is stored yet: a page shows both identities and asks for confirmation.

const completeLink = async (
  context: AccountContext,
  callback: CallbackContext,
  expected: { readonly session: string; readonly user: UserId },
): Promise<Response> => {
  const accountUrl = context.issuer + accountPaths.page;
  const { request } = callback.requestContext;
  const branding = context.branding.select(request);
  const session = await withTransactionStatusError(useSession(request, context));
  // The session ended, or another one was started in this browser, while the user was at the provider.
  if (session?.grantId !== expected.session || session.userId !== expected.user)
    throw accountError('session.changed');
  const identity = await handleProviderResponseUnlessDenied(context, callback);
  if (identity === undefined)
    return seeOther(accountUrl, [...(await denyTransaction(context, callback)), setFlash('link-canceled')]);
  const found = await resolveOwnership(context, identity, session, branding.language);
  const completed = await buildCompletionCookies(context, callback);
  callback.replayGuard.markHandled(callback.transaction.state);
  switch (found) {
    case 'available':
      return showLinkPage(context, branding, callback, session, identity, completed);
    case 'linked-to-this-user':
      return seeOther(accountUrl, [...completed, setFlash('already-linked')]);
    case 'linked-to-other-user':
      return respondLinkConflict(context, branding, identity, completed);
  }
};

/**
 * Determines which user the identity belongs to, according to `resolveUser`, which every later sign-in calls,
 * and according to storage.
 * @throws ProtocolError as `parseUserResolution`, for either identity; `resolve-user.link-refused` if the
 *   session has no verified profile, or if the publisher does not map both identities to the same user, or
 *   both to none: a user whom the publisher refuses with one identity could still sign in with the other
 */
const resolveOwnership = async (
  context: AccountContext,
  identity: Identity,
  session: ActiveSession,
  language: string,
): Promise<'available' | 'linked-to-this-user' | 'linked-to-other-user'> => {
  const { userId: user } = session;
  const publisherUser = await resolvePublisherUser(context, identity, language);
  const owner = await context.accountStorage.findUser(identity);
  if ((publisherUser ?? user) !== user || (owner ?? user) !== user) return 'linked-to-other-user';
  if (publisherUser !== (await resolveSessionUser(context, session, language)))
    throw callbackError('resolve-user.link-refused');
  return owner === undefined ? 'available' : 'linked-to-this-user';
};

const resolvePublisherUser = async (
  context: AccountContext,
  identity: Identity,
  language: string,
): Promise<UserId | undefined> =>
  parseUserResolution(context, identity, await context.resolveUser(identity, context.account, language))
    .userId;

/** Returns the user ID that the publisher assigns to the identity of this session, if any. */
const resolveSessionUser = async (
  context: AccountContext,
  { identity, verifiedProfile }: ActiveSession,
  language: string,
): Promise<UserId | undefined> => {
  if (context.resolveUser === acceptEveryIdentity) return undefined;
  // `resolveUser` needs the verified profile, which is missing if it did not fit into the session cookie.
  if (verifiedProfile === undefined) throw callbackError('resolve-user.link-refused');
  return resolvePublisherUser(context, { ...verifiedProfile, ...identity }, language);
};

const respondLinkConflict = (
  context: AccountContext,
  branding: AccountBranding,
  identity: Identity,
  cookies: readonly string[],
): Response =>
  plainPageResponse(
    context.accountPages.linkConflict({
      branding,
      stylesheetPath: paths.stylesheet,
      accountPath: accountPaths.page,
      conflictingIdentity: summarizeIdentity(context, identity),
    }),
    cookies,
  );

const showLinkPage = async (
  context: AccountContext,
  branding: AccountBranding,
  { requestContext, provider }: CallbackContext,
  session: ActiveSession,
  identity: Identity,
  cookies: readonly string[],
): Promise<Response> => {
  const { sealers, now } = context;
  const stored = await sealIdentity(identity, sealers);
  const { csrf, setCookies } = await bindBrowser(
    readCookies(requestContext.request),
    context.randomBytes,
    context.lifetimes.consent,
  );
  const html = context.accountPages.link({
    branding,
    stylesheetPath: paths.stylesheet,
    action: accountPaths.confirmLink,
    link: await sealers.pendingLink.seal({
      session: session.grantId,
      provider: stored.provider,
      subjectNamespace: provider.subjectNamespace,
      subject: stored.subject,
      label: stored.label,
      sealedRefreshToken: stored.sealedRefreshToken,
      tokenIdentifiers: stored.tokenIdentifiers,
      expiresAt: now() + recentAuthLifetime,
    }),
    form: await sealAccountForm(context, csrf, session.grantId),
    currentIdentity: summarizeIdentity(context, session.identity),
    newIdentity: summarizeIdentity(context, identity),
  });
  return plainPageResponse(html, [...cookies, ...setCookies]);
};

const summarizeIdentity = (
  { providers }: AccountContext,
  { provider, label }: { readonly provider: string; readonly label?: string },
) => ({
  provider: providers.get(provider)?.displayName ?? provider,
  ...(label !== undefined && { label }),
});
