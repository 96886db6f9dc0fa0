/** The face in types: what a publisher passes to `createBroker`, and what comes back. */
import type { Client } from './clients/client.ts';
import type { ResourceServer } from './clients/resource-server.ts';
import type { UserData } from './endpoints/account/rooms.ts';
import type { Protection, Requirement } from './endpoints/protect.ts';
import type { LateRefresh, Ledger } from './ledger/ledger.ts';
import type { Limits } from './limits/limits.ts';
import type { Branding } from './pages/branding.ts';
import type { Pages } from './pages/pages.ts';
import type { Log } from './protocol/log.ts';
import type { RandomBytes } from './protocol/random.ts';
import type { Clock, Milliseconds, Seconds } from './protocol/time.ts';
import type { IdentityProvider } from './providers/identity-provider.ts';
import type { Admit } from './sign-in/admission.ts';
import type { AfterResponse } from './sweeping.ts';
import type { Lifetimes } from './tokens/lifetimes.ts';

export interface BrokerOptions {
  /** The broker's own origin, for example `https://words.example`: no path; http only on loopback. */
  readonly issuer: string;
  /** The key ring: keys written `<id>.<base64url of 32 bytes>`, separated by spaces. The first key seals, all keys open. Secret. */
  readonly sealingKeys: string;
  /**
   * Lists every scope that exists, with a description that completes "it will be able to". `offline_access` is added if a client can get
   * refresh tokens. `openid` is not allowed, because the broker issues no ID tokens.
   */
  readonly scopes: Readonly<Record<string, string>>;
  /**
   * Lists the identifiers (RFC 8707) of the guarded APIs; the first is the default. They must be absolute https URLs (http only on
   * loopback). The case of scheme and host, the default port and `/` as the whole path make no difference (RFC 3986 §6.2.2.1, §6.2.3).
   * Default: the issuer.
   */
  readonly resources?: readonly [string, ...string[]];
  readonly clients: readonly Client[];
  /** APIs in other processes that may ask about the tokens they are sent. Left out: none. */
  readonly resourceServers?: readonly ResourceServer[];
  readonly providers: readonly IdentityProvider[];
  readonly ledger: Ledger;
  /** Maps a verified identity to a user of the publisher's, or refuses it. Left out: everybody, as our own users. */
  readonly admit?: Admit;
  /** Replaces individual limits or the rate limiters that count them. Default: see `Limits`; each process counts separately. */
  readonly limits?: Partial<Limits>;
  /**
   * Tells a caller's network address, from where only the platform can have written it; never from `X-Forwarded-For`, which
   * anybody can send. Left out, or `undefined`: sign-ins are not limited, and failed clients are counted without it.
   */
  readonly clientAddress?: (request: Request) => string | undefined;
  /**
   * Gives what the publisher keeps of a user, as JSON, for the file with all their data that a person may ask for. Left out: nothing
   * beside the broker's own.
   */
  readonly onExportUser?: UserData['onExportUser'];
  /**
   * Deletes what the publisher keeps of a user, before the broker deletes the account. When it throws, nothing else is deleted and
   * the person can try again, so it may be called twice. Access tokens live for up to ten seconds more: a write
   * must make sure that its user is still there.
   */
  readonly onDeleteUser?: UserData['onDeleteUser'];
  /** In seconds; every bound is checked. */
  readonly lifetimes?: Partial<Lifetimes>;
  /**
   * Decides what happens if a client presents a replaced refresh token after the grace period of 120 seconds and its successor was never
   * used. Either the response with the successor was lost, or the token was stolen (RFC 9700 §4.14.2). `recover`: the client gets new
   * tokens, and the successor becomes invalid; presenting the successor then revokes the grant. `revoke`: the grant is revoked at once.
   * Default: `recover`.
   */
  readonly lateRefresh?: LateRefresh;
  readonly branding?: Partial<Branding>;
  /** Replaces whole pages. */
  readonly pages?: Partial<Pages>;
  /**
   * Seconds between two sweeps that writes of this process start by themselves, 60 to 86400, for a platform without a schedule.
   * Left out: none; call `sweep`.
   */
  readonly sweepEvery?: Seconds;
  /** How long a ledger's audit is kept, in seconds: a day to 400 days. Left out: 90 days. */
  readonly auditRetention?: Seconds;
  /**
   * Keeps work going after a response, and if the client disconnects before it: `waitUntil` on Cloudflare, which otherwise stops such
   * work. Set it there: rechecks at providers depend on it. Default: nothing, for platforms that stop no work.
   */
  readonly afterResponse?: AfterResponse;
  /** Left out: one line of JSON per event on the console. */
  readonly log?: Log;
  readonly fetch?: typeof fetch;
  readonly now?: Clock;
  readonly randomBytes?: RandomBytes;
  /** Waits between attempts to store the outcome of a recheck or an upstream token, in milliseconds. Default: `setTimeout`. */
  readonly sleep?: (duration: Milliseconds) => Promise<void>;
}

/** Answers one request. It never throws. */
export type Endpoint = (request: Request) => Promise<Response>;

/** Where an endpoint is mounted, for all methods; a path that ends in `/*` takes everything below it. */
export interface Route {
  readonly path: string;
  readonly endpoint: Endpoint;
}

export interface Broker {
  /** Every endpoint with its path: mount them all, in any router. */
  readonly routes: readonly Route[];
  /** Tells who calls a guarded API, without reading storage on a busy isolate. */
  protect(request: Request, requirement?: Requirement): Promise<Protection>;
  /**
   * Deletes expired data, records which keys are in the ring, and reseals up to a hundred stored upstream tokens with the first key.
   * Call it on a schedule, or set `sweepEvery`.
   */
  sweep(): Promise<void>;
}
