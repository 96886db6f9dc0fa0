/** Connected apps: the living grants of a person, each app once per client and host, and how they end. */

import type { EndpointPlan } from '../endpoint/handler.ts';
import { Refusal } from '../oauth/errors.ts';
import { accountClientId } from '../oauth/identifiers.ts';
import { hostOf } from '../oauth/redirect-uri.ts';
import type { EpochSeconds } from '../oauth/time.ts';
import { forgetSession } from '../sign-in/session.ts';
import type { StoredGrant } from '../storage/broker-storage.ts';
import type { AccountContext } from './context.ts';
import { backToAccount, sessionForm } from './forms.ts';
import type { ConnectedApp } from './ui/account-page.ts';

/** Groups what lives, the most recently used first. A grant counts once its code was redeemed: until then no app has anything. */
export const connectedApps = (
  grants: readonly StoredGrant[],
  { registry, scopes }: Pick<AccountContext, 'registry' | 'scopes'>,
  now: EpochSeconds,
): readonly ConnectedApp[] => {
  const groups = new Map<string, GrantInUse[]>();
  for (const grant of inUse(grants, now))
    groups.set(keyOf(grant), [...(groups.get(keyOf(grant)) ?? []), grant]);
  return [...groups]
    .map(([key, [first, ...others]]): ConnectedApp | undefined => {
      if (first === undefined) return undefined;
      const all = [first, ...others];
      const names = [...new Set(all.flatMap((grant) => grant.scopes))];
      return {
        key,
        clientName: registry.find(first.clientId)?.name ?? first.clientId,
        redirectHost: hostOf(first.redirectUri),
        scopes: names.map((name) => ({ name, description: scopes.get(name) ?? name })),
        since: Math.min(...all.map(({ use }) => use.redeemedAt)),
        lastUsedAt: Math.max(...all.map(({ use }) => use.lastUsedAt)),
      };
    })
    .filter((app) => app !== undefined)
    .toSorted((one, other) => other.lastUsedAt - one.lastUsedAt);
};

/** `POST` that ends one app, or everything: all apps and all sessions, this one too. */
export const endAppsEndpoint = (rooms: AccountContext): EndpointPlan =>
  sessionForm(rooms, { name: 'end-apps', fields: ['app', 'all'] }, async ({ visit, fields }, { userId }) => {
    const { ledger, now } = rooms;
    if (fields.all !== undefined) {
      await ledger.revoke({ kind: 'user', id: userId }, 'ended everything', now(), 'user');
      visit.log({ event: 'revoked' });
      return backToAccount(rooms, 'ended-everywhere', [forgetSession()]);
    }
    const at = now();
    const grants = ((await ledger.readAccount(userId))?.grants ?? []).filter(
      (grant) => keyOf(grant) === fields.app,
    );
    const [first] = inUse(grants, at);
    if (first === undefined) throw new Refusal('account.item');
    // What is not redeemed yet ends, too: a code would bring the app back a moment later.
    const grantIds = grants.filter(({ revokedAt }) => revokedAt === undefined).map(({ id }) => id);
    await ledger.endApps({ userId, grantIds, reason: 'disconnected by the user', now: at });
    visit.log({ event: 'revoked', clientId: first.clientId });
    return backToAccount(rooms, 'app-ended');
  });

type GrantInUse = StoredGrant & { readonly use: NonNullable<StoredGrant['use']> };

const inUse = (grants: readonly StoredGrant[], now: EpochSeconds): readonly GrantInUse[] =>
  grants.filter((grant): grant is GrantInUse => {
    const { clientId, revokedAt, refreshPolicy, use } = grant;
    if (use === undefined || revokedAt !== undefined || clientId === accountClientId) return false;
    return use.accessDiesAt > now || (refreshPolicy !== 'none' && use.refreshIdleExpiresAt > now);
  });

/** No client id holds a blank. */
const keyOf = ({ clientId, redirectUri }: StoredGrant): string => `${clientId} ${hostOf(redirectUri)}`;
