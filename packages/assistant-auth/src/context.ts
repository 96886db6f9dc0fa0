/**
 * The context that the endpoints of one broker share: `config.ts` builds it once from the options, and
 * functions that need only a part take a `Pick` of it. Also the paths of the endpoints, the types of
 * `resolveUser`, and the replaceable pages.
 */

import type { Client } from './clients/client.ts';
import type { IntrospectionClient } from './clients/introspection-client.ts';
import type { ClientRegistry } from './clients/registry.ts';
import type { Limits } from './limits/rate-limits.ts';
import type { Clock, Identity, Milliseconds, Seconds, UserClaims, UserId } from './oauth/identifiers.ts';
import type { LogEntry } from './oauth/log.ts';
import type { RefusalLink } from './oauth/protocol-error.ts';
import type { Issuer } from './oauth/resource.ts';
import type { ScopeDescriptions } from './oauth/scope.ts';
import type { RandomBytes } from './oauth/secrets.ts';
import type { IdentityProvider, ProviderIo } from './providers/provider.ts';
import type { BrokerStorage, LateRefresh } from './storage/broker-storage.ts';
import type { WaitUntil } from './storage/cleanup.ts';
import type { RevocationCache } from './storage/revocation-cache.ts';
import type { ParsedLifetimes } from './tokens/lifetimes.ts';
import type { AuthorizationRequest } from './tokens/sealed-types.ts';
import type { Sealers } from './tokens/sealers.ts';
import type { LocalizedBranding } from './ui/branding.ts';
import { type CompletedModel, type ErrorModel, renderCompletedPage, renderErrorPage } from './ui/error.ts';
import { renderSignInPage, type SignInModel } from './ui/sign-in.ts';
import { stylesheet } from './ui/stylesheet.ts';

/**
 * The paths on the issuer's origin, except those of the account page. The paths of callbacks, logout tokens
 * and events continue with the ID of a provider, those of icons with a file name, and those of resource
 * metadata with the path of the resource.
 */
export const paths = {
  authorize: '/authorize',
  consent: '/authorize/consent',
  stylesheet: '/authorize/style.css',
  icons: '/authorize/icons',
  callback: '/callback',
  token: '/token',
  revocation: '/revoke',
  introspection: '/introspect',
  backchannelLogout: '/backchannel-logout',
  events: '/events',
  metadata: '/.well-known/oauth-authorization-server',
  resourceMetadata: '/.well-known/oauth-protected-resource',
} as const;

/** The shared context of a broker. */
export interface BrokerContext {
  /** The issuer identifier (RFC 8414 §2). It comes from the configuration, never from a request. */
  readonly issuer: Issuer;
  /** The canonical resource identifiers (RFC 8707); the first is the default. */
  readonly resources: readonly [string, ...string[]];
  /** All scopes, each with the descriptions that the pages show, by language. */
  readonly scopes: ScopeDescriptions;
  readonly clients: ClientRegistry;
  /** The APIs in other processes that can use the introspection endpoint, by ID. */
  readonly introspectionClients: ReadonlyMap<string, IntrospectionClient>;
  readonly providers: ReadonlyMap<string, IdentityProvider>;
  readonly storage: BrokerStorage;
  readonly revocations: RevocationCache;
  /** Starts a cleanup if one is due, and returns at once. Absent without the option `cleanupInterval`. */
  readonly startCleanupIfDue: ((waitUntil: WaitUntil) => void) | undefined;
  readonly sealers: Sealers;
  readonly lifetimes: ParsedLifetimes;
  readonly lateRefresh: LateRefresh;
  /**
   * Continues a sign-in in a session of the account page. Absent without that page, which starts the
   * sessions, and is the only place to sign out.
   */
  readonly sessions: Sessions | undefined;
  readonly limits: Limits;
  /** The option of the same name. Without it, requests are not counted by address. */
  readonly clientAddress: ((request: Request) => string | undefined) | undefined;
  readonly resolveUser: ResolveUser;
  /** The option of the same name. Without it, a refresh keeps the claims of the grant. */
  readonly refreshUser: RefreshUser | undefined;
  readonly pages: Pages;
  readonly branding: LocalizedBranding;
  /** For requests to providers during a sign-in, and to verify security events. */
  readonly providerIo: ProviderIo;
  /**
   * For rechecks and for the revocation of upstream tokens, with a shorter timeout: a client or a browser
   * waits for the response.
   */
  readonly recheckIo: ProviderIo;
  /**
   * Logs an event, and passes it to `onEvent`.
   * @param waitUntil that of the request. Default: the option of `createBroker`
   */
  readonly log: (entry: LogEntry, waitUntil?: WaitUntil) => void;
  readonly now: Clock;
  readonly sleep: (duration: Milliseconds) => Promise<void>;
  /** Keeps work running after the response. */
  readonly waitUntil: WaitUntil;
  readonly randomBytes: RandomBytes;
}

/** Lets a user sign in to a client by continuing in a session of the account page. */
export interface Sessions {
  /** The path of the account page, where users disconnect clients. */
  readonly accountPath: string;
  /**
   * Returns the ID of this browser's session if its cookie is genuine and has not expired. Does not check in
   * storage whether the session is still active.
   */
  readonly identify: (
    request: Request,
    context: Pick<BrokerContext, 'sealers' | 'now'>,
  ) => Promise<string | undefined>;
  /**
   * Finds the session of this browser that the sign-in page can offer to continue in.
   * @param maxAge how long ago the user can have authenticated. Default: any session is offered
   * @throws StorageUnavailable
   */
  readonly findOffer: (
    request: Request,
    context: BrokerContext,
    maxAge: Seconds | undefined,
  ) => Promise<SessionOffer>;
  /**
   * Rechecks the identity of the session, and records a sign-in of its user.
   * @param offeredSession the grant ID of the session that the page offered
   * @throws ProtocolError `resolve-user.…`, because `resolveUser` is called at every sign-in,
   *   `user.limited`, or `provider.changed`
   */
  readonly continueSession: (
    context: BrokerContext,
    request: Request,
    offeredSession: string | undefined,
    client: Client,
    authorizationRequest: AuthorizationRequest,
  ) => Promise<ContinueSessionResult>;
}

/** The session that the sign-in page offers to continue in, or a notice that explains why there is none. */
export interface SessionOffer {
  readonly session?: string;
  readonly display?: NonNullable<SignInModel['session']>;
  readonly notice?: NonNullable<SignInModel['notice']>;
}

/** The result of continuing in a session. */
export type ContinueSessionResult =
  | { readonly kind: 'recorded'; readonly grantId: string }
  /** `sessionOffer` contains the notice for the page; `cookies` are set with the page. */
  | { readonly kind: 'stopped'; readonly sessionOffer: SessionOffer; readonly cookies: readonly string[] };

/**
 * Maps a verified identity to one of the publisher's users, or refuses the sign-in. It is called at every
 * sign-in, including those to the account page, and when an identity is linked, but not when a token is
 * refreshed (see `refreshUser`). It can create a user, but only in a way that can be repeated, such as an
 * upsert by provider and subject: it can be called more than once for an identity, also at the same time, and
 * the sign-in can still fail afterward, for example because of a limit. If it throws, the sign-in fails, the
 * broker stores nothing, and the error is logged. `language` is the BCP 47 tag of the page's language, for
 * `message`.
 * @example
 * ```ts
 * import type { ResolveUser } from 'assistant-auth';
 *
 * // Accepts only members of one Google Workspace organization.
 * export const resolveUser: ResolveUser = async ({ provider, claims }) =>
 *   provider === 'google' && claims['hd'] === 'words.example'
 *     ? { kind: 'accepted', claims: { role: 'member' } }
 *     : {
 *         kind: 'refused',
 *         reason: 'not a member of words.example',
 *         message: 'Only members of words.example can use this app. Ask your administrator for an account.',
 *         link: { text: 'Email the administrator', href: 'mailto:admin@words.example' },
 *       };
 * ```
 */
export type ResolveUser = (identity: Identity, client: Client, language: string) => Promise<UserResolution>;

/** The result of `resolveUser`. */
export type UserResolution = AcceptedUser | RefusedUser;

/** The sign-in is accepted, for one of the publisher's users. */
export interface AcceptedUser {
  /** The sign-in continues. */
  readonly kind: 'accepted';
  /**
   * The publisher's own user ID: at most 255 bytes, not empty. The same identity must always get the same ID.
   * Default: the broker assigns one and remembers it.
   */
  readonly userId?: UserId;
  /**
   * Claims that `protect` returns with every call: strings, numbers and booleans, at most 512 bytes as JSON.
   * They stay as they are until the user signs in again, unless `refreshUser` changes them. Clients cannot
   * read them. Default: none.
   */
  readonly claims?: UserClaims;
}

/** The sign-in is refused. */
export interface RefusedUser {
  /**
   * Without `message`, the browser returns to the client at once, with `access_denied`; a sign-in to the
   * account page gets an error page.
   */
  readonly kind: 'refused';
  /** Why. It is logged, and neither the user nor the client sees it. */
  readonly reason: string;
  /**
   * What the user can do, such as whom to ask. A page with status 403 shows it, with the account that was
   * used and a link to return. The client gets `access_denied` if the user follows that link, and never gets
   * the message. Plain text on one line, of at most 1,000 bytes, without control characters. If it or the
   * link is not valid, the user is refused as without them, and the log says `resolve-user.invalid-refusal`
   * and why. Default: no page.
   */
  readonly message?: string;
  /** A link below `message`, such as to a page that creates an account. Requires `message`. Default: none. */
  readonly link?: RefusalLink;
}

/**
 * Decides at each refresh whether the user can still use the client, and with which claims. It is called
 * before the refresh token is used, and only if the refresh would otherwise succeed. The refresh can still
 * fail afterward. If it throws or returns something else, the client gets status 503, the refresh token stays
 * valid, and the error is logged. A client waits for the response, so it should take at most a few seconds.
 * @example
 * ```ts
 * import type { RefreshUser } from 'assistant-auth';
 *
 * declare const findRole: (userId: string) => Promise<string | undefined>; // in the publisher's database
 *
 * // Refuses users who have no role any longer, and keeps the role up to date.
 * export const refreshUser: RefreshUser = async ({ userId }) => {
 *   const role = await findRole(userId);
 *   return role === undefined
 *     ? { kind: 'refused', reason: 'the user has no role' }
 *     : { kind: 'accepted', claims: { role } };
 * };
 * ```
 */
export type RefreshUser = (user: RefreshingUser) => Promise<RefreshUserResult>;

/** The user of a grant that is about to be refreshed. Contains no token and no grant ID. */
export interface RefreshingUser {
  /** The ID of the user. */
  readonly userId: UserId;
  /** The ID of the provider that the user signed in with. It is in the configuration. */
  readonly provider: string;
  /** The user's ID at that provider. */
  readonly subject: string;
  /** The client that refreshes. */
  readonly clientId: string;
  /** The claims of the grant, from `resolveUser` or an earlier refresh. */
  readonly claims: UserClaims;
}

/** The result of `refreshUser`. */
export type RefreshUserResult =
  /** The refresh continues. */
  | {
      readonly kind: 'accepted';
      /**
       * Claims that replace those of the grant from now on, with the same limits as those of `resolveUser`.
       * Default: they stay the same.
       */
      readonly claims?: UserClaims;
    }
  /**
   * The client gets `invalid_grant`, and the grant is revoked: its access tokens stop working within ten
   * seconds, or within 60 while storage is unreachable. Other grants of the user are refused at their own
   * next refresh.
   */
  | {
      readonly kind: 'refused';
      /** Why. It is logged, and neither the user nor the client sees it. */
      readonly reason: string;
    };

/**
 * The pages that the broker shows. A replacement must return a complete HTML document, escape every value
 * (`html` does) and work under a CSP that allows no scripts, no inline styles and nothing from other origins.
 * The sign-in page is also the consent page: it must show the client, what is known about it besides its
 * name, the redirect host, the scopes and a way to cancel, and warn if the code is sent to an app on the
 * user's device. Its form must post the same fields to `action` as the form of the default page.
 */
export interface Pages {
  /**
   * Renders the sign-in page, which asks for consent, from a {@link SignInModel}. Default:
   * `defaultPages.signIn`; with the option `account`, `renderSignInPageWithSession` of
   * `assistant-auth/account`.
   */
  readonly signIn: (model: SignInModel) => string;
  /**
   * Renders the error page from an {@link ErrorModel}. It must show `detail`, which developers of clients
   * need. Default: `defaultPages.error`.
   */
  readonly error: (model: ErrorModel) => string;
  /**
   * Renders the page for a callback that arrives again after it was handled, from a {@link CompletedModel}.
   * Default: `defaultPages.completed`.
   */
  readonly completed: (model: CompletedModel) => string;
  /**
   * The CSS that is served at `stylesheetPath`, after that of the account pages if there are any, and before
   * the rules for `branding.colors`. To change more than colors, append rules to the default. Default:
   * `defaultPages.stylesheet`.
   */
  readonly stylesheet: string;
}

/** The pages that are shown unless the option `pages` replaces them. */
export const defaultPages: Pages = {
  signIn: renderSignInPage,
  error: renderErrorPage,
  completed: renderCompletedPage,
  stylesheet,
};
