/** `/callback/:provider`: the browser is back from a provider; what for, its journey says. */
import { type EndpointPlan, logRefusal, type Visit } from '../../doors/endpoint.ts';
import { createPageDoor } from '../../doors/page-door.ts';
import { clearCookie, readCookies } from '../../http/cookies.ts';
import { seeOther } from '../../http/respond.ts';
import { keepAlive } from '../../ledger/write-with-retry.ts';
import { sameSecret } from '../../protocol/constant-time.ts';
import { Refusal } from '../../protocol/errors.ts';
import { readParameters } from '../../protocol/parameters.ts';
import type { IdentityProvider } from '../../providers/identity-provider.ts';
import {
  completedErrand,
  completionCookie,
  sendsOurCookies,
  transactionCookie,
} from '../../sign-in/browser-binding.ts';
import { openAnswer, type ReceivedAnswer, sendRound } from '../../sign-in/posted-answer.ts';
import type { Completion, Transaction } from '../../tokens/transaction.ts';
import { showCompleted } from './completed.ts';
import { createDeliveries } from './deliveries.ts';
import type { Return } from './return.ts';
import { type ToAccountRooms, toAccount } from './to-account.ts';
import { type ToClientRooms, toClient } from './to-client.ts';
import { type ToLinkRooms, toLink } from './to-link.ts';

export interface CallbackRooms extends Omit<ToClientRooms & ToAccountRooms & ToLinkRooms, 'deliveries'> {
  readonly providers: ReadonlyMap<string, IdentityProvider>;
}

export const callbackEndpoint = (rooms: CallbackRooms): EndpointPlan => {
  const deliveries = createDeliveries();
  return {
    name: 'callback',
    methods: (url) => methodsOf[providerOf(rooms, url).answersBy],
    refuse: createPageDoor(rooms),
    async handle(visit) {
      const provider = providerOf(rooms, visit.url);
      if (visit.request.method === 'POST')
        return seeOther(await sendRound(visit.request, provider.id, rooms), []);
      const { url: answer, isExpired } = await answerAt(visit.url, provider, rooms);
      const found = await findJourney(rooms, visit.request, answer);
      if (found.journey.provider !== provider.id) throw new Refusal('transaction.provider');
      if (found.kind === 'completed') return sayCompleted(rooms, visit, found.journey);
      if (isExpired) throw new Refusal('answer.expired');
      const { journey, cookie } = found;
      const back = { visit, provider, answer, journey, cookie };
      const work = deliveries.inTurn(journey.state, () => goOnOnce(back, { ...rooms, deliveries }));
      // A browser that disconnects, as at a reload, must not stop a sign-in whose code the provider has already taken.
      return keepAlive({ ...rooms, log: visit.log }, work);
    },
  };
};

/** Completes the login transaction. If it was completed before, shows a page that says so. */
const goOnOnce = async (back: Return, rooms: GoingOnRooms): Promise<Response> => {
  try {
    return await goOnFrom(back, rooms);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    if (error.reason === 'user.limited') {
      rooms.deliveries.rememberRefusal(back.journey.state, error);
      return sayLimited(rooms, back, error);
    }
    if (error.reason !== 'transaction.replayed') throw error;
    const { errand, ...journey } = back.journey;
    return sayCompleted(rooms, back.visit, { ...journey, errand: completedErrand(errand) });
  }
};

/** Also deletes the login transaction: the provider's code was used, so a reload would fail there, and the client would get that error. */
const sayLimited = (rooms: CallbackRooms, { visit, cookie }: Return, refusal: Refusal): Response => {
  logRefusal(refusal, visit);
  const response = createPageDoor(rooms)(refusal, visit);
  response.headers.append('set-cookie', clearCookie(cookie));
  return response;
};

const sayCompleted = (
  rooms: CallbackRooms,
  visit: Visit,
  completion: Pick<Completion, 'errand' | 'grantId'>,
): Promise<Response> => {
  logRefusal(new Refusal('transaction.replayed'), visit);
  return showCompleted(rooms, completion);
};

type GoingOnRooms = ToClientRooms & ToAccountRooms & ToLinkRooms & CallbackRooms;

const goOnFrom = (back: Return, rooms: GoingOnRooms): Promise<Response> => {
  const { errand } = back.journey;
  switch (errand.kind) {
    case 'authorize':
      return toClient(rooms, back, errand.request);
    case 'account':
      return toAccount(rooms, back, errand.user);
    case 'link':
      return toLink(rooms, back, errand);
  }
};

const methodsOf = { query: ['GET'], form_post: ['GET', 'POST'] } as const;

const providerOf = ({ providers, callbackUri }: CallbackRooms, url: URL): IdentityProvider => {
  for (const provider of providers.values()) {
    if (url.origin + url.pathname === callbackUri(provider.id)) return provider;
  }
  throw new Refusal('provider.unknown');
};

/** Takes an answer only in the way that the provider gives it: nothing to be had by moving it from body to query. */
const answerAt = async (
  url: URL,
  provider: IdentityProvider,
  rooms: CallbackRooms,
): Promise<ReceivedAnswer> => {
  switch (provider.answersBy) {
    case 'query':
      return { url, isExpired: false };
    case 'form_post':
      return openAnswer(url, provider.id, rooms);
  }
};

type Found =
  | { readonly kind: 'under-way'; readonly journey: Transaction; readonly cookie: string }
  | { readonly kind: 'completed'; readonly journey: Completion };

/** Finds the login transaction of this browser, open or completed. A `state` from another browser finds nothing. */
const findJourney = async ({ vault, now }: CallbackRooms, request: Request, answer: URL): Promise<Found> => {
  const { state } = readParameters(answer.searchParams, ['state']);
  if (state === undefined) throw new Refusal('transaction.missing');
  const cookies = readCookies(request);
  const cookie = await transactionCookie(state);
  const sealed = cookies.get(cookie);
  if (sealed === undefined) return findCompletion({ vault, now }, cookies, state);
  const opened = await vault.transaction.open(sealed);
  if (opened.kind === 'unopened') throw new Refusal('transaction.unreadable', { cause: opened.reason });
  const journey = opened.value;
  if (now() >= journey.expiresAt) throw new Refusal('transaction.expired');
  // The cookie's name holds only part of the state's digest.
  if (!(await sameSecret(journey.state, state))) throw new Refusal('transaction.missing');
  return { kind: 'under-way', journey, cookie };
};

/** A completion leads only to a page, so the part of the digest in the cookie's name is enough to identify it. */
const findCompletion = async (
  { vault, now }: Pick<CallbackRooms, 'vault' | 'now'>,
  cookies: ReadonlyMap<string, string>,
  state: string,
): Promise<Found> => {
  if (!sendsOurCookies(cookies)) throw new Refusal('transaction.no-cookies');
  const opened = await vault.completion.open(cookies.get(await completionCookie(state)) ?? '');
  if (opened.kind === 'unopened') throw new Refusal('transaction.missing', { cause: opened.reason });
  if (now() >= opened.value.expiresAt) throw new Refusal('transaction.expired');
  return { kind: 'completed', journey: opened.value };
};
