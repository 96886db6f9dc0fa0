/** `/callback/:provider`: the provider's word becomes an identity, a user and a grant, and the client gets its code. */
import type { Client } from '../clients/client.ts';
import type { Registry } from '../clients/registry.ts';
import type { EndpointPlan } from '../doors/endpoint.ts';
import { createPageDoor, type PageSurroundings } from '../doors/page-door.ts';
import { answerWithCode, findWayBack, orRedirectBack } from '../doors/redirect-back.ts';
import { clearCookie, readCookies } from '../http/cookies.ts';
import { seeOther } from '../http/respond.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { sameSecret } from '../protocol/constant-time.ts';
import { Refusal } from '../protocol/errors.ts';
import type { Identity } from '../protocol/identity.ts';
import type { Issuer } from '../protocol/origin.ts';
import { readParameters } from '../protocol/parameters.ts';
import type { RandomBytes } from '../protocol/random.ts';
import type { Clock } from '../protocol/time.ts';
import type { IdentityProvider, ProviderIo } from '../providers/identity-provider.ts';
import { type Admit, signInOf } from '../sign-in/admission.ts';
import { transactionCookie } from '../sign-in/browser-binding.ts';
import { legOf } from '../sign-in/journey.ts';
import { openAnswer, sendRound } from '../sign-in/posted-answer.ts';
import { beginSecondLeg, endSecondLeg } from '../sign-in/second-leg.ts';
import type { Lifetimes } from '../tokens/lifetimes.ts';
import type { Transaction } from '../tokens/transaction.ts';
import type { Vault } from '../tokens/vault.ts';

export interface CallbackRooms extends PageSurroundings {
  readonly issuer: Issuer;
  readonly registry: Registry;
  readonly vault: Vault;
  readonly lifetimes: Lifetimes;
  readonly ledger: Ledger;
  readonly providers: ReadonlyMap<string, IdentityProvider>;
  readonly providerIo: ProviderIo;
  readonly callbackUri: (provider: string) => string;
  readonly admit: Admit;
  readonly now: Clock;
  readonly randomBytes: RandomBytes;
}

export const callbackEndpoint = (rooms: CallbackRooms): EndpointPlan => ({
  name: 'callback',
  methods: (url) => methodsOf[providerOf(rooms, url).answersBy],
  refuse: createPageDoor(rooms),
  async handle(visit) {
    const provider = providerOf(rooms, visit.url);
    if (visit.request.method === 'POST')
      return seeOther(await sendRound(visit.request, provider.id, rooms), []);
    const answer = await answerAt(visit.url, provider, rooms);
    const { journey, cookie } = await findJourney(rooms, visit.request, answer);
    if (journey.provider !== provider.id) throw new Refusal('transaction.provider');
    const { client, way } = findWayBack(rooms, journey.request);
    const cookies = [clearCookie(cookie)];
    return orRedirectBack(way, visit, cookies, async () => {
      const legRooms = { ...rooms, log: visit.log };
      if (journey.signedIn !== undefined) {
        await endSecondLeg(legRooms, journey, provider, answer);
        return answerWithCode(way, await sealCode(rooms, journey, client), cookies);
      }
      const leg = legOf(journey, rooms.callbackUri);
      const identity = await provider.identify(answer, leg, rooms.providerIo);
      const watched = await recordSignIn(rooms, journey, client, identity);
      visit.log({
        event: 'signed-in',
        clientId: client.id,
        provider: provider.id,
        redirectUri: way.redirect,
      });
      const first = { journey, identity, cookies: readCookies(visit.request) };
      const again = watched ? undefined : await beginSecondLeg(legRooms, provider, first);
      if (again !== undefined) return seeOther(again.url.href, [...cookies, ...again.cookies]);
      return answerWithCode(way, await sealCode(rooms, journey, client), cookies);
    });
  },
});

const methodsOf = { query: ['GET'], form_post: ['GET', 'POST'] } as const;

const providerOf = ({ providers, callbackUri }: CallbackRooms, url: URL): IdentityProvider => {
  for (const provider of providers.values()) {
    if (url.origin + url.pathname === callbackUri(provider.id)) return provider;
  }
  throw new Refusal('provider.unknown');
};

/** Takes an answer only in the way that the provider gives it: nothing to be had by moving it from body to query. */
const answerAt = async (url: URL, provider: IdentityProvider, rooms: CallbackRooms): Promise<URL> => {
  switch (provider.answersBy) {
    case 'query':
      return url;
    case 'form_post':
      return openAnswer(url, provider.id, rooms);
  }
};

/** Finds what this browser is waiting for; a `state` that another browser began finds nothing here. */
const findJourney = async (
  { vault, now }: CallbackRooms,
  request: Request,
  answer: URL,
): Promise<{ readonly journey: Transaction; readonly cookie: string }> => {
  const { state } = readParameters(answer.searchParams, ['state']);
  const cookie = await transactionCookie(state ?? '');
  const sealed = readCookies(request).get(cookie);
  if (state === undefined || sealed === undefined) throw new Refusal('transaction.missing');
  const opened = await vault.transaction.open(sealed);
  if (opened.kind === 'unopened') throw new Refusal('transaction.unreadable', { cause: opened.reason });
  const journey = opened.value;
  if (now() >= journey.expiresAt) throw new Refusal('transaction.expired');
  // The cookie's name holds only part of the state's digest.
  if (!(await sameSecret(journey.state, state))) throw new Refusal('transaction.missing');
  return { journey, cookie };
};

/** Stores user, identity and grant in one round trip; tells whether the provider can be asked about the person later. */
const recordSignIn = async (
  rooms: CallbackRooms,
  journey: Transaction,
  client: Client,
  identity: Identity,
): Promise<boolean> => {
  const outcome = await rooms.ledger.recordSignIn(await signInOf(rooms, journey, client, identity));
  if (outcome.kind !== 'recorded') throw new Refusal('transaction.replayed');
  return outcome.watched;
};

const sealCode = (
  { vault, now, lifetimes }: CallbackRooms,
  { request, grantId }: Transaction,
  client: Client,
): Promise<string> =>
  vault.code.seal({
    grantId,
    clientId: client.id,
    redirectUri: request.redirectUri,
    resource: request.resource,
    codeChallenge: request.codeChallenge,
    expiresAt: now() + lifetimes.code,
  });
