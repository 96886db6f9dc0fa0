/**
 * Login transactions: starts one and redirects the browser to the provider (RFC 6749 §4.1.1), seals each one
 * into a cookie of its own (`setTransactionCookie`), which binds it to the browser (RFC 6749 §10.12), finds
 * it at the callback (`findTransaction`), and detects repeated callbacks. The cookie is named after a digest
 * of `state`, and the sealed `state` must equal that of the callback. `setCookie` in `http/request.ts` sets
 * the attributes of all cookies (Secure, HttpOnly, SameSite=Lax).
 */

import { type BrokerContext, paths } from '../context.ts';
import { setBounded, waitForOther } from '../endpoint/concurrency.ts';
import { bindingPrefix } from '../http/csrf.ts';
import { clearCookie, readCookies, setCookie } from '../http/request.ts';
import { seeOther } from '../http/responses.ts';
import type { EpochSeconds, Seconds } from '../oauth/identifiers.ts';
import { readParameters } from '../oauth/parameters.ts';
import { authorizationError, callbackError, type ProtocolError } from '../oauth/protocol-error.ts';
import type { Issuer } from '../oauth/resource.ts';
import { computeDigest, randomId, randomSecret, timingSafeEqual } from '../oauth/secrets.ts';
import type { IdentityProvider, UpstreamRequest } from '../providers/provider.ts';
import type { Completion, Transaction, TransactionPurpose } from '../tokens/sealed-types.ts';
import type { SealedType, Sealers } from '../tokens/sealers.ts';
import { maxLastProviderLength, setLastProvider } from './last-provider.ts';

/** The redirect URI of the broker at a provider. */
export const callbackUri = (issuer: Issuer, provider: string): string =>
  `${issuer}${paths.callback}/${provider}`;

/**
 * Starts a login transaction and redirects the browser to the provider.
 * @param cookies the cookies that the browser sent
 */
export const redirectToProvider = async (
  context: Pick<BrokerContext, 'issuer' | 'sealers' | 'lifetimes' | 'providerIo' | 'now' | 'randomBytes'>,
  purpose: TransactionPurpose,
  provider: IdentityProvider,
  cookies: ReadonlyMap<string, string>,
): Promise<Response> => {
  const { sealers, lifetimes } = context;
  const transaction = createTransaction(context, purpose, provider.id);
  const url = await provider.authorizationUrl(
    buildUpstreamRequest(transaction, context.issuer),
    context.providerIo,
  );
  return seeOther(
    url.href,
    await setTransactionCookie(transaction, cookies, sealers.transaction, lifetimes.transaction),
  );
};

/** Creates a login transaction with new random values. */
export const createTransaction = (
  { randomBytes, lifetimes, now }: Pick<BrokerContext, 'randomBytes' | 'lifetimes' | 'now'>,
  purpose: TransactionPurpose,
  provider: string,
): Transaction => ({
  purpose,
  grantId: randomId(randomBytes),
  provider,
  state: randomSecret(randomBytes),
  nonce: randomSecret(randomBytes),
  codeVerifier: randomSecret(randomBytes),
  startedAt: now(),
  expiresAt: now() + lifetimes.transaction,
  reconsentSubject: undefined,
});

/** Returns what a provider needs from a transaction, without the client and the grant ID. */
export const buildUpstreamRequest = (
  { purpose, provider, state, nonce, codeVerifier, startedAt, reconsentSubject }: Transaction,
  issuer: Issuer,
): UpstreamRequest => {
  const upstreamRequest = { redirectUri: callbackUri(issuer, provider), state, nonce, codeVerifier };
  // The sign-in that was just recorded met the client's requirements.
  if (reconsentSubject !== undefined) return upstreamRequest;
  switch (purpose.kind) {
    case 'authorize': {
      const { maxAge, selectAccount } = purpose.request;
      return {
        ...upstreamRequest,
        ...(maxAge !== undefined && {
          reauthenticate: { since: Math.max(startedAt - maxAge, 0), ...(maxAge > 0 && { maxAge }) },
        }),
        ...(selectAccount && { selectAccount }),
      };
    }
    // Someone who finds a browser that is signed in at the provider must not get access to the account, so
    // the broker requests reauthentication.
    case 'account':
    case 'link':
      return { ...upstreamRequest, reauthenticate: { since: startedAt } };
  }
};

// The cookie of each login transaction, which binds it to one browser, and the cookie that identifies a
// completed one and contains why it failed, if it did.

const transactionPrefix = '__Host-tx-';
const completionPrefix = '__Host-done-';

/**
 * In characters. Browsers can drop cookies beyond 4,096 bytes, name and attributes included (RFC 6265 §6.1).
 */
const maxTransactionLength = 3800;

/** Matches the name of every cookie that the broker sets. */
const brokerCookieName = /^__Host-(?:(?:csrf|tx|done)-[\w-]{8}|session|notice|provider)$/;

/** Returns whether the browser sent any cookie of the broker. */
const hasBrokerCookies = (cookies: ReadonlyMap<string, string>): boolean =>
  [...cookies.keys()].some((name) => brokerCookieName.test(name));

/**
 * Returns the name of the transaction cookie for this `state`. Each transaction has its own cookie, so
 * sign-ins in several tabs do not replace each other, and the name does not reveal the `state`.
 */
export const deriveTransactionCookieName = async (state: string): Promise<string> =>
  transactionPrefix + (await digestState(state));

/** Returns the name of the completion cookie for this `state`. */
export const deriveCompletionCookieName = async (state: string): Promise<string> =>
  completionPrefix + (await digestState(state));

const digestState = async (state: string): Promise<string> => (await computeDigest(state)).slice(0, 8);

/**
 * Returns the `Set-Cookie` values that store a new transaction and clear surplus ones.
 * @throws ProtocolError `request.sign-in-too-large` if the client's request does not fit into a cookie
 */
export const setTransactionCookie = async (
  transaction: Transaction,
  cookies: ReadonlyMap<string, string>,
  sealer: SealedType<Transaction>,
  maxAge: Seconds,
): Promise<readonly string[]> => {
  const sealed = await sealer.seal(transaction);
  if (sealed.length > maxTransactionLength) throw authorizationError('request.sign-in-too-large');
  const name = await deriveTransactionCookieName(transaction.state);
  const available = maxCookiesLength - measureCookie([name, sealed]);
  const surplus = await listSurplusCookies(cookies, sealer, available, maxTransactions - 1, maxCompletions);
  return [setCookie(name, sealed, maxAge), ...surplus.map(clearCookie)];
};

// The callback: the cookie of the transaction proves that this browser started it.

type FoundTransaction =
  | { readonly kind: 'pending'; readonly transaction: Transaction; readonly cookie: string }
  | { readonly kind: 'completed'; readonly transaction: Completion };

/**
 * Finds the login transaction of this browser, pending or completed, and checks its expiry and `state`. A
 * `state` of another browser finds none (RFC 6749 §10.12).
 */
export const findTransaction = async (
  { sealers, now }: Pick<BrokerContext, 'sealers' | 'now'>,
  request: Request,
  responseUrl: URL,
): Promise<FoundTransaction> => {
  const { state } = readParameters(responseUrl.searchParams, ['state']);
  if (state === undefined) throw callbackError('transaction.missing');
  const cookies = readCookies(request);
  const cookie = await deriveTransactionCookieName(state);
  const sealed = cookies.get(cookie);
  if (sealed === undefined) return findCompletion({ sealers, now }, cookies, state);
  const opened = await sealers.transaction.open(sealed);
  if (opened.kind === 'failed') throw callbackError('transaction.unreadable', { cause: opened.reason });
  const transaction = opened.value;
  if (now() >= transaction.expiresAt) throw callbackError('transaction.expired');
  // The cookie's name holds only part of the state's digest.
  if (!(await timingSafeEqual(transaction.state, state))) throw callbackError('transaction.missing');
  return { kind: 'pending', transaction, cookie };
};

/**
 * A completion only shows a page, so the part of the digest in the cookie's name is enough to identify it.
 */
const findCompletion = async (
  { sealers, now }: Pick<BrokerContext, 'sealers' | 'now'>,
  cookies: ReadonlyMap<string, string>,
  state: string,
): Promise<FoundTransaction> => {
  if (!hasBrokerCookies(cookies)) throw callbackError('transaction.no-cookies');
  const opened = await sealers.completion.open(cookies.get(await deriveCompletionCookieName(state)) ?? '');
  if (opened.kind === 'failed') throw callbackError('transaction.missing', { cause: opened.reason });
  if (now() >= opened.value.expiresAt) throw callbackError('transaction.expired');
  return { kind: 'completed', transaction: opened.value };
};

// Completed and surplus login transactions.

/**
 * How many transactions are opened to find the oldest. Beyond that, transactions are cleared without being
 * opened.
 */
const maxOpened = 16;

/** How many surplus cookies one response clears: proxies limit the size of response headers, too. */
const maxCleared = 16;

/**
 * How many login transactions a browser keeps, and how many completed ones. A new one replaces the oldest.
 */
const maxTransactions = 5;
const maxCompletions = 3;

/**
 * The maximum length of all cookies of the broker in the `Cookie` header, in characters. nginx accepts 8 kB,
 * including the cookies of the app. A transaction takes about 520 characters, and 3,300 with the longest
 * `state`. The session takes at most 1,220, the binding cookies of 30 tabs 1,350, and the last provider 50.
 */
const maxCookiesLength = 6000;

/** The length of a completion that fits beside a session and the binding cookies of 30 tabs. */
const maxCompletionLength = 1200;

/** The same, with the message of a refusal. If one has this length, the cookies have no space for a transaction. */
const maxRefusalLength = 3300;

/** Returns the length of a cookie in the `Cookie` header, with its separators. */
const measureCookie = ([name, value]: readonly [string, string]): number => name.length + value.length + 3;

/**
 * Returns the `Set-Cookie` values that delete a completed login transaction and store what identifies its
 * callback, until the transaction would have expired.
 * @param failure the error. Default: the transaction succeeded
 */
export const completeTransaction = async (
  { state, grantId, provider, purpose, expiresAt }: Transaction,
  cookies: ReadonlyMap<string, string>,
  { transaction, completion }: Pick<Sealers, 'transaction' | 'completion'>,
  now: EpochSeconds,
  failure?: Pick<ProtocolError, 'reason' | 'refusal'>,
): Promise<readonly string[]> => {
  const [transactionCookie, name] = await Promise.all([
    deriveTransactionCookieName(state),
    deriveCompletionCookieName(state),
  ]);
  const sealed = await sealCompletion(completion, {
    grantId,
    provider,
    purpose: toCompletedPurpose(purpose),
    expiresAt,
    failure: failure?.reason,
    refusal: failure?.refusal,
  });
  const added = sealed === undefined ? [] : [setCookie(name, sealed, Math.max(expiresAt - now, 0))];
  const others = new Map(cookies);
  others.delete(transactionCookie);
  others.delete(name);
  const isSignIn = purpose.kind !== 'link' && failure === undefined;
  // A sign-in also sets the last provider, and one to the account page a session and a notice.
  const reserved = isSignIn ? maxLastProviderLength + (purpose.kind === 'account' ? 1310 : 0) : 0;
  const available = maxCookiesLength - measureCookie([name, sealed ?? '']) - reserved;
  const surplus = await listSurplusCookies(
    others,
    transaction,
    available,
    maxTransactions,
    maxCompletions - 1,
  );
  return [
    clearCookie(transactionCookie),
    ...added,
    ...(isSignIn ? [setLastProvider(provider)] : []),
    ...surplus.map(clearCookie),
  ];
};

/**
 * Seals a completion. Omits the message of a refusal and the client's `state` if they do not fit: a repeated
 * callback then shows only the reason.
 * @returns `undefined` if even that is too long, because the client ID has nearly a kilobyte. Then a repeated
 *   callback is not recognized
 */
const sealCompletion = async (
  sealer: SealedType<Completion>,
  completion: Completion,
): Promise<string | undefined> => {
  if (completion.refusal !== undefined) {
    const withRefusal = await sealer.seal(completion);
    if (withRefusal.length <= maxRefusalLength) return withRefusal;
  }
  const purpose = { ...completion.purpose, state: undefined };
  const sealed = await sealer.seal({ ...completion, purpose, refusal: undefined });
  return sealed.length > maxCompletionLength ? undefined : sealed;
};

/** Returns what a completion keeps of the transaction's purpose. */
export const toCompletedPurpose = (
  purpose: Transaction['purpose'] | Completion['purpose'],
): Completion['purpose'] => {
  switch (purpose.kind) {
    case 'authorize': {
      const { clientId, redirectUri, state } = 'request' in purpose ? purpose.request : purpose;
      return { kind: 'authorize', clientId, redirectUri, state };
    }
    case 'account':
    case 'link':
      return { kind: purpose.kind };
  }
};

/**
 * Returns the names of the cookies to clear so that the others fit into `available`, at most `maxCleared`: first
 * completions and transactions, the oldest first, and only then the binding cookies of the oldest pages.
 * @param available in characters, for all cookies of the broker
 */
const listSurplusCookies = async (
  cookies: ReadonlyMap<string, string>,
  sealer: SealedType<Transaction>,
  available: number,
  transactionCount: number,
  completionCount: number,
): Promise<readonly string[]> => {
  // Browsers send the oldest cookie first (RFC 6265 §5.4). Reversed, the newest of equal expiry comes first.
  const newestFirst = [...cookies].filter(([name]) => brokerCookieName.test(name)).toReversed();
  const select = (prefix: string) => newestFirst.filter(([name]) => name.startsWith(prefix));
  const transactions = select(transactionPrefix);
  const bindings = select(bindingPrefix);
  const isOther = ([name]: Cookie) => /^__Host-[a-z]+$/.test(name);
  let left = newestFirst.filter(isOther).reduce((rest, cookie) => rest - measureCookie(cookie), available);
  /** Returns the names of those that don't fit, the oldest first. */
  const drop = (candidates: readonly Cookie[], count: number): readonly string[] => {
    let kept = 0;
    for (const cookie of candidates.slice(0, count)) {
      const length = measureCookie(cookie);
      if (length > left) break;
      left -= length;
      kept += 1;
    }
    return candidates
      .slice(kept)
      .map(([name]) => name)
      .toReversed();
  };
  const surplusBindings = drop(bindings, bindings.length);
  const opened = await sortByExpiry(transactions.slice(0, maxOpened), sealer);
  const surplus = drop([...opened, ...transactions.slice(maxOpened)], transactionCount);
  return [...surplus, ...drop(select(completionPrefix), completionCount), ...surplusBindings].slice(
    0,
    maxCleared,
  );
};

type Cookie = readonly [name: string, value: string];

/** Sorts transactions, those that expire last first. A cookie that does not open counts as expired. */
const sortByExpiry = async (
  cookies: readonly Cookie[],
  sealer: SealedType<Transaction>,
): Promise<readonly Cookie[]> => {
  const withExpiry = await Promise.all(
    cookies.map(async (cookie) => {
      const opened = await sealer.open(cookie[1]);
      return { cookie, expiresAt: opened.kind === 'opened' ? opened.value.expiresAt : 0 };
    }),
  );
  return withExpiry.toSorted((one, other) => other.expiresAt - one.expiresAt).map(({ cookie }) => cookie);
};

// Repeated callbacks in one process. Storage detects those of sign-ins that were recorded.

/**
 * Detects repeated callbacks that storage can't detect: callbacks that arrive at this process at the same
 * time, before the grant is stored; callbacks of links, for which nothing is stored until the user confirms
 * them; and callbacks of sign-ins beyond the user's limit, for which nothing is stored either.
 */
export interface ReplayGuard {
  /**
   * Waits until earlier deliveries of the same callback to this process have been handled, but at most
   * `maxWaitMs`, then runs `work`.
   */
  runInTurn<Result>(state: string, work: () => Promise<Result>): Promise<Result>;
  /** Remembers a callback that was handled. */
  markHandled(state: string): void;
  wasHandled(state: string): boolean;
  /** Remembers why a callback was refused, so that a repeated callback is refused for the same reason. */
  rememberError(state: string, error: ProtocolError): void;
  findError(state: string): ProtocolError | undefined;
}

/**
 * Longer than the timeout of one request to a provider (10 seconds). A platform can stop an earlier delivery
 * whose browser disconnected, and then its promise never settles.
 */
const maxWaitMs = 12_000;

/** The maximum number of entries in each map. Beyond it, the oldest entry is dropped. */
const maxEntries = 1_000;

export const createReplayGuard = (): ReplayGuard => {
  // These maps are caches of this process.
  const running = new Map<string, Promise<void>>();
  const handled = new Map<string, true>();
  const errors = new Map<string, ProtocolError>();
  return {
    async runInTurn(state, work) {
      const previous = running.get(state);
      const { promise, resolve } = Promise.withResolvers<void>();
      setBounded(running, state, promise, maxEntries);
      if (previous !== undefined) await waitForOther(previous, maxWaitMs);
      try {
        return await work();
      } finally {
        resolve();
        if (running.get(state) === promise) running.delete(state);
      }
    },
    markHandled: (state) => setBounded(handled, state, true, maxEntries),
    wasHandled: (state) => handled.has(state),
    rememberError: (state, error) => setBounded(errors, state, error, maxEntries),
    findError: (state) => errors.get(state),
  };
};
