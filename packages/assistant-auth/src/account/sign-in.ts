/** `POST` that leads to a provider, to sign in to the account page or to prove once more who is there. */
import type { EndpointPlan } from '../endpoint/handler.ts';
import { Refusal } from '../oauth/errors.ts';
import type { IdentityProvider } from '../providers/provider.ts';
import { sendToProvider } from '../sign-in/login-transaction.ts';
import { clearSession, forgetSession, useSession } from '../sign-in/session.ts';
import type { AccountContext } from './context.ts';
import { backToAccount, openForm, sessionForm } from './forms.ts';

export const accountSignInEndpoint = (rooms: AccountContext): EndpointPlan =>
  openForm(
    rooms,
    { name: 'account-sign-in', fields: ['choice', 'purpose'] },
    async ({ visit, fields, cookies }, form) => {
      const provider = chosen(rooms, fields.choice);
      if (fields.purpose !== 'prove')
        return sendToProvider(rooms, { kind: 'account', user: undefined }, provider, cookies);
      const session = await useSession(visit.request, rooms);
      if (session === undefined) return backToAccount(rooms, 'session-ended', clearSession(cookies));
      if (session.grantId !== form.session) throw new Refusal('session.changed');
      return sendToProvider(rooms, { kind: 'account', user: session.userId }, provider, cookies);
    },
  );

/** @throws Refusal `consent.choice` */
export const chosen = ({ providers }: AccountContext, choice: string | undefined): IdentityProvider => {
  const provider = providers.get(choice ?? '');
  if (provider === undefined) throw new Refusal('consent.choice');
  return provider;
};

// `POST` that ends this session. Apps stay connected.

export const signOutEndpoint = (rooms: AccountContext): EndpointPlan =>
  sessionForm(rooms, { name: 'sign-out', fields: [] }, async ({ visit }, { grantId }) => {
    await rooms.ledger.revoke({ kind: 'grant', id: grantId }, 'signed out', rooms.now(), 'user');
    visit.log({ event: 'revoked', clientId: rooms.account.id });
    return backToAccount(rooms, 'signed-out', [forgetSession()]);
  });
