/** `POST`s about all that is stored of a person: a file of it, and its end. */
import type { EndpointPlan, Visit } from '../endpoint/handler.ts';
import { download } from '../http/responses.ts';
import { describeCause } from '../oauth/errors.ts';
import type { EpochSeconds } from '../oauth/time.ts';
import { forgetSession } from '../sign-in/session.ts';
import type { Account, HistoryEntry, StoredGrant, StoredToken } from '../storage/broker-storage.ts';
import { openProviderToken } from '../tokens/sealers.ts';
import type { AccountContext } from './context.ts';
import { backToAccount, provenForm } from './forms.ts';

export const exportEndpoint = (rooms: AccountContext): EndpointPlan =>
  provenForm(rooms, { name: 'export', fields: [] }, async ({ visit }, { userId }) => {
    const { ledger, now } = rooms;
    const account = await ledger.readAccount(userId);
    if (account === undefined) return backToAccount(rooms, 'session-ended', [forgetSession()]);
    const history = await ledger.readHistory(userId);
    const app = await rooms.onExportUser(userId);
    visit.log({ event: 'exported' });
    return download(
      {
        exportedAt: instant(now()),
        userId,
        ...exported(account),
        history: history.map(dated),
        ...(app !== undefined && { app }),
      },
      'my-data.json',
    );
  });

export const deleteAccountEndpoint = (rooms: AccountContext): EndpointPlan =>
  provenForm(rooms, { name: 'delete', fields: ['confirm'] }, async ({ visit, fields }, { userId }) => {
    if (fields.confirm !== 'yes') return backToAccount(rooms, 'delete-unticked');
    const { ledger, now } = rooms;
    // The publisher's part first: should it fail, the account is still there, and they can try again.
    await rooms.onDeleteUser(userId);
    const outcome = await ledger.deleteUser({ userId, by: 'user', now: now() });
    if (outcome.kind === 'deleted') await revokeAtProviders(rooms, visit, outcome.tokens);
    visit.log({ event: 'deleted' });
    return backToAccount(rooms, 'deleted', [forgetSession()]);
  });

const exported = ({ createdAt, identities, grants }: Account) => ({
  createdAt: instant(createdAt),
  identities: identities.map((identity) => ({
    provider: identity.provider,
    subject: identity.subject,
    ...(identity.label !== undefined && { label: identity.label }),
    providerTokenStored: identity.watched,
    addedAt: instant(identity.createdAt),
    lastSignInAt: instant(identity.lastSignInAt),
  })),
  grants: grants.map(exportedGrant),
});

const exportedGrant = ({ createdAt, revokedAt, use, sid, identity, ...grant }: StoredGrant) => {
  const { clientId, redirectUri, scopes, resource, claims } = grant;
  return {
    ...{ clientId, redirectUri, scopes, resource, claims, provider: identity.provider },
    ...(sid !== undefined && { providerSession: sid }),
    grantedAt: instant(createdAt),
    ...(use !== undefined && { lastUsedAt: instant(use.lastUsedAt) }),
    ...(revokedAt !== undefined && { endedAt: instant(revokedAt) }),
  };
};

const dated = ({ at, ...entry }: HistoryEntry) => ({ at: instant(at), ...entry });

/** As people and programs read it: `2026-11-24T09:30:00.000Z`. */
const instant = (at: EpochSeconds): string => new Date(at * 1000).toISOString();

// Telling providers that their tokens are needed no longer (RFC 7009). What is gone here is gone, whatever they answer.

/** Revokes each where its provider has an endpoint for it; a failure is logged. */
export const revokeAtProviders = async (
  rooms: Pick<AccountContext, 'providers' | 'vault' | 'recheckIo'>,
  { log }: Pick<Visit, 'log'>,
  tokens: readonly StoredToken[],
): Promise<void> => {
  const { providers, vault, recheckIo } = rooms;
  const revoke = async (token: StoredToken): Promise<void> => {
    const opened = await openProviderToken(vault, token);
    if (opened.kind === 'opened') await providers.get(token.provider)?.revoke?.(opened.value, recheckIo);
  };
  const settled = await Promise.allSettled(tokens.map(revoke));
  settled.forEach((one, at) => {
    const provider = tokens[at]?.provider;
    if (one.status === 'rejected' && provider !== undefined)
      log({ event: 'revocation-failed', provider, cause: describeCause(one.reason) });
  });
};
