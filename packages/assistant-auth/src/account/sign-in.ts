/** `POST` that leads to a provider, to sign in to the account page or to prove once more who is there. */
import type { EndpointDefinition } from '../endpoint/handler.ts';
import { ProtocolError } from '../oauth/errors.ts';
import type { IdentityProvider } from '../providers/provider.ts';
import { redirectToProvider } from '../sign-in/login-transaction.ts';
import { clearSentSessionCookie, clearSessionCookie, useSession } from '../sign-in/session.ts';
import type { AccountContext } from './context.ts';
import { defineForm, redirectToAccount, requireSession } from './forms.ts';

export const accountSignInEndpoint = (context: AccountContext): EndpointDefinition =>
  defineForm(
    context,
    { name: 'account-sign-in', fields: ['choice', 'purpose'] },
    async ({ requestContext, fields, cookies }, form) => {
      const provider = resolveChosenProvider(context, fields.choice);
      if (fields.purpose !== 'prove')
        return redirectToProvider(context, { kind: 'account', user: undefined }, provider, cookies);
      const session = await useSession(requestContext.request, context);
      if (session === undefined)
        return redirectToAccount(context, 'session-ended', clearSentSessionCookie(cookies));
      if (session.grantId !== form.session) throw new ProtocolError('session.changed');
      return redirectToProvider(context, { kind: 'account', user: session.userId }, provider, cookies);
    },
  );

/** @throws ProtocolError `consent.choice` */
export const resolveChosenProvider = (
  { providers }: AccountContext,
  choice: string | undefined,
): IdentityProvider => {
  const provider = providers.get(choice ?? '');
  if (provider === undefined) throw new ProtocolError('consent.choice');
  return provider;
};

// `POST` that ends this session. Apps stay connected.

export const signOutEndpoint = (context: AccountContext): EndpointDefinition =>
  requireSession(context, { name: 'sign-out', fields: [] }, async ({ requestContext }, { grantId }) => {
    await context.storage.revoke({ kind: 'grant', id: grantId }, 'signed out', context.now(), 'user');
    requestContext.log({ event: 'revoked', clientId: context.account.id });
    return redirectToAccount(context, 'signed-out', [clearSessionCookie()]);
  });
