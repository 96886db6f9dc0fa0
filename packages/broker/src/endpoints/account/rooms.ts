/** What the endpoints of the account page stand on, and where they are. */
import type { PublicClient } from '../../clients/client.ts';
import type { Registry } from '../../clients/registry.ts';
import type { PageSurroundings } from '../../doors/page-door.ts';
import type { UserId } from '../../protocol/identity.ts';
import type { Log } from '../../protocol/log.ts';
import type { RandomBytes } from '../../protocol/random.ts';
import type { IdentityProvider, ProviderIo } from '../../providers/identity-provider.ts';
import type { AccountFormRooms } from '../../sign-in/account-form.ts';
import type { SessionRooms } from '../../sign-in/session.ts';
import type { Vault } from '../../tokens/vault.ts';
import type { MarkPath } from '../authorization/provider-choice.ts';
import type { SendingRooms } from '../authorization/sending.ts';

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
