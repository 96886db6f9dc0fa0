/** `/callback/:provider`: the browser is back from a provider; what for, its journey says. */

import { type BrokerContext, paths } from '../context.ts';
import { createPageDoor } from '../endpoint/error-page.ts';
import { type EndpointPlan, logRefusal, type MountedEndpoint, type Visit } from '../endpoint/handler.ts';
import { clearCookie, readCookies } from '../http/cookies.ts';
import { completedPage, seeOther } from '../http/responses.ts';
import { Refusal } from '../oauth/errors.ts';
import type { Identity } from '../oauth/identifiers.ts';
import { readParameters } from '../oauth/parameters.ts';
import { sameSecret } from '../oauth/secrets.ts';
import { type IdentityProvider, ProviderError } from '../providers/provider.ts';
import { LedgerUnavailable } from '../storage/broker-storage.ts';
import { keepAlive } from '../storage/write-with-retry.ts';
import type { Completion, Errand, Transaction } from '../tokens/sealed-types.ts';
import type { CompletedModel } from '../ui/error.ts';
import { createDeliveries, type Deliveries } from './callback-deliveries.ts';
import { openAnswer, type ReceivedAnswer, sendRound } from './form-post.ts';
import {
  callbackUri,
  completedErrand,
  completeTransaction,
  completionCookie,
  legOf,
  sendsOurCookies,
  transactionCookie,
} from './login-transaction.ts';

/** Handles the callback of the login transactions of one purpose. */
export interface CallbackHandler<Kind extends Errand['kind']> {
  /** Completes the transaction and returns the response. */
  readonly complete: (back: Return, errand: Extract<Errand, { readonly kind: Kind }>) => Promise<Response>;
  /**
   * Returns where the page for a repeated callback links to.
   * @throws Refusal if the client or its redirect URI is no longer registered
   */
  readonly destination: (
    errand: Extract<Completion['errand'], { readonly kind: Kind }>,
  ) => CompletedModel['destination'];
}

/** The handlers by purpose. The account page registers its own, so that this folder does not import it. */
export interface CallbackHandlers {
  readonly authorize: CallbackHandler<'authorize'>;
  readonly account?: CallbackHandler<'account'>;
  readonly link?: CallbackHandler<'link'>;
}

/** The account page as an opt-in part of the broker. `accountPages()` creates it. */
export interface AccountFeature {
  readonly endpoints: (context: BrokerContext) => readonly MountedEndpoint[];
  readonly callbacks: (context: BrokerContext) => Pick<CallbackHandlers, 'account' | 'link'>;
}

export const callbackEndpoint = (rooms: BrokerContext, handlers: CallbackHandlers): EndpointPlan => {
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
      if (found.kind === 'completed') return sayCompleted(rooms, handlers, visit, found.journey);
      if (isExpired) throw new Refusal('answer.expired');
      const { journey, cookie } = found;
      const back = { visit, provider, answer, journey, cookie, deliveries };
      const work = deliveries.inTurn(journey.state, () => goOnOnce(back, rooms, handlers));
      // A browser that disconnects, as at a reload, must not stop a sign-in whose code the provider has already taken.
      return keepAlive({ ...rooms, log: visit.log }, work);
    },
  };
};

/** Completes the login transaction. If it was completed before, shows a page that says so. */
const goOnOnce = async (
  back: Return,
  rooms: BrokerContext,
  handlers: CallbackHandlers,
): Promise<Response> => {
  try {
    return await goOnFrom(back, handlers);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    if (error.reason === 'user.limited') {
      back.deliveries.rememberRefusal(back.journey.state, error);
      return sayLimited(rooms, back, error);
    }
    if (error.reason !== 'transaction.replayed') throw error;
    const { errand, ...journey } = back.journey;
    return sayCompleted(rooms, handlers, back.visit, { ...journey, errand: completedErrand(errand) });
  }
};

/** Also deletes the login transaction: the provider's code was used, so a reload would fail there, and the client would get that error. */
const sayLimited = (rooms: BrokerContext, { visit, cookie }: Return, refusal: Refusal): Response => {
  logRefusal(refusal, visit);
  const response = createPageDoor(rooms)(refusal, visit);
  response.headers.append('set-cookie', clearCookie(cookie));
  return response;
};

const sayCompleted = (
  rooms: BrokerContext,
  handlers: CallbackHandlers,
  visit: Visit,
  completion: Pick<Completion, 'errand' | 'grantId'>,
): Promise<Response> => {
  logRefusal(new Refusal('transaction.replayed'), visit);
  return showCompleted(rooms, handlers, completion);
};

const goOnFrom = (back: Return, { authorize, account, link }: CallbackHandlers): Promise<Response> => {
  const { errand } = back.journey;
  switch (errand.kind) {
    case 'authorize':
      return authorize.complete(back, errand);
    case 'account':
      return handlerOf(account).complete(back, errand);
    case 'link':
      return handlerOf(link).complete(back, errand);
  }
};

/** A transaction of the account page can come back after the page was removed from the configuration. */
const handlerOf = <Handler>(handler: Handler | undefined): Handler => {
  if (handler === undefined) throw new Refusal('transaction.missing');
  return handler;
};

const methodsOf = { query: ['GET'], form_post: ['GET', 'POST'] } as const;

const providerOf = (
  { providers, issuer }: Pick<BrokerContext, 'providers' | 'issuer'>,
  url: URL,
): IdentityProvider => {
  for (const provider of providers.values()) {
    if (url.origin + url.pathname === callbackUri(issuer, provider.id)) return provider;
  }
  throw new Refusal('provider.unknown');
};

/** Takes an answer only in the way that the provider gives it: nothing to be had by moving it from body to query. */
const answerAt = async (
  url: URL,
  provider: IdentityProvider,
  rooms: Pick<BrokerContext, 'vault' | 'now'>,
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
const findJourney = async (
  { vault, now }: Pick<BrokerContext, 'vault' | 'now'>,
  request: Request,
  answer: URL,
): Promise<Found> => {
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
  { vault, now }: Pick<BrokerContext, 'vault' | 'now'>,
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
  readonly deliveries: Deliveries;
}

type IdentityContext = Pick<BrokerContext, 'issuer' | 'ledger' | 'providerIo'>;

/**
 * Verifies the provider's response, unless the callback was handled before. The broker looks up the grant before it sends the code to
 * the provider, which accepts a code only once, and again if the exchange fails: another delivery of the callback may have been faster.
 * @throws Refusal `transaction.replayed`, or `transaction.status` if storage is unavailable: the client gets neither
 * @throws ProviderError for every response that identifies nobody
 */
export const identifyOnce = async (
  rooms: IdentityContext,
  { provider, answer, journey, deliveries }: Return,
): Promise<Identity> => {
  await refuseReplay(rooms, journey, deliveries);
  try {
    return await provider.identify(answer, legOf(journey, rooms.issuer), rooms.providerIo);
  } catch (error) {
    await refuseReplay(rooms, journey, deliveries);
    throw error;
  }
};

const refuseReplay = async (
  { ledger }: Pick<BrokerContext, 'ledger'>,
  { errand, grantId, state }: Transaction,
  deliveries: Deliveries,
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
export const identityOf = async (rooms: IdentityContext, back: Return): Promise<Identity | undefined> => {
  try {
    return await identifyOnce(rooms, back);
  } catch (error) {
    if (error instanceof ProviderError && error.kind === 'denied') return undefined;
    throw error;
  }
};

/** Returns the `Set-Cookie` values that let the broker recognize the callback if it arrives again. */
export const completedBy = (
  { vault, now }: Pick<BrokerContext, 'vault' | 'now'>,
  { visit, journey }: Return,
): Promise<readonly string[]> => completeTransaction(journey, readCookies(visit.request), vault, now());

// Shows the page for a callback that arrives again after it was handled. The client gets no second response: it would replace the first.

const showCompleted = async (
  rooms: BrokerContext,
  handlers: CallbackHandlers,
  { errand, grantId }: Pick<Completion, 'errand' | 'grantId'>,
): Promise<Response> => {
  const { branding, pages } = rooms;
  const destination = destinationOf(handlers, errand);
  const outcome = errand.kind === 'link' ? 'linked' : await outcomeOf(rooms, grantId);
  return completedPage(pages.completed({ branding, stylesheetPath: paths.stylesheet, outcome, destination }));
};

const outcomeOf = async (
  { ledger }: Pick<BrokerContext, 'ledger'>,
  grantId: string,
): Promise<CompletedModel['outcome']> =>
  (await ledger.grantStatus(grantId)) === 'active' ? 'signed-in' : 'ended';

const destinationOf = (
  { authorize, account, link }: CallbackHandlers,
  errand: Completion['errand'],
): CompletedModel['destination'] => {
  switch (errand.kind) {
    case 'authorize':
      return authorize.destination(errand);
    case 'account':
      return handlerOf(account).destination(errand);
    case 'link':
      return handlerOf(link).destination(errand);
  }
};
