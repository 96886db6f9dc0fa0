/**
 * The account page's `POST` endpoints for data export and account deletion, and the revocation of upstream
 * tokens.
 */
import type { EndpointDefinition, RequestContext } from '../endpoint/handler.ts';
import { downloadResponse } from '../http/responses.ts';
import { describeCause } from '../oauth/errors.ts';
import type { EpochSeconds } from '../oauth/identifiers.ts';
import { clearLastProvider } from '../sign-in/last-provider.ts';
import { findTokenIssuer } from '../sign-in/provider-recheck.ts';
import type { Account, HistoryEntry, IssuedUpstreamToken, StoredGrant } from '../storage/broker-storage.ts';
import { openUpstreamToken } from '../tokens/sealers.ts';
import type { AccountContext } from './context.ts';
import { redirectToAccount, requireRecentAuth } from './forms.ts';
import { clearSessionCookie } from './session.ts';

export const exportEndpoint = (context: AccountContext): EndpointDefinition =>
  requireRecentAuth(context, { name: 'export', fields: [] }, async ({ requestContext }, { userId }) => {
    const { accountStorage, now } = context;
    const account = await accountStorage.readAccount(userId);
    if (account === undefined) return redirectToAccount(context, 'session-ended', [clearSessionCookie()]);
    const history = await accountStorage.readHistory(userId);
    const app = await context.onExportUser(userId);
    requestContext.log({ event: 'exported' });
    return downloadResponse(
      {
        exportedAt: formatTimestamp(now()),
        userId,
        ...exportAccount(account),
        history: history.map(exportHistoryEntry),
        ...(app !== undefined && { app }),
      },
      'my-data.json',
    );
  });

export const deleteAccountEndpoint = (context: AccountContext): EndpointDefinition =>
  requireRecentAuth(
    context,
    { name: 'delete', fields: ['confirm'] },
    async ({ requestContext, fields }, { userId }) => {
      if (fields.confirm !== 'yes') return redirectToAccount(context, 'delete-not-confirmed');
      const { accountStorage, now } = context;
      // The publisher's data is deleted first: if that fails, the account still exists, and the user can try
      // again.
      await context.onDeleteUser(userId);
      const outcome = await accountStorage.deleteUser({ userId, actor: 'user', now: now() });
      if (outcome.kind === 'deleted') await revokeUpstreamTokens(context, requestContext, outcome.tokens);
      requestContext.log({ event: 'deleted' });
      return redirectToAccount(context, 'deleted', [clearSessionCookie(), clearLastProvider()]);
    },
  );

const exportAccount = ({ createdAt, identities, grants }: Account) => ({
  createdAt: formatTimestamp(createdAt),
  identities: identities.map((identity) => ({
    provider: identity.provider,
    subject: identity.subject,
    ...(identity.label !== undefined && { label: identity.label }),
    providerTokenStored: identity.hasUpstreamToken,
    addedAt: formatTimestamp(identity.createdAt),
    lastSignInAt: formatTimestamp(identity.lastSignInAt),
    ...(identity.isNewlyLinked && { newlyLinked: true }),
  })),
  grants: grants.map(exportGrant),
});

const exportGrant = ({ createdAt, revokedAt, use, sid, device, identity, ...grant }: StoredGrant) => {
  const { clientId, clientName, redirectUri, scopes, resource, claims } = grant;
  return {
    clientId,
    ...(clientName !== undefined && { clientName }),
    ...{ redirectUri, scopes, resource, claims, provider: identity.provider },
    ...(sid !== undefined && { providerSession: sid }),
    ...(device !== undefined && { device }),
    grantedAt: formatTimestamp(createdAt),
    ...(use !== undefined && { lastUsedAt: formatTimestamp(use.lastUsedAt) }),
    ...(revokedAt !== undefined && { revokedAt: formatTimestamp(revokedAt) }),
  };
};

const exportHistoryEntry = ({ at, ...entry }: HistoryEntry) => ({ at: formatTimestamp(at), ...entry });

/** In the format of RFC 3339: `2026-11-24T09:30:00.000Z`. */
const formatTimestamp = (at: EpochSeconds): string => new Date(at * 1000).toISOString();

/**
 * Revokes each token at its provider, if the provider supports that (RFC 7009). The broker has already
 * deleted the tokens, so a failure is only logged.
 */
export const revokeUpstreamTokens = async (
  context: Pick<AccountContext, 'providers' | 'sealers' | 'recheckIo'>,
  { log }: Pick<RequestContext, 'log'>,
  tokens: readonly IssuedUpstreamToken[],
): Promise<void> => {
  const { providers, sealers, recheckIo } = context;
  const revoke = async (token: IssuedUpstreamToken): Promise<void> => {
    const provider = findTokenIssuer(providers, token);
    if (provider === undefined) throw new Error('the provider was changed');
    const opened = await openUpstreamToken(sealers, token);
    if (opened.kind === 'opened') await provider.revoke?.(opened.value, recheckIo);
  };
  const results = await Promise.allSettled(tokens.map(revoke));
  results.forEach((result, at) => {
    const provider = tokens[at]?.provider;
    if (result.status === 'rejected' && provider !== undefined)
      log({ event: 'revocation-failed', provider, cause: describeCause(result.reason) });
  });
};
