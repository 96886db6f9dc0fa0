/** What ties a sign-in to one browser: the cookie behind the consent form, and the cookie of each journey to a provider. */
import { clearCookie, setCookie } from '../http/cookies.ts';
import { encodeBase64url } from '../protocol/base64url.ts';
import { Refusal } from '../protocol/errors.ts';
import type { EpochSeconds, Seconds } from '../protocol/time.ts';
import type { Artefact } from '../tokens/artefact.ts';
import type { Transaction } from '../tokens/transaction.ts';

/** Random, and as old as the browser's session: several tabs share it. */
export const csrfCookie = '__Host-csrf';

const transactionPrefix = '__Host-tx-';

/** Browsers drop cookies beyond 4,096 bytes, name and attributes included. */
const longestTransaction = 3800;

/** Names that we give. */
const transactionName = /^__Host-tx-[\w-]{8}$/;

/** More than an honest browser has; the rest is somebody's invention, and not worth opening. */
const mostLookedAt = 16;

/** Journeys that one browser may have under way; beginning another forgets the oldest. */
const mostTransactions = 5;

/** The browser's own random value, unless it is not of our making. */
export const readCsrf = (cookies: ReadonlyMap<string, string>): string | undefined => {
  const value = cookies.get(csrfCookie);
  return value !== undefined && /^[A-Za-z0-9_-]{43}$/.test(value) ? value : undefined;
};

/** Where the journey with this `state` is kept: tabs do not disturb each other, and the name gives nothing away. */
export const transactionCookie = async (state: string): Promise<string> => {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(state));
  return transactionPrefix + encodeBase64url(new Uint8Array(digest)).slice(0, 8);
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
  return [kept, ...(await surplus(cookies, seal)).map(clearCookie)];
};

/** Names of the journeys that make room for one more: what does not open, then the oldest. */
const surplus = async (
  cookies: ReadonlyMap<string, string>,
  seal: Artefact<Transaction>,
): Promise<readonly string[]> => {
  // Browsers send the oldest cookie first (RFC 6265 §5.4): reversed, the newest of equals stays in front.
  const journeys = [...cookies]
    .filter(([name]) => transactionName.test(name))
    .toReversed()
    .slice(0, mostLookedAt);
  if (journeys.length < mostTransactions) return [];
  const dated = await Promise.all(
    journeys.map(async ([name, sealed]) => {
      const opened = await seal.open(sealed);
      const expiresAt: EpochSeconds = opened.kind === 'opened' ? opened.value.expiresAt : 0;
      return { name, expiresAt };
    }),
  );
  return dated
    .toSorted((one, other) => other.expiresAt - one.expiresAt)
    .slice(mostTransactions - 1)
    .map(({ name }) => name);
};
