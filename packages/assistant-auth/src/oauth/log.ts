/**
 * The log events: one flat, structured line per event. The broker puts no secret, token, code or user ID into
 * a line, but `cause` and `stack` can contain messages of other code, such as `resolveUser`.
 */
/**
 * An event in the log. Secrets, tokens, codes and user IDs are never part of it, except that `cause` and
 * `stack` can contain messages of other code.
 */
export interface LogEntry {
  /** What happened. */
  readonly event: LogEvent;
  /**
   * How many lines with this event and reason this process or isolate has logged, including this one. Set by
   * the broker.
   */
  readonly count?: number;
  /** The ID of the request, which an error page shows as the reference. Some events have none. */
  readonly requestId?: string;
  /** The endpoint that handled the request, such as `token`. Some events have none. */
  readonly endpoint?: string;
  /**
   * The client that it concerns, if it is known. That of a refused request is only claimed. Anyone can make up the
   * ID of a client that is not in the configuration.
   */
  readonly clientId?: string;
  /** The ID of the provider that it concerns, if any. */
  readonly provider?: string;
  /** The type of a provider's security event: `logout`, `account-disabled`. */
  readonly securityEvent?: string;
  /** The redirect URI of the sign-in. That of a GPT contains its ID. */
  readonly redirectUri?: string;
  /**
   * The code of the reason why a request was refused: an area and a cause, such as `refresh.reused` or
   * `client.unknown`. For filters and alerts. A code is never renamed and keeps its meaning; new codes can be
   * added.
   */
  readonly reason?: string;
  /** The underlying error and its causes, if they are known. For operators only. */
  readonly cause?: string;
  /** The stack of an unexpected error, without its message. */
  readonly stack?: string;
}

/** What happened, in the log. */
export type LogEvent =
  /** A user signed in. */
  | 'signed-in'
  /** A code or a refresh token was exchanged for tokens. */
  | 'tokens-issued'
  /**
   * A request was refused; `reason` says why. Each response with a status of 400 or more, and each redirect to
   * a client with an error, has exactly one of these.
   */
  | 'refused'
  /** Grants were revoked. */
  | 'revoked'
  /** An identity was added to an account. */
  | 'linked'
  /** An identity was removed from an account. */
  | 'unlinked'
  /** A user downloaded their data. */
  | 'exported'
  /** A user deleted their account. */
  | 'deleted'
  /**
   * At startup: a client accepts any GPT, so anyone who knows its secret can sign users in with their own
   * GPT.
   */
  | 'unrestricted-gpt'
  /** A client registered itself. Nothing was stored. */
  | 'client-registered'
  /**
   * The metadata document or the keys of a client could not be read or are not valid. `clientId` is the URL of
   * the document or of the keys. A cached or stored copy of the document may have been used instead.
   */
  | 'document-failed'
  /** A rate limiter failed, so the request was allowed. */
  | 'limiter-failed'
  /** A cleanup failed. Expired rows may stay until the next one. */
  | 'cleanup-failed'
  /** A recheck had no conclusive result. Grants stay, and the identity is rechecked later. */
  | 'recheck-failed'
  /** A reconsent request failed or returned no refresh token, so the identity cannot be rechecked. */
  | 'no-upstream-token'
  /**
   * An identity lost its upstream token because a recheck was inconclusive, so it cannot be rechecked until
   * the user signs in again.
   */
  | 'upstream-token-dropped'
  /** A replaced refresh token was accepted after the grace period because its successor was not used. */
  | 'late-refresh'
  /** The outcome of a recheck, an upstream token, or counts of refused requests could not be stored. */
  | 'write-failed'
  /** `waitUntil` threw, so the work may not continue after the response. */
  | 'wait-until-failed'
  /**
   * An upstream token that is no longer needed could not be revoked at its provider. It is deleted here
   * anyway.
   */
  | 'revocation-failed'
  /** A provider sent a verified event. The grants that it concerns, if any, were revoked. */
  | 'security-event'
  /**
   * A page could not be shown as configured, because the publisher's error page threw, because `summarizeUser`
   * failed, or because the client that the page links to could not be found. The default page, or a page
   * without the facts or the link, was shown.
   */
  | 'page-failed'
  /** The publisher's `onEvent` threw or rejected. This event is not passed to it. */
  | 'event-hook-failed'
  /** The publisher's log threw. This line goes to the console, and is not passed to `onEvent`. */
  | 'log-failed';

/** Receives a log event. It must return at once; if it throws, the broker writes the event to the console. */
export type Log = (entry: LogEntry) => void;

/**
 * Receives a log event after the log did. What it throws or rejects is logged as `event-hook-failed`, and
 * affects no request.
 */
export type OnEvent = (event: LogEntry) => void | Promise<void>;

/**
 * Wraps a log so that each line has the number of lines so far with its event and reason. Both are closed
 * sets, so few counts are kept.
 */
export const addLogCounts = <Rest extends readonly unknown[]>(
  log: (entry: LogEntry, ...rest: Rest) => void,
): ((entry: LogEntry, ...rest: Rest) => void) => {
  const counts = new Map<string, number>();
  return (entry, ...rest) => {
    const key = `${entry.event} ${entry.reason ?? ''}`;
    const count = (counts.get(key) ?? 0) + 1;
    counts.set(key, count);
    log({ ...entry, count }, ...rest);
  };
};
