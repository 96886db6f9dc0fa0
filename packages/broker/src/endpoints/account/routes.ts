/** Every endpoint of the account page with its path. */
import type { EndpointPlan } from '../../doors/endpoint.ts';
import { accountEndpoint } from './account.ts';
import { endAppsEndpoint } from './apps.ts';
import { confirmLinkEndpoint, linkEndpoint, unlinkEndpoint } from './identities.ts';
import { type AccountRooms, accountPaths } from './rooms.ts';
import { accountSignInEndpoint } from './sign-in.ts';
import { signOutEndpoint } from './sign-out.ts';
import { deleteAccountEndpoint, exportEndpoint } from './stored-data.ts';

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
