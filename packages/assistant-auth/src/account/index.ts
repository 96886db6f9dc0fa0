/** The subpath `assistant-auth/account`: the account page, where people manage connected apps, sign-in methods and their data. */
import type { BrokerContext } from '../context.ts';
import type { AccountFeature } from '../sign-in/callback.ts';
import { accountCallback, linkCallback } from './complete.ts';
import { endAppsEndpoint } from './connected-apps.ts';
import {
  type AccountContext,
  type AccountOptions,
  accountClient,
  accountPaths,
  defaultAccountPages,
} from './context.ts';
import { deleteAccountEndpoint, exportEndpoint } from './export-and-delete.ts';
import { confirmLinkEndpoint, linkEndpoint, unlinkEndpoint } from './identities.ts';
import { accountEndpoint } from './page.ts';
import { accountSignInEndpoint, signOutEndpoint } from './sign-in.ts';

export { type AccountOptions, type AccountPages, defaultAccountPages } from './context.ts';
export type { AccountModel, AccountNotice, Proof } from './ui/account-page.ts';
export type { LinkModel, TakenModel } from './ui/link-page.ts';
export type { AccountSignInModel, AccountSignInNotice } from './ui/sign-in-page.ts';

/** Creates the account page, for the option `account` of `createBroker`. */
export const accountPages = (options: AccountOptions = {}): AccountFeature => {
  const resolve = (context: BrokerContext): AccountContext => ({
    ...context,
    accountPages: { ...defaultAccountPages, ...options.pages },
    account: accountClient(context.issuer),
    onExportUser: options.onExportUser ?? (async () => undefined),
    onDeleteUser: options.onDeleteUser ?? (async () => {}),
  });
  return {
    endpoints(brokerContext) {
      const context = resolve(brokerContext);
      return [
        { path: accountPaths.page, plan: accountEndpoint(context) },
        { path: accountPaths.signIn, plan: accountSignInEndpoint(context) },
        { path: accountPaths.signOut, plan: signOutEndpoint(context) },
        { path: accountPaths.endApps, plan: endAppsEndpoint(context) },
        { path: accountPaths.link, plan: linkEndpoint(context) },
        { path: accountPaths.confirmLink, plan: confirmLinkEndpoint(context) },
        { path: accountPaths.unlink, plan: unlinkEndpoint(context) },
        { path: accountPaths.exportData, plan: exportEndpoint(context) },
        { path: accountPaths.deleteAccount, plan: deleteAccountEndpoint(context) },
      ];
    },
    callbacks(brokerContext) {
      const context = resolve(brokerContext);
      return { account: accountCallback(context), link: linkCallback(context) };
    },
  };
};
