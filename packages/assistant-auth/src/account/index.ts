/** Every endpoint of the account page with its path. */
import type { EndpointPlan } from '../endpoint/handler.ts';
import { endAppsEndpoint } from './connected-apps.ts';
import { type AccountRooms, accountPaths } from './context.ts';
import { deleteAccountEndpoint, exportEndpoint } from './export-and-delete.ts';
import { confirmLinkEndpoint, linkEndpoint, unlinkEndpoint } from './identities.ts';
import { accountEndpoint } from './page.ts';
import { accountSignInEndpoint, signOutEndpoint } from './sign-in.ts';

export const accountRoutes = (
  rooms: AccountRooms,
): readonly { readonly path: string; readonly plan: EndpointPlan }[] => {
  const paths = accountPaths(rooms.accountPath);
  return [
    { path: rooms.accountPath, plan: accountEndpoint(rooms) },
    { path: paths.signIn, plan: accountSignInEndpoint(rooms) },
    { path: paths.signOut, plan: signOutEndpoint(rooms) },
    { path: paths.endApps, plan: endAppsEndpoint(rooms) },
    { path: paths.link, plan: linkEndpoint(rooms) },
    { path: paths.confirmLink, plan: confirmLinkEndpoint(rooms) },
    { path: paths.unlink, plan: unlinkEndpoint(rooms) },
    { path: paths.exportData, plan: exportEndpoint(rooms) },
    { path: paths.deleteAccount, plan: deleteAccountEndpoint(rooms) },
  ];
};
