/**
 * The log events: one flat, structured line per event. The broker puts no secret, token, code or user ID into
 * a line, but `cause` and `stack` can contain messages of other code, such as `resolveUser`.
 */
import { describeCause } from './errors.ts';
import type { ErrorReason } from './protocol-error.ts';

export interface LogEntry {
  /**
   * Events that need an explanation:
   * - `unrestricted-gpt`: at startup, a client accepts any GPT. Anyone who knows its secret can sign users
   *   in with their own GPT.
   * - `limiter-failed`: a rate limiter failed, so the request was allowed.
   * - `cleanup-failed`: a cleanup failed. Expired rows may stay until the next one.
   * - `recheck-failed`: a recheck had no conclusive result. Grants stay, and the identity is rechecked later.
   * - `no-upstream-token`: a reconsent request failed or returned no refresh token, so the identity cannot be
   *   rechecked.
   * - `upstream-token-dropped`: an identity lost its upstream token because a recheck was inconclusive, so it
   *   cannot be rechecked until the user signs in again.
   * - `late-refresh`: a replaced refresh token was accepted after the grace period because its successor was
   *   not used.
   * - `write-failed`: the outcome of a recheck, or an upstream token, could not be stored.
   * - `wait-until-failed`: `waitUntil` threw, so the work may not continue after the response.
   * - `revocation-failed`: an upstream token that is no longer needed could not be revoked at its provider.
   *   It is deleted here anyway.
   * - `security-event`: a provider sent a verified event. The grants that it concerns, if any, were revoked.
   * - `log-failed`: the publisher's log threw. This line goes to the console.
   */
  readonly event:
    | 'signed-in'
    | 'tokens-issued'
    | 'revoked'
    | 'linked'
    | 'unlinked'
    | 'exported'
    | 'deleted'
    | 'revocation-failed'
    | 'refused'
    | 'unrestricted-gpt'
    | 'limiter-failed'
    | 'cleanup-failed'
    | 'recheck-failed'
    | 'no-upstream-token'
    | 'upstream-token-dropped'
    | 'late-refresh'
    | 'write-failed'
    | 'wait-until-failed'
    | 'security-event'
    | 'log-failed';
  /**
   * How many lines with this event and reason this process or isolate has logged, including this one. Set by
   * the broker.
   */
  readonly count?: number;
  /** The ID of the request, which an error page shows as the reference. Some events have none. */
  readonly requestId?: string;
  readonly endpoint?: string;
  readonly clientId?: string;
  readonly provider?: string;
  /** The type of a provider's security event: `logout`, `account-disabled`. */
  readonly securityEvent?: string;
  /** The redirect URI of the sign-in. That of a GPT contains its ID. */
  readonly redirectUri?: string;
  readonly reason?: ErrorReason;
  /** The underlying error, if it is known. For operators only. */
  readonly cause?: string;
  /** The stack of an unexpected error. */
  readonly stack?: string;
}

export type Log = (entry: LogEntry) => void;

/**
 * Wraps a log so that it counts its lines and never throws: no request fails because a line can't be written.
 * @param fallback gets a `log-failed` line if `log` throws
 */
export const safeLogger = (log: Log, fallback: Log): Log => {
  const counted = addLogCounts(log);
  const onFailure = addLogCounts(fallback);
  return (entry) => {
    try {
      counted(entry);
    } catch (error) {
      onFailure({ event: 'log-failed', cause: describeCause(error) });
    }
  };
};

/**
 * Wraps a log so that each line has the number of lines so far with its event and reason. Both are closed
 * sets, so few counts are kept.
 */
export const addLogCounts = (log: Log): Log => {
  const counts = new Map<string, number>();
  return (entry) => {
    const key = `${entry.event} ${entry.reason ?? ''}`;
    const count = (counts.get(key) ?? 0) + 1;
    counts.set(key, count);
    log({ ...entry, count });
  };
};
