/** `POST` of the sign-in page: the person chose a provider, goes on in a session, or cancelled. Only now does anything wait for them. */

import type { Client } from '../clients/client.ts';
import type { BrokerContext } from '../context.ts';
import { createPageDoor } from '../endpoint/error-page.ts';
import type { EndpointPlan, Visit } from '../endpoint/handler.ts';
import { readForm } from '../http/body.ts';
import { readCookies } from '../http/cookies.ts';
import { checkBinding, isFromOwnPage } from '../http/csrf.ts';
import { Refusal } from '../oauth/errors.ts';
import { continueChoice } from '../oauth/identifiers.ts';
import { readParameters } from '../oauth/parameters.ts';
import { sendToProvider } from '../sign-in/login-transaction.ts';
import type { Consent } from '../tokens/sealed-types.ts';
import { showSignInPage } from './authorize.ts';
import { goOn } from './continue-session.ts';
import { answerWithCode, findWayBack, orRedirectBack, sealCode, type WayBack } from './response.ts';

export const consentEndpoint = (rooms: BrokerContext): EndpointPlan => ({
  name: 'consent',
  methods: ['POST'],
  refuse: createPageDoor(rooms),
  async handle(visit) {
    if (!isFromOwnPage(visit.request, rooms.issuer)) throw new Refusal('consent.origin');
    const form = readParameters(await readForm(visit.request), ['consent', 'choice', 'cancel']);
    const cookies = readCookies(visit.request);
    const consent = await openConsent(rooms, form.consent ?? '', cookies);
    const { request } = consent;
    const { client, way } = findWayBack(rooms, request);
    const provider = rooms.providers.get(form.choice ?? '');
    const known = provider !== undefined || form.choice === continueChoice || form.cancel !== undefined;
    if (!known) throw new Refusal('consent.choice');
    return orRedirectBack(way, visit, [], async () => {
      if (form.cancel !== undefined) throw new Refusal('user.cancelled');
      if (provider === undefined) return goOnAs(rooms, visit, consent, client, way);
      return sendToProvider(rooms, { kind: 'authorize', request }, provider, cookies);
    });
  },
});

/** Opens the form's sealed request; another browser's form, even a genuine one, is refused. */
const openConsent = async (
  { vault, now }: Pick<BrokerContext, 'vault' | 'now'>,
  sealed: string,
  cookies: ReadonlyMap<string, string>,
): Promise<Consent> => {
  const opened = await vault.consent.open(sealed);
  if (opened.kind === 'unopened') throw new Refusal('consent.unreadable', { cause: opened.reason });
  const consent = opened.value;
  if (now() >= consent.expiresAt) throw new Refusal('consent.expired');
  switch (await checkBinding(cookies, consent.csrf)) {
    case 'bound':
      return consent;
    case 'other':
      throw new Refusal('consent.foreign');
    // Our own page, shown not long ago: its cookie was not kept.
    case 'none':
      throw new Refusal('consent.no-cookies');
  }
};

const goOnAs = async (
  rooms: BrokerContext,
  visit: Visit,
  { request, session }: Consent,
  client: Client,
  way: WayBack,
): Promise<Response> => {
  const going = await goOn({ ...rooms, log: visit.log }, visit.request, session, client, request);
  if (going.kind === 'stopped') {
    const { redirect } = way;
    const { earlier, cookies } = going;
    return showSignInPage(rooms, { client, redirect, request }, earlier, { request: visit.request, cookies });
  }
  visit.log({ event: 'signed-in', clientId: client.id, redirectUri: way.redirect });
  return answerWithCode(way, await sealCode(rooms, going.grantId, client.id, request), []);
};
