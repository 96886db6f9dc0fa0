/**
 * Lifetimes of tokens, codes, forms, transactions and sessions, with the bounds within which a publisher can
 * change them, and the grace periods of codes and refresh tokens.
 */

import { parseSeconds, rejectUnknownOptions } from '../oauth/errors.ts';
import type { Seconds } from '../oauth/identifiers.ts';
import { grantRetention, maxAccessLifetime, type RefreshPolicy } from '../storage/broker-storage.ts';

const minute = 60;
const hour = 60 * minute;
const day = 24 * hour;

/**
 * How long tokens, codes, forms and sessions are valid, in whole seconds. Startup fails if a value is out of
 * bounds. An idle lifetime is never longer than the absolute one.
 */
export interface Lifetimes {
  /** How long an access token is valid. From 10 minutes to a day. Default: 30 minutes. */
  readonly access: Seconds;
  /**
   * How long an authorization code is valid. From 10 seconds to 10 minutes. Default: a minute.
   * @see RFC 6749 §4.1.2
   */
  readonly code: Seconds;
  /**
   * How long the sign-in page can stay open before its form expires. From a minute to a day. Default: 30
   * minutes.
   */
  readonly consent: Seconds;
  /** How long a user can take at the provider. From a minute to an hour. Default: 10 minutes. */
  readonly transaction: Seconds;
  /**
   * How long a refresh token that stays the same (`stable`) is valid without being used. From a day to 400
   * days. Default: 60 days.
   */
  readonly stableRefreshIdle: Seconds;
  /**
   * How long a refresh token that stays the same is valid after it was issued, however often it is used. From
   * a day to 400 days. Default: 365 days.
   */
  readonly stableRefreshAbsolute: Seconds;
  /**
   * How long a refresh token that each use replaces (`rotating`) is valid without being used. From an hour to
   * 400 days. Default: 30 days.
   */
  readonly rotatingRefreshIdle: Seconds;
  /**
   * How long refresh tokens that each use replaces are valid after the first one was issued, however often
   * they are used. From an hour to 400 days. Default: 180 days.
   */
  readonly rotatingRefreshAbsolute: Seconds;
  /**
   * How long a session of the account page stays valid without use. From 5 minutes to 30 days. Default: 7
   * days.
   */
  readonly sessionIdle: Seconds;
  /**
   * How long a session of the account page stays valid, however often it is used. From 5 minutes to 90 days.
   * Default: 30 days.
   */
  readonly sessionAbsolute: Seconds;
  /**
   * How long the grants of an identity can still be refreshed after its upstream token was dropped because of
   * an inconclusive recheck, unless the user signs in again. From an hour to 400 days. Default: 30 days.
   */
  readonly inconclusiveRecheck: Seconds;
  /**
   * How long a refresh token that was replaced is accepted as a retry, because the response with its
   * successor may have been lost. From 0 to 10 minutes. With 0, each refresh token can be used only once: any
   * second use counts as theft and revokes the grant, even if a client only refreshes twice at the same time.
   * Default: 2 minutes.
   * @see RFC 9700 §4.14.2
   */
  readonly refreshGrace: Seconds;
}

/**
 * How long a refresh token is valid without being used (`idle`), and in total (`absolute`). `idle` is never
 * longer than `absolute`.
 */
interface RefreshLifetime {
  readonly idle: Seconds;
  readonly absolute: Seconds;
}

export interface ParsedLifetimes extends Lifetimes {
  /** By the refresh policy of the client. */
  readonly refresh: Readonly<Record<Exclude<RefreshPolicy, 'none'>, RefreshLifetime>>;
}

/** How long the browser has to follow the redirect that turns a form post into a GET request. */
export const formPostLifetime: Seconds = minute;

/**
 * A second redemption of a code within this period may be a retry: the request fails, but the grant is not
 * revoked.
 */
export const codeReplayGrace: Seconds = 10;

/** How long one recheck of an identity can take before another one can start. */
export const recheckLeaseDuration: Seconds = minute;

/**
 * Completes the publisher's lifetimes with the defaults. Access tokens are valid for at least 10 minutes
 * because Claude refreshes 5 minutes early.
 * @throws ConfigurationError `lifetimes.<name>` for a number that is not whole or is out of bounds
 */
export const parseLifetimes = (overrides: Partial<Lifetimes> = {}): ParsedLifetimes => {
  const parse = (name: keyof Lifetimes, fallback: Seconds, min: Seconds, max: Seconds): Seconds =>
    parseSeconds(`lifetimes.${name}`, overrides[name] ?? fallback, min, max);
  const lifetimes: Lifetimes = {
    access: parse('access', 30 * minute, 10 * minute, maxAccessLifetime),
    code: parse('code', minute, 10, 10 * minute),
    consent: parse('consent', 30 * minute, minute, day),
    // At most `grantRetention`, so that a repeated callback still finds its grant.
    transaction: parse('transaction', 10 * minute, minute, grantRetention),
    stableRefreshIdle: parse('stableRefreshIdle', 60 * day, day, 400 * day),
    stableRefreshAbsolute: parse('stableRefreshAbsolute', 365 * day, day, 400 * day),
    rotatingRefreshIdle: parse('rotatingRefreshIdle', 30 * day, hour, 400 * day),
    rotatingRefreshAbsolute: parse('rotatingRefreshAbsolute', 180 * day, hour, 400 * day),
    sessionIdle: parse('sessionIdle', 7 * day, 5 * minute, 30 * day),
    sessionAbsolute: parse('sessionAbsolute', 30 * day, 5 * minute, 90 * day),
    inconclusiveRecheck: parse('inconclusiveRecheck', 30 * day, hour, 400 * day),
    // Claude retries after a timeout of 30 seconds.
    refreshGrace: parse('refreshGrace', 2 * minute, 0, 10 * minute),
  };
  rejectUnknownOptions('lifetimes.', overrides, lifetimes);
  const { stableRefreshIdle, stableRefreshAbsolute, rotatingRefreshIdle, rotatingRefreshAbsolute } =
    lifetimes;
  return {
    ...lifetimes,
    refresh: {
      stable: capIdle(stableRefreshIdle, stableRefreshAbsolute),
      rotating: capIdle(rotatingRefreshIdle, rotatingRefreshAbsolute),
    },
  };
};

const capIdle = (idle: Seconds, absolute: Seconds): RefreshLifetime => ({
  idle: Math.min(idle, absolute),
  absolute,
});
