/** `/callback/:provider`: the browser is back from a provider; what for, its journey says. */
import type { EndpointPlan } from '../../doors/endpoint.ts';
import { createPageDoor } from '../../doors/page-door.ts';
import { readCookies } from '../../http/cookies.ts';
import { seeOther } from '../../http/respond.ts';
import { sameSecret } from '../../protocol/constant-time.ts';
import { Refusal } from '../../protocol/errors.ts';
import { readParameters } from '../../protocol/parameters.ts';
import type { IdentityProvider } from '../../providers/identity-provider.ts';
import { transactionCookie } from '../../sign-in/browser-binding.ts';
import { openAnswer, sendRound } from '../../sign-in/posted-answer.ts';
import type { Transaction } from '../../tokens/transaction.ts';
import type { Return } from './return.ts';
import { type ToAccountRooms, toAccount } from './to-account.ts';
import { type ToClientRooms, toClient } from './to-client.ts';
import { type ToLinkRooms, toLink } from './to-link.ts';

export interface CallbackRooms extends ToClientRooms, ToAccountRooms, ToLinkRooms {
  readonly providers: ReadonlyMap<string, IdentityProvider>;
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
    return goOnFrom({ visit, provider, answer, journey, cookie }, rooms);
  },
});

const goOnFrom = (back: Return, rooms: CallbackRooms): Promise<Response> => {
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
