/** Back from the provider on a client's behalf: its word becomes an identity, a user and a grant, and the client gets its code. */

import type { Client } from '../clients/client.ts';
import type { BrokerContext } from '../context.ts';
import { clearCookie, readCookies } from '../http/cookies.ts';
import { seeOther } from '../http/responses.ts';
import { Refusal } from '../oauth/errors.ts';
import type { Identity } from '../oauth/identifiers.ts';
import {
  type CallbackHandler,
  completedBy,
  identifyOnce,
  orOnPage,
  type Return,
} from '../sign-in/callback.ts';
import { recordWithinLimits, signInOf } from '../sign-in/resolve-user.ts';
import type { AuthorizationRequest } from '../tokens/sealed-types.ts';
import { beginSecondLeg, endSecondLeg } from './reconsent.ts';
import { answerWithCode, findWayBack, orRedirectBack, sealCode } from './response.ts';

/** Completes an authorization request at the callback. */
export const authorizationCallback = (rooms: BrokerContext): CallbackHandler<'authorize'> => ({
  complete: (back, { request }) => toClient(rooms, back, request),
  destination({ clientId, redirectUri }) {
    const { client, way } = findWayBack(rooms, { clientId, redirectUri, state: undefined });
    const url = websiteOf(way.redirect);
    return { kind: 'client', name: client.name, ...(url !== undefined && { url }) };
  },
});

const toClient = async (
  rooms: BrokerContext,
  back: Return,
  request: AuthorizationRequest,
): Promise<Response> => {
  const { visit, provider, answer, journey, cookie } = back;
  const { client, way } = findWayBack(rooms, request);
  const code = () => sealCode(rooms, journey.grantId, client.id, request);
  return orRedirectBack(way, visit, [clearCookie(cookie)], async () => {
    const legRooms = { ...rooms, log: visit.log };
    if (journey.signedIn !== undefined) {
      const { grantId } = journey;
      const claim = await orOnPage(rooms.ledger.claimCode({ grantId, now: rooms.now() }));
      if (claim !== 'claimed') throw new Refusal('transaction.replayed');
      await endSecondLeg(legRooms, journey, provider, answer);
      return answerWithCode(way, await code(), await completedBy(rooms, back));
    }
    const identity = await identifyOnce(rooms, back);
    const watched = await recordSignIn(rooms, journey.grantId, request, client, identity);
    visit.log({
      event: 'signed-in',
      clientId: client.id,
      provider: provider.id,
      redirectUri: way.redirect,
    });
    const completed = await completedBy(rooms, back);
    const others = new Map(readCookies(visit.request));
    others.delete(cookie);
    const again = watched
      ? undefined
      : await beginSecondLeg(legRooms, provider, { journey, identity, cookies: others });
    if (again !== undefined) return seeOther(again.url.href, [...completed, ...again.cookies]);
    return answerWithCode(way, await code(), completed);
  });
};

/** Stores user, identity and grant in one round trip; tells whether the provider can be asked about the person later. */
const recordSignIn = async (
  rooms: BrokerContext,
  id: string,
  { redirectUri, scopes, resource }: AuthorizationRequest,
  client: Client,
  identity: Identity,
): Promise<boolean> => {
  const signIn = await signInOf(rooms, { id, redirectUri, scopes, resource }, client, identity);
  const outcome = await recordWithinLimits(rooms.ledger, signIn);
  if (outcome.kind !== 'recorded') throw new Refusal('transaction.replayed');
  return outcome.watched;
};

/** The origin of the redirect URI, never the URI itself. Private-use schemes and loopback addresses belong to apps, not websites. */
const websiteOf = (redirect: string): string | undefined => {
  const { protocol, origin } = new URL(redirect);
  return protocol === 'https:' ? `${origin}/` : undefined;
};
