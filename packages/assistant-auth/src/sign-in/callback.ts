/**
 * `GET` or `POST /callback/:provider`: finds the login transaction by its `state` and completes it according
 * to its purpose (RFC 6749 §4.1.2). If the callback was handled before, shows a page and sends the client
 * nothing.
 */

import { type BrokerContext, type Pages, paths, type Sessions } from '../context.ts';
import { createErrorPageResponder } from '../endpoint/error-page.ts';
import {
  type EndpointDefinition,
  keepAlive,
  logPageFailure,
  logProtocolError,
  type MountedEndpoint,
  type RequestContext,
  toProtocolError,
} from '../endpoint/handler.ts';
import { readCookies } from '../http/request.ts';
import { completedPageResponse, seeOther } from '../http/responses.ts';
import type { Identity } from '../oauth/identifiers.ts';
import { callbackError, type ProtocolError, restoreError } from '../oauth/protocol-error.ts';
import { createIdentity } from '../providers/identity.ts';
import { type AdminConsent, type IdentityProvider, ProviderError } from '../providers/provider.ts';
import { type BrokerStorage, StorageUnavailable } from '../storage/broker-storage.ts';
import type { Completion, Transaction, TransactionPurpose } from '../tokens/sealed-types.ts';
import type { CompletedModel } from '../ui/error.ts';
import type { Texts } from '../ui/texts.ts';
import { openFormPost, type ProviderResponse, redirectFormPost } from './form-post.ts';
import {
  buildUpstreamRequest,
  callbackUri,
  completeTransaction,
  createReplayGuard,
  findTransaction,
  type ReplayGuard,
  toCompletedPurpose,
} from './login-transaction.ts';

/** Handles the callback of the login transactions of one purpose. */
export interface CallbackHandler<Kind extends TransactionPurpose['kind']> {
  /** Completes the transaction and returns the response. */
  readonly complete: (
    callback: CallbackContext,
    purpose: Extract<TransactionPurpose, { readonly kind: Kind }>,
  ) => Promise<Response>;
  /**
   * Returns where the page for a repeated callback links to.
   * @param failure why the callback failed. Default: it did not
   * @throws ProtocolError if the client or its redirect URI is no longer registered
   */
  readonly destination: (
    purpose: Extract<Completion['purpose'], { readonly kind: Kind }>,
    failure?: ProtocolError,
  ) => Promise<CompletedModel['destination']>;
}

/** The handlers by purpose. The account page registers its own, so that this folder does not import it. */
export interface CallbackHandlers {
  readonly authorize: CallbackHandler<'authorize'>;
  readonly account?: CallbackHandler<'account'>;
  readonly link?: CallbackHandler<'link'>;
}

/** The account page as an opt-in part of the broker. `accountPages()` creates it. */
export interface AccountFeature {
  /** Always `account-pages`. */
  readonly kind: 'account-pages';
  /**
   * The English texts of its pages.
   * @internal
   */
  readonly texts: Partial<Texts>;
  /**
   * The pages that replace those of a broker without an account page. The option `pages` can replace them.
   * @internal
   */
  readonly pages: Pick<Pages, 'signIn'>;
  /**
   * The CSS that its pages need besides that of the other pages.
   * @internal
   */
  readonly stylesheet: string;
  /**
   * Lets the sign-in page offer to continue in a session.
   * @throws ConfigurationError `storage` if it does not have the methods that the account page calls
   * @internal
   */
  readonly createSessions: (storage: BrokerStorage) => Sessions;
  /**
   * Returns the endpoints, each with its path.
   * @internal
   */
  readonly endpoints: (context: BrokerContext) => readonly MountedEndpoint[];
  /**
   * Returns the handlers that complete its login transactions at the callback.
   * @internal
   */
  readonly callbacks: (context: BrokerContext) => Pick<CallbackHandlers, 'account' | 'link'>;
}

export const callbackEndpoint = (context: BrokerContext, handlers: CallbackHandlers): EndpointDefinition => {
  const replayGuard = createReplayGuard();
  return {
    name: 'callback',
    methods: (url) => methodsByResponseMode[findProviderByUrl(context, url).responseMode],
    respondToError: createErrorPageResponder(context),
    async findOwner({ request }) {
      // The browser sends no cookies with a form post. It reads no storage, and redirects to a GET request.
      if (request.method === 'POST') return undefined;
      const url = new URL(request.url);
      const { url: responseUrl } = await readProviderResponse(url, findProviderByUrl(context, url), context);
      const { transaction } = await findTransaction(context, request, responseUrl);
      return transaction.grantId;
    },
    async handle(requestContext) {
      const url = new URL(requestContext.request.url);
      const provider = findProviderByUrl(context, url);
      if (requestContext.request.method === 'POST')
        return seeOther(await redirectFormPost(requestContext.request, provider.id, context), []);
      const { url: responseUrl, isExpired } = await readProviderResponse(url, provider, context);
      const adminConsent = provider.readAdminConsent?.(responseUrl);
      if (adminConsent !== undefined)
        return showAdminConsent(context, handlers, requestContext, responseUrl, adminConsent);
      const found = await findTransaction(context, requestContext.request, responseUrl);
      if (found.transaction.provider !== provider.id) throw callbackError('transaction.provider');
      if (found.kind === 'completed')
        return respondCompleted(
          context,
          handlers,
          requestContext,
          found.transaction,
          restoreError(found.transaction.failure, found.transaction.refusal),
        );
      if (isExpired) throw callbackError('form-post.expired');
      const { transaction, cookie } = found;
      const callback = { requestContext, provider, responseUrl, transaction, cookie, replayGuard };
      const work = replayGuard.runInTurn(transaction.state, () => completeOnce(callback, context, handlers));
      // A browser that disconnects, for example when the user reloads the page, must not stop a sign-in whose
      // code was already exchanged at the provider.
      return keepAlive(requestContext, work);
    },
  };
};

/** Completes the login transaction. If it was completed before, shows the page for a repeated callback. */
const completeOnce = async (
  callback: CallbackContext,
  context: BrokerContext,
  handlers: CallbackHandlers,
): Promise<Response> => {
  const { requestContext, transaction, replayGuard } = callback;
  const { grantId } = transaction;
  const purpose = toCompletedPurpose(transaction.purpose);
  const showEarlier = (failure: ProtocolError | undefined) =>
    respondCompleted(context, handlers, requestContext, { grantId, purpose }, failure);
  const earlierError = replayGuard.findError(transaction.state);
  if (earlierError !== undefined) return showEarlier(earlierError);
  try {
    return await completeByPurpose(callback, handlers);
  } catch (error) {
    const protocolError = toProtocolError(error);
    if (protocolError.reason === 'transaction.replayed') return showEarlier(undefined);
    if (!finalReasons.test(protocolError.reason)) throw error;
    logProtocolError(protocolError, requestContext);
    const cookies = await failTransaction(context, callback, protocolError);
    return showFailure(context, handlers, requestContext, purpose, protocolError, cookies);
  }
};

/**
 * The reasons that end a login transaction, because the provider's code may have been used: a reload would
 * fail at the provider, and hide the real reason.
 */
const finalReasons = /^(provider|resolve-user|user|storage)\.|^unexpected$/;

/**
 * Remembers why a callback failed, so that a repeated callback shows the reason.
 * @returns the `Set-Cookie` values that end the login transaction
 */
export const failTransaction = (
  context: Pick<BrokerContext, 'sealers' | 'now'>,
  callback: CallbackContext,
  protocolError: ProtocolError,
): Promise<readonly string[]> => {
  callback.replayGuard.rememberError(callback.transaction.state, protocolError);
  return buildCompletionCookies(context, callback, protocolError);
};

/**
 * Shows the page for a repeated callback.
 * @param failure the error of the earlier callback. If the sign-in was recorded nevertheless, for example by
 *   another delivery of the callback, the page says that instead
 */
const respondCompleted = async (
  context: BrokerContext,
  handlers: CallbackHandlers,
  requestContext: RequestContext,
  completion: Pick<Completion, 'purpose' | 'grantId'>,
  failure: ProtocolError | undefined,
): Promise<Response> => {
  const response =
    failure === undefined || (await isRecorded(context, completion.grantId))
      ? await showCompleted(context, handlers, requestContext, completion)
      : await showFailure(context, handlers, requestContext, completion.purpose, failure);
  // Afterward, because an error of these functions is logged too, and its response is sent instead.
  logProtocolError(callbackError('transaction.replayed', { cause: failure }), requestContext);
  return response;
};

/** Without storage, the error of the earlier callback is all that is known. */
const isRecorded = async ({ storage }: BrokerContext, grantId: string): Promise<boolean> => {
  try {
    return (await storage.readGrantStatus(grantId)) !== 'unknown';
  } catch (error) {
    if (error instanceof StorageUnavailable) return false;
    throw error;
  }
};

/** Shows an error that ended a login transaction, and where to start again. */
const showFailure = async (
  context: BrokerContext,
  handlers: CallbackHandlers,
  requestContext: RequestContext,
  purpose: Completion['purpose'],
  protocolError: ProtocolError,
  cookies?: readonly string[],
): Promise<Response> =>
  createErrorPageResponder(context)(
    protocolError,
    requestContext,
    await findDestination(requestContext, () => resolveDestination(handlers, purpose, protocolError)),
    cookies,
  );

/** Returns `undefined` if there is none: the page is about something else. */
const findDestination = async (
  requestContext: RequestContext,
  find: () => Promise<CompletedModel['destination']>,
): Promise<CompletedModel['destination'] | undefined> => {
  try {
    return await find();
  } catch (error) {
    logPageFailure(error, requestContext);
    return undefined;
  }
};

const completeByPurpose = (
  callback: CallbackContext,
  { authorize, account, link }: CallbackHandlers,
): Promise<Response> => {
  const { purpose } = callback.transaction;
  switch (purpose.kind) {
    case 'authorize':
      return authorize.complete(callback, purpose);
    case 'account':
      return requireHandler(account).complete(callback, purpose);
    case 'link':
      return requireHandler(link).complete(callback, purpose);
  }
};

/** A callback for the account page can arrive after the page was removed from the configuration. */
const requireHandler = <Handler>(handler: Handler | undefined): Handler => {
  if (handler === undefined) throw callbackError('transaction.account-removed');
  return handler;
};

const methodsByResponseMode = { query: ['GET'], form_post: ['GET', 'POST'] } as const;

const findProviderByUrl = (
  { providers, issuer }: Pick<BrokerContext, 'providers' | 'issuer'>,
  url: URL,
): IdentityProvider => {
  for (const provider of providers.values()) {
    if (url.origin + url.pathname === callbackUri(issuer, provider.id)) return provider;
  }
  throw callbackError('provider.unknown');
};

/**
 * Reads the response only in the provider's response mode, so that a response cannot be moved from the body
 * to the query.
 */
const readProviderResponse = async (
  url: URL,
  provider: IdentityProvider,
  context: Pick<BrokerContext, 'sealers' | 'now'>,
): Promise<ProviderResponse> => {
  // Microsoft redirects after admin consent, in either response mode.
  if (provider.readAdminConsent?.(url) !== undefined) return { url, isExpired: false };
  switch (provider.responseMode) {
    case 'query':
      return { url, isExpired: false };
    case 'form_post':
      return openFormPost(url, provider.id, context);
  }
};

/** A callback whose login transaction was found in the cookies of the browser. */
export interface CallbackContext {
  readonly requestContext: RequestContext;
  readonly provider: IdentityProvider;
  /** The callback URL with the provider's parameters in its query, in either response mode. */
  readonly responseUrl: URL;
  readonly transaction: Transaction;
  /** The name of the cookie that contains the login transaction. */
  readonly cookie: string;
  readonly replayGuard: ReplayGuard;
}

type IdentityContext = Pick<BrokerContext, 'issuer' | 'storage' | 'providerIo'>;

/**
 * Verifies the provider's response, unless the callback was handled before (for the linking of an identity,
 * only if this process handled it). A provider accepts its code only once, so the broker looks up the grant
 * before it sends the code. If the exchange fails, it looks again, because another delivery of the callback
 * may have been faster.
 * @throws ProtocolError `transaction.replayed`, or `transaction.status-unknown` if storage is unavailable;
 *   the client gets neither of these
 * @throws ProviderError if the user canceled, the provider is unavailable, or its response cannot be verified
 */
export const handleProviderResponse = async (
  context: IdentityContext,
  { provider, responseUrl, transaction, replayGuard }: CallbackContext,
): Promise<Identity> => {
  await rejectReplay(context, transaction, replayGuard);
  try {
    const identity = await provider.handleCallback(
      responseUrl,
      buildUpstreamRequest(transaction, context.issuer),
      context.providerIo,
    );
    // A provider can be the publisher's own code, which must not sign in another provider's users.
    const { label, claims, refreshToken, tokenIdentifiers } = identity;
    return {
      ...createIdentity(provider.id, { ...identity, labels: [label] }, claims, refreshToken),
      ...(tokenIdentifiers && { tokenIdentifiers }),
    };
  } catch (error) {
    await rejectReplay(context, transaction, replayGuard);
    throw error;
  }
};

const rejectReplay = async (
  { storage }: Pick<BrokerContext, 'storage'>,
  { purpose, grantId, state }: Transaction,
  replayGuard: ReplayGuard,
): Promise<void> => {
  // The linking of an identity creates no grant.
  const isReplay =
    purpose.kind === 'link'
      ? replayGuard.wasHandled(state)
      : (await withTransactionStatusError(storage.readGrantStatus(grantId))) !== 'unknown';
  if (isReplay) throw callbackError('transaction.replayed');
};

/**
 * Waits for a storage query about the status of a sign-in.
 * @throws ProtocolError `transaction.status-unknown` if storage is unavailable, so that a reload can finish
 *   the sign-in
 */
export const withTransactionStatusError = async <Result>(query: Promise<Result>): Promise<Result> => {
  try {
    return await query;
  } catch (cause) {
    if (cause instanceof StorageUnavailable) throw callbackError('transaction.status-unknown', { cause });
    throw cause;
  }
};

/**
 * Like `handleProviderResponse`, for a sign-in that no client waits for.
 * @returns `undefined` if the user canceled at the provider
 */
export const handleProviderResponseUnlessDenied = async (
  context: IdentityContext,
  callback: CallbackContext,
): Promise<Identity | undefined> => {
  try {
    return await handleProviderResponse(context, callback);
  } catch (error) {
    if (error instanceof ProviderError && error.kind === 'denied') return undefined;
    throw error;
  }
};

/**
 * Returns the `Set-Cookie` values that let the broker recognize the callback if it arrives again.
 * @param failure the error. Default: the transaction succeeded
 */
export const buildCompletionCookies = (
  { sealers, now }: Pick<BrokerContext, 'sealers' | 'now'>,
  { requestContext, transaction }: CallbackContext,
  failure?: ProtocolError,
): Promise<readonly string[]> =>
  completeTransaction(transaction, readCookies(requestContext.request), sealers, now(), failure);

/**
 * Shows the page for a callback that arrives again after it was handled. The client gets no second response,
 * because that would replace the first one.
 */
const showCompleted = async (
  context: BrokerContext,
  handlers: CallbackHandlers,
  { request }: RequestContext,
  { purpose, grantId }: Pick<Completion, 'purpose' | 'grantId'>,
): Promise<Response> => {
  const destination = await resolveDestination(handlers, purpose);
  const outcome = purpose.kind === 'link' ? 'linked' : await determineOutcome(context, grantId);
  return completedPageResponse(
    context.pages.completed({
      branding: context.branding.select(request),
      stylesheetPath: paths.stylesheet,
      outcome,
      destination,
    }),
    400,
  );
};

/**
 * Shows the outcome of a request for admin consent. Anyone can build such a URL, so the page has fixed texts,
 * and nothing is consumed. It links to the client only if the sign-in is in progress in this browser.
 */
const showAdminConsent = async (
  context: BrokerContext,
  handlers: CallbackHandlers,
  requestContext: RequestContext,
  responseUrl: URL,
  adminConsent: AdminConsent,
): Promise<Response> => {
  const destination = responseUrl.searchParams.has('state')
    ? await findDestination(requestContext, async () => {
        const { transaction } = await findTransaction(context, requestContext.request, responseUrl);
        return resolveDestination(handlers, toCompletedPurpose(transaction.purpose));
      })
    : undefined;
  return completedPageResponse(
    context.pages.completed({
      branding: context.branding.select(requestContext.request),
      stylesheetPath: paths.stylesheet,
      outcome: `consent-${adminConsent}`,
      destination: destination ?? { kind: 'unknown' },
    }),
    200,
  );
};

const determineOutcome = async (
  { storage }: Pick<BrokerContext, 'storage'>,
  grantId: string,
): Promise<CompletedModel['outcome']> =>
  (await storage.readGrantStatus(grantId)) === 'active' ? 'signed-in' : 'ended';

const resolveDestination = (
  { authorize, account, link }: CallbackHandlers,
  purpose: Completion['purpose'],
  failure?: ProtocolError,
): Promise<CompletedModel['destination']> => {
  switch (purpose.kind) {
    case 'authorize':
      return authorize.destination(purpose, failure);
    case 'account':
      return requireHandler(account).destination(purpose);
    case 'link':
      return requireHandler(link).destination(purpose);
  }
};
