/** Signed-in devices: lists the active sessions of a user, and ends one of them. */

import type { EndpointDefinition } from '../endpoint/handler.ts';
import { accountClientId, type EpochSeconds } from '../oauth/identifiers.ts';
import { accountError } from '../oauth/protocol-error.ts';
import type { Account, GrantUse, StoredGrant } from '../storage/broker-storage.ts';
import type { AccountContext } from './context.ts';
import { deriveFormKey, redirectToAccount, requireSession } from './forms.ts';
import { type ActiveSession, isSameIdentity } from './session.ts';
import type { SignedInDevice } from './ui/account-model.ts';

/** Lists the active sessions: the current one first, then the most recently used. */
export const listDevices = async (
  account: Account,
  { grantId: currentId }: ActiveSession,
  now: EpochSeconds,
): Promise<readonly SignedInDevice[]> => {
  const devices = selectActiveSessions(account, now).map(
    async ({ id, createdAt, device, use }): Promise<SignedInDevice> => ({
      key: await deriveFormKey(currentId, id),
      ...(device !== undefined && { description: device }),
      signedInAt: createdAt,
      lastUsedAt: use.lastUsedAt,
      isCurrent: id === currentId,
    }),
  );
  return (await Promise.all(devices)).toSorted(
    (one, other) => Number(other.isCurrent) - Number(one.isCurrent) || other.lastUsedAt - one.lastUsedAt,
  );
};

/** `POST` that ends one session of the user. */
export const signOutDeviceEndpoint = (context: AccountContext): EndpointDefinition =>
  requireSession(
    context,
    { name: 'sign-out-device', fields: ['device'] },
    async ({ requestContext, fields }, { userId, grantId: currentId }) => {
      const { accountStorage, now, account: client } = context;
      const at = now();
      const account = await accountStorage.readAccount(userId);
      for (const { id } of account === undefined ? [] : selectActiveSessions(account, at)) {
        if ((await deriveFormKey(currentId, id)) !== fields.device) continue;
        const reason = 'signed out on another device';
        await accountStorage.revokeGrants({ userId, grantIds: [id], reason, now: at });
        requestContext.log({ event: 'revoked', clientId: client.id });
        return redirectToAccount(context, 'device-signed-out');
      }
      throw accountError('account.item-not-found');
    },
  );

type StoredSession = StoredGrant & { readonly use: GrantUse };

/** As `AccountStorage.useSession`: a session also ends if its identity moves to another user. */
const selectActiveSessions = ({ grants, identities }: Account, now: EpochSeconds): readonly StoredSession[] =>
  grants.filter(
    (grant): grant is StoredSession =>
      grant.clientId === accountClientId &&
      grant.revokedAt === undefined &&
      grant.use !== undefined &&
      grant.use.refreshIdleExpiresAt > now &&
      identities.some((identity) => isSameIdentity(identity, grant.identity)),
  );
