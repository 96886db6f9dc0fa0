/** The session at the account page: a cookie that names a grant. Whatever ends the grant ends the session. */
import type { BrokerContext } from '../context.ts';
import { clearCookie, readCookies, setCookie } from '../http/request.ts';
import type { Clock, EpochSeconds, Identity } from '../oauth/identifiers.ts';
import type { Session } from '../storage/broker-storage.ts';
import { recentAuthLifetime } from '../tokens/lifetimes.ts';
import type { SessionCookie } from '../tokens/sealed-types.ts';

type SessionContext = Pick<BrokerContext, 'sealers' | 'storage' | 'lifetimes' | 'now'>;

/** A session that lived just now. */
export interface ActiveSession extends SessionCookie, Session {}

const sessionCookie = '__Host-session';

/** Browsers drop cookies beyond 4,096 bytes, name and attributes included. */
const maxSessionLength = 3800;

/** Reads which session this browser says it is in, and asks nobody whether it still lives. */
export const readSession = async (
  request: Request,
  { sealers, now }: Pick<SessionContext, 'sealers' | 'now'>,
): Promise<SessionCookie | undefined> => {
  const sealed = readCookies(request).get(sessionCookie);
  const opened = sealed === undefined ? undefined : await sealers.session.open(sealed);
  if (opened?.kind !== 'opened' || now() >= opened.value.expiresAt) return undefined;
  return opened.value;
};

/** Finds the session of this browser, and carries it on; one round trip to the ledger where there may be one. */
export const useSession = async (
  request: Request,
  context: SessionContext,
): Promise<ActiveSession | undefined> => {
  const { storage, lifetimes, now } = context;
  const cookie = await readSession(request, context);
  if (cookie === undefined) return undefined;
  const at = now();
  const session = await storage.useSession({
    grantId: cookie.grantId,
    now: at,
    idleExpiresAt: at + lifetimes.sessionIdle,
  });
  return session === undefined ? undefined : { ...cookie, ...session };
};

/** Whether the person has proved who they are recently enough for what cannot be undone. */
export const checkRecentAuth = ({ signedInAt }: SessionCookie, now: Clock): 'fresh' | 'stale' =>
  now() < signedInAt + recentAuthLifetime ? 'fresh' : 'stale';

/** Makes the cookie of a session that has just begun. */
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
  const full = await sealers.session.seal({ ...session, verifiedProfile: verifiedProfile });
  const kept =
    full.length <= maxSessionLength
      ? full
      : await sealers.session.seal({ ...session, verifiedProfile: undefined });
  return setCookie(sessionCookie, kept, maxAge);
};

/** When the provider says it was; whoever dawdles there has proved it no later. */
const resolveAuthTime = ({ auth_time: authTime }: Identity['claims'], now: EpochSeconds): EpochSeconds =>
  typeof authTime === 'number' && Number.isInteger(authTime) && authTime >= 0 ? Math.min(authTime, now) : now;

/** Clears the session's cookie, if the browser sent one: another tab may be signing in at this moment. */
export const clearSentSessionCookie = (cookies: ReadonlyMap<string, string>): readonly string[] =>
  cookies.has(sessionCookie) ? [clearSessionCookie()] : [];

export const clearSessionCookie = (): string => clearCookie(sessionCookie);
