/** What the endpoints of the account page stand on, and where they are. */
import type { PublicClient, Registry } from '../clients/client.ts';
import type { PageSurroundings } from '../endpoint/error-page.ts';
import type { UserId } from '../oauth/identifiers.ts';
import type { Issuer } from '../oauth/issuer.ts';
import type { Log } from '../oauth/log.ts';
import type { RandomBytes } from '../oauth/secrets.ts';
import type { IdentityProvider, ProviderIo } from '../providers/provider.ts';
import type { SendingRooms } from '../sign-in/login-transaction.ts';
import type { SessionRooms } from '../sign-in/session.ts';
import type { Vault } from '../tokens/sealers.ts';
import type { MarkPath } from '../ui/layout.ts';
import type { AccountFormRooms } from './forms.ts';

export interface AccountRooms extends PageSurroundings, SessionRooms, AccountFormRooms, SendingRooms {
  readonly vault: Vault;
  readonly registry: Registry;
  readonly account: PublicClient;
  readonly accountPath: string;
  readonly scopes: ReadonlyMap<string, string>;
  readonly providers: ReadonlyMap<string, IdentityProvider>;
  readonly markPath: MarkPath;
  /** For asking a provider while somebody waits. */
  readonly checkIo: ProviderIo;
  readonly randomBytes: RandomBytes;
  readonly log: Log;
  readonly userData: UserData;
}

/** What the publisher keeps of a user beside the broker. */
export interface UserData {
  /** Gives what goes into the file that the person may ask for; nothing, where nothing is kept. */
  readonly onExportUser: (userId: UserId) => Promise<unknown>;
  readonly onDeleteUser: (userId: UserId) => Promise<void>;
}

/** Where everything of the account page is, below its own path. */
export const accountPaths = (accountPath: string) => ({
  signIn: `${accountPath}/sign-in`,
  signOut: `${accountPath}/sign-out`,
  endApps: `${accountPath}/apps/end`,
  link: `${accountPath}/link`,
  confirmLink: `${accountPath}/link/confirm`,
  unlink: `${accountPath}/unlink`,
  exportData: `${accountPath}/export`,
  deleteAccount: `${accountPath}/delete`,
});

// The account page as a client of its own broker: what it is given is a session, and never a token.

/**
 * Makes the client that a session is a grant of. It stands in no registry: nobody can ask for a code or a token in its name.
 * @param id no other client may have it
 * @param path where the page is
 */
export const accountClient = (id: string, issuer: Issuer, path: string): PublicClient => ({
  kind: 'static',
  id,
  name: 'the account page',
  redirects: [{ kind: 'exact', uri: issuer + path }],
  scopes: [],
  defaultScopes: [],
  unknownScopes: 'refused',
  pkce: 'required',
  refresh: 'stable',
  offlineAccess: 'always',
  refreshFailureStatus: 400,
  authentication: 'none',
});
