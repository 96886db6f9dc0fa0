/** `/callback/:provider`: the browser is back from a provider; what for, its journey says. */

import { type ToAccountRooms, type ToLinkRooms, toAccount, toLink } from '../account/complete.ts';
import { type ToClientRooms, toClient } from '../authorization/complete.ts';
import { findWayBack } from '../authorization/response.ts';
import { createPageDoor } from '../endpoint/error-page.ts';
import { type EndpointPlan, logRefusal, type Visit } from '../endpoint/handler.ts';
import { clearCookie, readCookies } from '../http/cookies.ts';
import { completedPage, seeOther } from '../http/responses.ts';
import { Refusal } from '../oauth/errors.ts';
import type { Identity } from '../oauth/identifiers.ts';
import { readParameters } from '../oauth/parameters.ts';
import { sameSecret } from '../oauth/secrets.ts';
import type { Clock } from '../oauth/time.ts';
import { type IdentityProvider, ProviderError, type ProviderIo } from '../providers/provider.ts';
import { type Ledger, LedgerUnavailable } from '../storage/broker-storage.ts';
import { keepAlive } from '../storage/write-with-retry.ts';
import type { Completion, Transaction } from '../tokens/sealed-types.ts';
import type { Vault } from '../tokens/sealers.ts';
import type { CompletedModel } from '../ui/error.ts';
import { createDeliveries, type Deliveries } from './callback-deliveries.ts';
import { openAnswer, type ReceivedAnswer, sendRound } from './form-post.ts';
import {
  completedErrand,
  completeTransaction,
  completionCookie,
  legOf,
  sendsOurCookies,
  transactionCookie,
} from './login-transaction.ts';

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

// A browser that is back from a provider, in a journey that was found to be its own.

export interface Return {
  readonly visit: Visit;
  readonly provider: IdentityProvider;
  /** The callback URL with the provider's parameters, however they came. */
  readonly answer: URL;
  readonly journey: Transaction;
  /** The name of the cookie that kept the journey. */
  readonly cookie: string;
}

export interface LegRooms {
  readonly ledger: Ledger;
  readonly providerIo: ProviderIo;
  /** The broker's callback for a provider. */
  readonly callbackUri: (provider: string) => string;
  readonly deliveries: Deliveries;
}

/**
 * Verifies the provider's response, unless the callback was handled before. The broker looks up the grant before it sends the code to
 * the provider, which accepts a code only once, and again if the exchange fails: another delivery of the callback may have been faster.
 * @throws Refusal `transaction.replayed`, or `transaction.status` if storage is unavailable: the client gets neither
 * @throws ProviderError for every response that identifies nobody
 */
export const identifyOnce = async (
  rooms: LegRooms,
  { provider, answer, journey }: Return,
): Promise<Identity> => {
  await refuseReplay(rooms, journey);
  try {
    return await provider.identify(answer, legOf(journey, rooms.callbackUri), rooms.providerIo);
  } catch (error) {
    await refuseReplay(rooms, journey);
    throw error;
  }
};

const refuseReplay = async (
  { ledger, deliveries }: LegRooms,
  { errand, grantId, state }: Transaction,
): Promise<void> => {
  const refusal = deliveries.refusalOf(state);
  if (refusal !== undefined) throw refusal;
  // A link has no grant.
  const isReplay =
    errand.kind === 'link'
      ? deliveries.wasHandled(state)
      : (await orOnPage(ledger.grantStatus(grantId))) !== 'unknown';
  if (isReplay) throw new Refusal('transaction.replayed');
};

/**
 * Asks storage what became of a sign-in.
 * @throws Refusal `transaction.status` if storage is unavailable, so that a reload can finish the sign-in
 */
export const orOnPage = async <Answer>(question: Promise<Answer>): Promise<Answer> => {
  try {
    return await question;
  } catch (cause) {
    if (cause instanceof LedgerUnavailable) throw new Refusal('transaction.status', { cause });
    throw cause;
  }
};

/**
 * The same where no client waits for the person.
 * @returns `undefined` for a person who refused at the provider
 */
export const identityOf = async (rooms: LegRooms, back: Return): Promise<Identity | undefined> => {
  try {
    return await identifyOnce(rooms, back);
  } catch (error) {
    if (error instanceof ProviderError && error.kind === 'denied') return undefined;
    throw error;
  }
};

/** Returns the `Set-Cookie` values that let the broker recognize the callback if it arrives again. */
export const completedBy = (
  { vault, now }: { readonly vault: Vault; readonly now: Clock },
  { visit, journey }: Return,
): Promise<readonly string[]> => completeTransaction(journey, readCookies(visit.request), vault, now());

// Shows the page for a callback that arrives again after it was handled. The client gets no second response: it would replace the first.

type CompletedRooms = Pick<ToClientRooms & ToAccountRooms, 'ledger' | 'registry' | 'issuer' | 'accountPath'> &
  Pick<ToClientRooms, 'pages' | 'branding' | 'stylesheetPath'>;

/** @throws Refusal if the client or its redirect URI is no longer registered */
export const showCompleted = async (
  rooms: CompletedRooms,
  { errand, grantId }: Pick<Completion, 'errand' | 'grantId'>,
): Promise<Response> => {
  const { branding, stylesheetPath, pages } = rooms;
  const destination = destinationOf(rooms, errand);
  const outcome = errand.kind === 'link' ? 'linked' : await outcomeOf(rooms, grantId);
  return completedPage(pages.completed({ branding, stylesheetPath, outcome, destination }));
};

const outcomeOf = async ({ ledger }: CompletedRooms, grantId: string): Promise<CompletedModel['outcome']> =>
  (await ledger.grantStatus(grantId)) === 'active' ? 'signed-in' : 'ended';

const destinationOf = (
  rooms: CompletedRooms,
  errand: Completion['errand'],
): CompletedModel['destination'] => {
  switch (errand.kind) {
    case 'authorize': {
      const { client, way } = findWayBack(rooms, { ...errand, state: undefined });
      const url = websiteOf(way.redirect);
      return { kind: 'client', name: client.name, ...(url !== undefined && { url }) };
    }
    case 'account':
    case 'link':
      return { kind: 'account', url: rooms.accountPath };
  }
};

/** The origin of the redirect URI, never the URI itself. Private-use schemes and loopback addresses belong to apps, not websites. */
const websiteOf = (redirect: string): string | undefined => {
  const { protocol, origin } = new URL(redirect);
  return protocol === 'https:' ? `${origin}/` : undefined;
};
