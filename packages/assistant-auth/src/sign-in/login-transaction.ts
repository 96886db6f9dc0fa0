/** Sending a browser to a provider, with the journey kept in a cookie of its own. */

import { type BrokerContext, paths } from '../context.ts';
import { clearCookie, setCookie } from '../http/cookies.ts';
import { seeOther } from '../http/responses.ts';
import { encodeBase64url } from '../oauth/base64url.ts';
import { Refusal } from '../oauth/errors.ts';
import type { Issuer } from '../oauth/issuer.ts';
import { randomId, randomToken } from '../oauth/secrets.ts';
import type { EpochSeconds, Seconds } from '../oauth/time.ts';
import type { IdentityProvider, ProviderLeg } from '../providers/provider.ts';
import type { Completion, Errand, Transaction } from '../tokens/sealed-types.ts';
import type { Artefact, Vault } from '../tokens/sealers.ts';

/** The redirect URI of the broker at a provider. */
export const callbackUri = (issuer: Issuer, provider: string): string =>
  `${issuer}${paths.callback}/${provider}`;

/** @param cookies those that the browser has */
export const sendToProvider = async (
  rooms: Pick<BrokerContext, 'issuer' | 'vault' | 'lifetimes' | 'providerIo' | 'now' | 'randomBytes'>,
  errand: Errand,
  provider: IdentityProvider,
  cookies: ReadonlyMap<string, string>,
): Promise<Response> => {
  const { vault, lifetimes } = rooms;
  const journey = beginJourney(rooms, errand, provider.id);
  const url = await provider.authorizationUrl(legOf(journey, rooms.issuer), rooms.providerIo);
  return seeOther(
    url.href,
    await keepTransaction(journey, cookies, vault.transaction, lifetimes.transaction),
  );
};

// A journey to a provider: how it begins, and the little of it that the provider is given.

/** Begins a journey, with values that no other journey shares. */
export const beginJourney = (
  { randomBytes, lifetimes, now }: Pick<BrokerContext, 'randomBytes' | 'lifetimes' | 'now'>,
  errand: Errand,
  provider: string,
): Transaction => ({
  errand,
  grantId: randomId(randomBytes),
  provider,
  state: randomToken(randomBytes),
  nonce: randomToken(randomBytes),
  codeVerifier: randomToken(randomBytes),
  beganAt: now(),
  expiresAt: now() + lifetimes.transaction,
  signedIn: undefined,
});

/** What a provider needs to know; whom it is for and the grant are none of its business. */
export const legOf = (
  { errand, provider, state, nonce, codeVerifier, beganAt }: Transaction,
  issuer: Issuer,
): ProviderLeg => {
  const leg = { redirectUri: callbackUri(issuer, provider), state, nonce, codeVerifier };
  switch (errand.kind) {
    case 'authorize':
      return leg;
    // Whoever finds a browser in which somebody is signed in at the provider must not come into their account by it.
    case 'account':
    case 'link':
      return { ...leg, fresh: { since: beganAt } };
  }
};

// The cookie of each login transaction, which binds it to one browser, and the cookie that identifies a completed one.

const transactionPrefix = '__Host-tx-';
const completionPrefix = '__Host-done-';

/** Browsers drop cookies beyond 4,096 bytes, name and attributes included. */
const longestTransaction = 3800;

/** Names that we give. */
const transactionName = /^__Host-tx-[\w-]{8}$/;
const completionName = /^__Host-done-[\w-]{8}$/;

/** Every cookie that the broker sets. */
const ownName = /^__Host-(?:(?:csrf|tx|done)-[\w-]{8}|session|notice)$/;

/** More than a browser normally has. The rest are cleared without being opened. */
const mostLookedAt = 16;

/** How many cookies one response clears: proxies limit the size of response headers, too. */
const mostCleared = 16;

/**
 * How many login transactions a browser keeps; a new one replaces the oldest. With a `state` of usual length, one takes about 520
 * bytes, so five of them, three completions, a session and the binding cookies of 30 tabs stay below 6 kB. A long `state` takes more.
 */
const mostTransactions = 5;

/** How many completed login transactions a browser keeps. */
const mostCompletions = 3;

/** Whether the browser sends any cookie of ours. */
export const sendsOurCookies = (cookies: ReadonlyMap<string, string>): boolean =>
  [...cookies.keys()].some((name) => ownName.test(name));

/** Where the journey with this `state` is kept: tabs do not disturb each other, and the name gives nothing away. */
export const transactionCookie = async (state: string): Promise<string> =>
  transactionPrefix + (await nameOf(state));

/** Returns the name of the completion cookie for this `state`. */
export const completionCookie = async (state: string): Promise<string> =>
  completionPrefix + (await nameOf(state));

const nameOf = async (state: string): Promise<string> => {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(state));
  return encodeBase64url(new Uint8Array(digest)).slice(0, 8);
};

/**
 * Gives the `Set-Cookie` values that keep a new journey.
 * @throws Refusal when the client's request was too large to be kept in a cookie
 */
export const keepTransaction = async (
  transaction: Transaction,
  cookies: ReadonlyMap<string, string>,
  seal: Artefact<Transaction>,
  maxAge: Seconds,
): Promise<readonly string[]> => {
  const sealed = await seal.seal(transaction);
  if (sealed.length > longestTransaction) throw new Refusal('request.oversized-sign-in');
  const kept = setCookie(await transactionCookie(transaction.state), sealed, maxAge);
  return [kept, ...(await surplusTransactions(cookies, seal, mostTransactions - 1)).map(clearCookie)];
};

/**
 * Returns the `Set-Cookie` values that end a login transaction and store what identifies its callback, until the transaction would have
 * expired.
 */
export const completeTransaction = async (
  { state, grantId, provider, errand, expiresAt }: Transaction,
  cookies: ReadonlyMap<string, string>,
  { transaction, completion }: Pick<Vault, 'transaction' | 'completion'>,
  now: EpochSeconds,
): Promise<readonly string[]> => {
  const [ended, name] = await Promise.all([transactionCookie(state), completionCookie(state)]);
  const sealed = await completion.seal({ grantId, provider, errand: completedErrand(errand), expiresAt });
  const others = new Map(cookies);
  others.delete(ended);
  const surplus = [
    ...(await surplusTransactions(others, transaction, mostTransactions)),
    ...surplusCompletions(others, name),
  ];
  return [
    clearCookie(ended),
    setCookie(name, sealed, Math.max(expiresAt - now, 0)),
    ...surplus.slice(0, mostCleared).map(clearCookie),
  ];
};

/** Returns what is still needed of a transaction's purpose after it is completed. */
export const completedErrand = (errand: Transaction['errand']): Completion['errand'] => {
  switch (errand.kind) {
    case 'authorize': {
      const { clientId, redirectUri } = errand.request;
      return { kind: 'authorize', clientId, redirectUri };
    }
    case 'account':
    case 'link':
      return { kind: errand.kind };
  }
};

/**
 * Returns the names of the transactions to clear: the oldest, and those that don't open. Not all are cleared at once.
 * @param kept how many of the newest are kept
 */
const surplusTransactions = async (
  cookies: ReadonlyMap<string, string>,
  seal: Artefact<Transaction>,
  kept: number,
): Promise<readonly string[]> => {
  // Browsers send the oldest cookie first (RFC 6265 §5.4): reversed, the newest of equals stays in front.
  const journeys = [...cookies].filter(([name]) => transactionName.test(name)).toReversed();
  if (journeys.length <= kept) return [];
  const dated = await Promise.all(
    journeys.slice(0, mostLookedAt).map(async ([name, sealed]) => {
      const opened = await seal.open(sealed);
      const expiresAt: EpochSeconds = opened.kind === 'opened' ? opened.value.expiresAt : 0;
      return { name, expiresAt };
    }),
  );
  const beyond = dated
    .toSorted((one, other) => other.expiresAt - one.expiresAt)
    .slice(kept)
    .map(({ name }) => name);
  const unopened = journeys.slice(mostLookedAt).map(([name]) => name);
  return [...beyond, ...unopened.toReversed()].slice(0, mostCleared);
};

/** Returns the names of the completions to clear for another, the oldest first. */
const surplusCompletions = (cookies: ReadonlyMap<string, string>, own: string): readonly string[] => {
  const others = [...cookies.keys()].filter((name) => name !== own && completionName.test(name));
  return others.slice(0, Math.max(others.length - (mostCompletions - 1), 0));
};
