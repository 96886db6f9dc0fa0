/**
 * The account page's `POST` endpoints that link an identity (start and confirmation), dismiss the notice about
 * it, and unlink an identity.
 */

import type { EndpointDefinition } from '../endpoint/handler.ts';
import { seeOther } from '../http/responses.ts';
import { accountError, callbackError } from '../oauth/protocol-error.ts';
import { redirectToProvider } from '../sign-in/login-transaction.ts';
import type { LinkedIdentity } from '../storage/broker-storage.ts';
import type { PendingLink } from '../tokens/sealed-types.ts';
import { type AccountContext, accountPaths } from './context.ts';
import { revokeUpstreamTokens } from './export-and-delete.ts';
import {
  deriveFormKey,
  redirectToAccount,
  requireRecentAuth,
  requireSession,
  resolveChosenProvider,
} from './forms.ts';
import { type ActiveSession, clearSessionCookie, isSameIdentity } from './session.ts';

export const linkEndpoint = (context: AccountContext): EndpointDefinition =>
  requireRecentAuth(context, { name: 'link', fields: ['choice'] }, async ({ fields, cookies }, session) => {
    const { grantId, userId } = session;
    const provider = resolveChosenProvider(context, fields.choice);
    return redirectToProvider(context, { kind: 'link', session: grantId, user: userId }, provider, cookies);
  });

export const confirmLinkEndpoint = (context: AccountContext): EndpointDefinition =>
  requireRecentAuth(
    context,
    { name: 'confirm-link', fields: ['link', 'confirm', 'cancel'] },
    async ({ requestContext, fields }, session) => {
      if (fields.cancel !== undefined || fields.confirm === undefined)
        return redirectToAccount(context, 'link-canceled');
      const { subjectNamespace, ...identity } = await openPendingLink(context, fields.link, session);
      const { userId, grantId } = session;
      const outcome = await context.accountStorage.linkIdentity({
        ...{ userId, session: grantId, identity, subjectNamespace },
        now: context.now(),
      });
      switch (outcome) {
        case 'linked':
          requestContext.log({ event: 'linked', provider: identity.provider });
          return redirectToAccount(context, 'linked');
        // Another user signed in with the identity, or linked it, while the page was open.
        case 'linked-to-other-user':
          return redirectToAccount(context, 'not-linked');
        case 'provider-changed':
          throw callbackError('provider.changed');
        case 'session-ended':
          return redirectToAccount(context, 'session-ended', [clearSessionCookie()]);
      }
    },
  );

/** `POST` that dismisses the notice about one linked identity, in every session. */
export const linkSeenEndpoint = (context: AccountContext): EndpointDefinition =>
  requireSession(context, { name: 'link-seen', fields: ['linked'] }, async ({ fields }, session) => {
    const { identity, others } = await findIdentity(context, session, fields.linked);
    if (!canDismissNotice(identity, session, others)) throw accountError('account.item-not-found');
    const { provider, subject, createdAt: linkedAt } = identity;
    await context.accountStorage.markLinkSeen({ userId: session.userId, provider, subject, linkedAt });
    return seeOther(context.issuer + accountPaths.page, []);
  });

/**
 * Returns whether a session can dismiss the notice about an identity that was added: only if it started later,
 * with another identity. Otherwise, someone who adds an identity of their own in an unattended browser could
 * hide it.
 * @param others the other identities of the user. Without any, every session can dismiss it
 */
export const canDismissNotice = (
  identity: LinkedIdentity,
  session: ActiveSession,
  others: readonly LinkedIdentity[],
): boolean =>
  others.length === 0 ||
  (session.signedInAt > identity.createdAt && !isSameIdentity(identity, session.identity));

export const unlinkEndpoint = (context: AccountContext): EndpointDefinition =>
  requireRecentAuth(
    context,
    { name: 'unlink', fields: ['identity'] },
    async ({ requestContext, fields }, session) => {
      const { userId, identity: current } = session;
      const { accountStorage, now } = context;
      const { identity, others } = await findIdentity(context, session, fields.identity);
      const { provider, subject } = identity;
      // Storage never removes the last identity. An identity whose provider was removed from the
      // configuration can't be used to sign in, so it does not count.
      if (!others.some((other) => context.providers.has(other.provider)))
        return redirectToAccount(context, 'last-identity');
      const outcome = await accountStorage.unlinkIdentity({ userId, provider, subject, now: now() });
      switch (outcome.kind) {
        case 'unknown':
          throw accountError('account.item-not-found');
        case 'last-identity':
          return redirectToAccount(context, 'last-identity');
        case 'unlinked': {
          requestContext.log({ event: 'unlinked', provider });
          if (outcome.token !== undefined)
            await revokeUpstreamTokens(context, requestContext, [outcome.token]);
          return isSameIdentity(identity, current)
            ? redirectToAccount(context, 'session-ended', [clearSessionCookie()])
            : redirectToAccount(context, 'unlinked');
        }
      }
    },
  );

/**
 * Opens the identity that is waiting for confirmation.
 * @throws ProtocolError `link.unreadable`; `session.changed` if it was sealed in another session;
 *   `link.expired`
 */
const openPendingLink = async (
  { sealers, now }: AccountContext,
  sealed: string | undefined,
  { grantId }: ActiveSession,
) => {
  const opened = await sealers.pendingLink.open(sealed ?? '');
  if (opened.kind === 'failed') throw accountError('link.unreadable', { cause: opened.reason });
  const link: PendingLink = opened.value;
  const { session, expiresAt, provider, subjectNamespace, subject, label, ...token } = link;
  const { sealedRefreshToken, tokenIdentifiers } = token;
  if (session !== grantId) throw accountError('session.changed');
  if (now() >= expiresAt) throw accountError('link.expired');
  return {
    ...{ provider, subjectNamespace, subject },
    ...(label !== undefined && { label }),
    ...(sealedRefreshToken !== undefined && { sealedRefreshToken }),
    ...(tokenIdentifiers !== undefined && { tokenIdentifiers }),
  };
};

/**
 * Finds an identity of the user by its opaque key.
 * @throws ProtocolError `account.item-not-found` if the user has no such identity
 */
const findIdentity = async (
  { accountStorage }: AccountContext,
  { userId, grantId }: ActiveSession,
  key: string | undefined,
) => {
  const identities = (await accountStorage.readAccount(userId))?.identities ?? [];
  for (const identity of identities) {
    if ((await deriveIdentityFormKey(identity, grantId)) === key)
      return { identity, others: identities.filter((other) => other !== identity) };
  }
  throw accountError('account.item-not-found');
};

/**
 * Derives the key of an identity in a form. An identity that is unlinked and linked again gets another key, so
 * that a form from an older page has no effect on it.
 */
export const deriveIdentityFormKey = (
  { provider, subject, createdAt }: LinkedIdentity,
  session: string,
): Promise<string> => deriveFormKey(session, provider, subject, createdAt);
