/** The options, paths and pages of the account page, and the context that its endpoints share. */

import type { PublicClient } from '../clients/client.ts';
import type { BrokerContext } from '../context.ts';
import { accountClientId, type UserId } from '../oauth/identifiers.ts';
import type { Issuer } from '../oauth/resource.ts';
import type { AccountStorage } from '../storage/account-storage.ts';
import type { LocalizedBranding } from '../ui/branding.ts';
import type { AccountModel, UserFact } from './ui/account-model.ts';
import { renderAccountPage } from './ui/account-page.ts';
import { type AccountSignInModel, renderAccountSignInPage } from './ui/account-sign-in-page.ts';
import {
  type LinkConflictModel,
  type LinkModel,
  renderLinkConflictPage,
  renderLinkPage,
} from './ui/link-page.ts';
import { accountStylesheet } from './ui/stylesheet.ts';
import type { AccountBranding } from './ui/texts.ts';

/**
 * The pages of the account. A replacement must follow the rules of `Pages`, and its forms must post the same
 * fields as the forms of the default pages.
 */
export interface AccountPages {
  /**
   * Renders the account page of a signed-in user from an {@link AccountModel}. Default:
   * `defaultAccountPages.account`.
   */
  readonly account: (model: AccountModel) => string;
  /**
   * Renders the page that is shown if nobody is signed in, from an {@link AccountSignInModel}. Default:
   * `defaultAccountPages.accountSignIn`.
   */
  readonly accountSignIn: (model: AccountSignInModel) => string;
  /**
   * Renders the page that asks whether to link an identity, from a {@link LinkModel}. This is a consent page,
   * so it must show both identities. Default: `defaultAccountPages.link`.
   */
  readonly link: (model: LinkModel) => string;
  /**
   * Renders the page for an identity that belongs to another account, from a {@link LinkConflictModel}.
   * Default: `defaultAccountPages.linkConflict`.
   */
  readonly linkConflict: (model: LinkConflictModel) => string;
  /**
   * The CSS that these pages need. It is served before `stylesheet` of `Pages`, in the same file. Default:
   * `defaultAccountPages.stylesheet`.
   */
  readonly stylesheet: string;
}

/** The pages that are shown unless the option `pages` of `accountPages` replaces them. */
export const defaultAccountPages: AccountPages = {
  account: renderAccountPage,
  accountSignIn: renderAccountSignInPage,
  link: renderLinkPage,
  linkConflict: renderLinkConflictPage,
  stylesheet: accountStylesheet,
};

/** Returns facts about a user, in a language. See {@link AccountOptions.summarizeUser}. */
export type SummarizeUser = (userId: UserId, language: string) => Promise<readonly UserFact[]>;

/** The options of `accountPages`. */
export interface AccountOptions {
  /** Replaces individual pages. Default: `defaultAccountPages`. */
  readonly pages?: Partial<AccountPages>;
  /**
   * Returns facts about a user, such as a score, for the profile on the account page: at most 10, with labels
   * and values of plain text on one line, of at most 100 characters each. `language` is the BCP 47 tag of the
   * page's language. It is called each time the page is shown, and the page waits for it, but at most three
   * seconds. If it throws, takes longer or returns anything else, the page is shown without facts, and
   * `page-failed` is logged. Default: no facts.
   */
  readonly summarizeUser?: SummarizeUser;
  /**
   * Returns the publisher's data about a user, as a value that can be serialized to JSON, for the file that
   * the user can download. Default: the file contains only the broker's data.
   */
  readonly onExportUser?: (userId: UserId) => Promise<unknown>;
  /**
   * Deletes the publisher's data about a user, before the broker deletes the account. If it throws, nothing
   * else is deleted and the user can try again, so it can be called more than once. APIs accept the user's
   * access tokens for up to ten seconds more (60 while storage is unavailable), and an API in another
   * process without `revocations` until they expire. Therefore, code that writes data of a user must check
   * that the user still exists. Default: does nothing.
   */
  readonly onDeleteUser?: (userId: UserId) => Promise<void>;
}

/** The shared context, and the storage of sessions. */
export interface SessionContext extends BrokerContext {
  /** The methods of storage that only the account page calls. */
  readonly accountStorage: AccountStorage;
}

/** The shared context, and what only the account page uses. */
export interface AccountContext extends SessionContext {
  readonly branding: LocalizedBranding<AccountBranding>;
  readonly accountPages: AccountPages;
  /** The client of all sessions: a session is a grant of this client. */
  readonly account: PublicClient;
  readonly summarizeUser: SummarizeUser;
  readonly onExportUser: (userId: UserId) => Promise<unknown>;
  readonly onDeleteUser: (userId: UserId) => Promise<void>;
}

/** The paths of the account page and of the endpoints that its forms post to. */
export const accountPaths = {
  page: '/account',
  signIn: '/account/sign-in',
  signOut: '/account/sign-out',
  disconnectApps: '/account/apps/disconnect',
  signOutDevice: '/account/devices/sign-out',
  link: '/account/link',
  confirmLink: '/account/link/confirm',
  linkSeen: '/account/linked/seen',
  unlink: '/account/unlink',
  exportData: '/account/export',
  deleteAccount: '/account/delete',
} as const;

/**
 * Returns the client of all sessions: a session is a grant of this client. It is not in `clients`, so no
 * request for a code or a token can use its ID.
 */
export const createAccountClient = (issuer: Issuer): PublicClient => ({
  kind: 'static',
  id: accountClientId,
  name: 'the account page',
  redirects: [{ kind: 'exact', uri: issuer + accountPaths.page }],
  scopes: [],
  defaultScopes: [],
  unknownScopes: 'refused',
  pkce: 'required',
  refresh: 'stable',
  offlineAccess: 'always',
  refreshFailureStatus: 400,
  authentication: 'none',
});
