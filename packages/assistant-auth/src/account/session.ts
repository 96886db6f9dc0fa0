/**
 * The session of the account page: a sealed cookie with the ID of a grant. When the grant expires or is
 * revoked, the session ends.
 */
import { clearCookie, readCookies, setCookie } from '../http/request.ts';
import type { Clock, EpochSeconds, Identity, Seconds } from '../oauth/identifiers.ts';
import type { IdentityKey, Session } from '../storage/broker-storage.ts';
import type { SessionCookie } from '../tokens/sealed-types.ts';
import type { SessionContext } from './context.ts';

/** A session that storage has just confirmed as active. */
export interface ActiveSession extends SessionCookie, Session {}

const sessionCookie = '__Host-session';

/**
 * In characters. With this length, all cookies of the broker stay below 6 kB (`maxCookiesLength` in
 * `sign-in/login-transaction.ts`). A profile of about 810 bytes of JSON fits.
 */
const maxSessionLength = 1200;

/** Reads the session from the browser's cookie, without checking in storage whether it is still active. */
export const readSession = async (
  request: Request,
  { sealers, now }: Pick<SessionContext, 'sealers' | 'now'>,
): Promise<SessionCookie | undefined> => {
  const sealed = readCookies(request).get(sessionCookie);
  const opened = sealed === undefined ? undefined : await sealers.session.open(sealed);
  if (opened?.kind !== 'opened' || now() >= opened.value.expiresAt) return undefined;
  return opened.value;
};

/** Finds the active session of this browser, and extends it. One storage round trip if there is a cookie. */
export const useSession = async (
  request: Request,
  context: Pick<SessionContext, 'sealers' | 'accountStorage' | 'lifetimes' | 'now'>,
): Promise<ActiveSession | undefined> => {
  const { accountStorage, lifetimes, now } = context;
  const cookie = await readSession(request, context);
  if (cookie === undefined) return undefined;
  const at = now();
  const session = await accountStorage.useSession({
    grantId: cookie.grantId,
    now: at,
    idleExpiresAt: at + lifetimes.sessionIdle,
  });
  return session === undefined ? undefined : { ...cookie, ...session };
};

/** Returns whether two keys identify the same identity. */
export const isSameIdentity = (one: IdentityKey, other: IdentityKey): boolean =>
  one.provider === other.provider && one.subject === other.subject;

/** How long after a sign-in the account page allows sensitive actions, such as export and deletion. */
export const recentAuthLifetime: Seconds = 300;

/** Returns whether the user signed in recently enough for sensitive actions such as export and deletion. */
export const checkRecentAuth = ({ signedInAt }: SessionCookie, now: Clock): 'fresh' | 'stale' =>
  now() < signedInAt + recentAuthLifetime ? 'fresh' : 'stale';

/**
 * Returns the `Set-Cookie` value of a new session. A profile that does not fit into the cookie is omitted:
 * without it, the user can't continue to a client in this session, and has to sign in at the provider.
 */
export const setSessionCookie = async (
  { sealers, lifetimes, now }: Pick<SessionContext, 'sealers' | 'lifetimes' | 'now'>,
  grantId: string,
  { email, emailVerified, sid, claims }: Identity,
): Promise<string> => {
  const at = now();
  const maxAge = lifetimes.sessionAbsolute;
  const session = { grantId, signedInAt: resolveAuthTime(claims, at), expiresAt: at + maxAge };
  const verifiedProfile = {
    ...(email !== undefined && { email }),
    emailVerified,
    ...(sid !== undefined && { sid }),
    claims,
  };
  const full = await sealers.session.seal({ ...session, verifiedProfile });
  const kept =
    full.length <= maxSessionLength
      ? full
      : await sealers.session.seal({ ...session, verifiedProfile: undefined });
  return setCookie(sessionCookie, kept, maxAge);
};

/**
 * Returns the time of authentication according to the provider (`auth_time`), because the user may have
 * authenticated long before the callback. Without a valid claim, returns the current time.
 */
const resolveAuthTime = ({ auth_time: authTime }: Identity['claims'], now: EpochSeconds): EpochSeconds =>
  typeof authTime === 'number' && Number.isInteger(authTime) && authTime >= 0 ? Math.min(authTime, now) : now;

/**
 * Clears the session cookie only if the browser sent one. Otherwise, a sign-in that completes in another
 * tab at this moment could lose its new session.
 */
export const clearSentSessionCookie = (cookies: ReadonlyMap<string, string>): readonly string[] =>
  cookies.has(sessionCookie) ? [clearSessionCookie()] : [];

export const clearSessionCookie = (): string => clearCookie(sessionCookie);
