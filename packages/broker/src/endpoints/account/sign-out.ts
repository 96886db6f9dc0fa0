/** `POST` that ends this session. Apps stay connected. */
import type { EndpointPlan } from '../../doors/endpoint.ts';
import { forgetSession } from '../../sign-in/session.ts';
import { backToAccount, sessionForm } from './form.ts';
import type { AccountRooms } from './rooms.ts';

export const signOutEndpoint = (rooms: AccountRooms): EndpointPlan =>
  sessionForm(rooms, { name: 'sign-out', fields: [] }, async ({ visit }, { grantId }) => {
    await rooms.ledger.revoke({ kind: 'grant', id: grantId }, 'signed out', rooms.now(), 'user');
    visit.log({ event: 'revoked', clientId: rooms.account.id });
    return backToAccount(rooms, 'signed-out', [forgetSession()]);
  });
