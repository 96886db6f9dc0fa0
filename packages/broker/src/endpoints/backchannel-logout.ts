/** `POST /backchannel-logout/:provider` (OpenID Connect Back-Channel Logout 1.0 §2.5): a person has signed out at their provider. */
import type { EndpointPlan } from '../doors/endpoint.ts';
import { providerAt, receiveSignal, type SignalRooms } from '../doors/signals.ts';
import { readForm } from '../http/form.ts';
import { done, logoutError } from '../http/respond.ts';
import { Refusal } from '../protocol/errors.ts';
import { readParameters } from '../protocol/parameters.ts';

export const backchannelLogoutEndpoint = (rooms: SignalRooms): EndpointPlan => ({
  name: 'backchannel-logout',
  methods: ['POST'],
  refuse: (refusal) => logoutError(refusal),
  async handle(visit) {
    const { id, readLogoutToken } = providerAt(rooms, visit.url);
    if (readLogoutToken === undefined) throw new Refusal('signal.provider');
    const form = readParameters(await readForm(visit.request), ['logout_token']);
    const { logout_token: token } = form;
    if (token === undefined) throw new Refusal('logout-token.missing');
    const outcome = await receiveSignal(rooms, visit, id, () => readLogoutToken(token, rooms.providerIo));
    // By the letter (§2.6) a fault. A sender whose answer was lost learns that what it wanted was done.
    if (outcome === 'replayed') throw new Refusal('signal.replayed');
    // Also for a person who is not known here: nobody learns who is (§2.7).
    return done();
  },
});
