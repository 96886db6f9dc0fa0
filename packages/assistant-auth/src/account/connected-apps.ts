/**
 * Connected apps: lists the active grants of a user, one app per client and redirect host, and revokes them.
 */

import type { Client } from '../clients/client.ts';
import type { EndpointDefinition } from '../endpoint/handler.ts';
import { accountClientId, type EpochSeconds } from '../oauth/identifiers.ts';
import { accountError } from '../oauth/protocol-error.ts';
import { formatRedirectHost } from '../oauth/redirect-uri.ts';
import { isLoopback } from '../oauth/resource.ts';
import type { StoredGrant } from '../storage/broker-storage.ts';
import { describeScope } from '../ui/branding.ts';
import type { AccountContext } from './context.ts';
import { redirectToAccount, requireSession } from './forms.ts';
import { clearSessionCookie } from './session.ts';
import type { ConnectedApp } from './ui/account-model.ts';
import type { AccountBranding } from './ui/texts.ts';

/**
 * Groups active grants into apps, the most recently used first. A grant counts only after its code was
 * redeemed: before that, no app has a token.
 */
export const listConnectedApps = (
  grants: readonly StoredGrant[],
  { clients, scopes }: Pick<AccountContext, 'clients' | 'scopes'>,
  branding: AccountBranding,
  now: EpochSeconds,
): readonly ConnectedApp[] => {
  const groups = new Map<string, ActiveGrant[]>();
  for (const grant of selectActiveGrants(grants, now))
    groups.set(buildAppKey(grant), [...(groups.get(buildAppKey(grant)) ?? []), grant]);
  return [...groups]
    .map(([key, [first, ...others]]): ConnectedApp | undefined => {
      if (first === undefined) return undefined;
      const all = [first, ...others];
      const names = [...new Set(all.flatMap((grant) => grant.scopes))];
      return {
        key,
        ...describeClient(first, clients.configured),
        redirectHost: formatAppHost(first.redirectUri),
        scopes: names.map((name) => ({ name, description: describeScope(scopes, name, branding) })),
        connectedAt: Math.min(...all.map(({ use }) => use.redeemedAt)),
        lastUsedAt: Math.max(...all.map(({ use }) => use.lastUsedAt)),
      };
    })
    .filter((app) => app !== undefined)
    .toSorted((left, right) => right.lastUsedAt - left.lastUsedAt);
};

/** In characters. Publishers choose shorter IDs, and the ID of a client that registered itself is longer. */
const maxIdLength = 64;

/**
 * Returns the name of a grant's client, and what is known about it. If the client is not in the configuration,
 * its ID shows its kind: only the URL of a metadata document contains a colon.
 */
const describeClient = (
  { clientId, clientName }: StoredGrant,
  configured: ReadonlyMap<string, Client>,
): Pick<ConnectedApp, 'clientName' | 'clientIdentity'> => {
  const client = configured.get(clientId);
  if (client !== undefined) return { clientName: client.name, clientIdentity: { kind: 'configured' } };
  const url = URL.parse(clientId);
  if (url !== null && url.host !== '')
    return {
      clientName: clientName ?? url.host,
      clientIdentity: { kind: 'metadata-document', host: url.host },
    };
  if (clientName !== undefined) return { clientName, clientIdentity: { kind: 'registration' } };
  return clientId.length > maxIdLength
    ? { clientName: `${clientId.slice(0, 20)}…`, clientIdentity: { kind: 'registration' } }
    : { clientName: clientId, clientIdentity: { kind: 'configured' } };
};

/** `POST` that disconnects one app, or everything: all apps and all sessions, including this one. */
export const disconnectAppsEndpoint = (context: AccountContext): EndpointDefinition =>
  requireSession(
    context,
    { name: 'disconnect-apps', fields: ['app', 'all'] },
    async ({ requestContext, fields }, { userId }) => {
      const { storage, accountStorage, now } = context;
      if (fields.all !== undefined) {
        await storage.revoke({ kind: 'user', id: userId }, 'disconnected everything', now(), 'user');
        requestContext.log({ event: 'revoked' });
        return redirectToAccount(context, 'signed-out-everywhere', [clearSessionCookie()]);
      }
      const at = now();
      const grants = ((await accountStorage.readAccount(userId))?.grants ?? []).filter(
        (grant) => buildAppKey(grant) === fields.app,
      );
      const [first] = selectActiveGrants(grants, at);
      if (first === undefined) throw accountError('account.item-not-found');
      // Also revoke grants whose code was not redeemed: redeeming it later would connect the app again.
      const grantIds = grants.filter(({ revokedAt }) => revokedAt === undefined).map(({ id }) => id);
      await accountStorage.revokeGrants({ userId, grantIds, reason: 'disconnected by the user', now: at });
      requestContext.log({ event: 'revoked', clientId: first.clientId });
      return redirectToAccount(context, 'app-disconnected');
    },
  );

type ActiveGrant = StoredGrant & { readonly use: NonNullable<StoredGrant['use']> };

const selectActiveGrants = (grants: readonly StoredGrant[], now: EpochSeconds): readonly ActiveGrant[] =>
  grants.filter((grant): grant is ActiveGrant => {
    const { clientId, revokedAt, refreshPolicy, use } = grant;
    if (use === undefined || revokedAt !== undefined || clientId === accountClientId) return false;
    return use.accessExpiresAt > now || (refreshPolicy !== 'none' && use.refreshIdleExpiresAt > now);
  });

/** The space is unambiguous: a client ID can't contain one. */
const buildAppKey = ({ clientId, redirectUri }: StoredGrant): string =>
  `${clientId} ${formatAppHost(redirectUri)}`;

/** Without the port of a loopback address, which can be another one at each sign-in (RFC 8252 §7.3). */
const formatAppHost = (redirectUri: string): string => {
  const url = new URL(redirectUri);
  return isLoopback(url) ? url.hostname : formatRedirectHost(redirectUri);
};
