/** What the broker tells its operator: one flat, structured line per event. Never a secret, a token, a code or a user id. */
import type { ErrorReason } from './error-catalog.ts';
import { describeCause } from './errors.ts';

export interface LogEntry {
  /**
   * `unrestricted-gpt`, at the start: any GPT whose owner knows this client's secret may sign people in. `limiter-failed`: a rate
   * limiter is out of order and lets everybody pass. `cleanUp-failed`: what has expired stays until the next sweep. `recheck-failed`: a
   * provider gave no clear word on a person; their grants stay, and it is asked again. `unwatched`: somebody signed in
   * whose provider cannot be asked about them later. `revocation-failed`: a provider was not told that its token is needed no
   * longer, which is forgotten here all the same. `signal`: a provider said something unasked, and what it ends has ended.
   * `no-upstream-token`: an identity lost its upstream token because a recheck was inconclusive, so it can't be rechecked until the
   * person signs in again. `late-refresh`: a replaced refresh token was accepted after the grace period because its successor was not
   * used. `writeResponse-failed`: the outcome of a recheck, or an upstream token, could not be stored. `wait-until-failed`: `waitUntil`
   * threw, so the work may not continue after the response. `log-failed`, on the console: the publisher's own log threw.
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
  /** How many lines of this event and reason this process or isolate has logged, this one included; filled in by the broker. */
  readonly count?: number;
  /** Ties the line to the reference id that a person sees on an error page; absent where no request is concerned. */
  readonly requestId?: string;
  readonly endpoint?: string;
  readonly clientId?: string;
  readonly provider?: string;
  /** What a provider said, in a word of ours: `logout`, `account-disabled`. */
  readonly securityEvent?: string;
  /** Where a code went: tells which GPT signed somebody in. */
  readonly redirectUri?: string;
  readonly reason?: ErrorReason;
  /** What went wrong underneath, as far as it is known; for operators only. */
  readonly cause?: string;
  /** The calls that led to what nobody foresaw. */
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
 * Wraps a log so that each line has the number of lines so far with its event and reason. Both are closed sets, so few counts are kept.
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
