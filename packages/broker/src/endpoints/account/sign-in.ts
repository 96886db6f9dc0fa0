/** `POST` that leads to a provider, to sign in to the account page or to prove once more who is there. */
import type { EndpointPlan } from '../../doors/endpoint.ts';
import { Refusal } from '../../protocol/errors.ts';
import type { IdentityProvider } from '../../providers/identity-provider.ts';
import { clearSession, useSession } from '../../sign-in/session.ts';
import { sendToProvider } from '../authorization/sending.ts';
import { backToAccount, openForm } from './form.ts';
import type { AccountRooms } from './rooms.ts';

export const accountSignInEndpoint = (rooms: AccountRooms): EndpointPlan =>
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
export const chosen = ({ providers }: AccountRooms, choice: string | undefined): IdentityProvider => {
  const provider = providers.get(choice ?? '');
  if (provider === undefined) throw new Refusal('consent.choice');
  return provider;
};
