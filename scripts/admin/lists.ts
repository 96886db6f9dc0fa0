/** Formats the lists of `npm run admin` as tables. */
import type { AuditEntry, GrantSummary, IdentityWithoutUpstreamToken, UserSummary } from 'assistant-auth/d1';
import { formatInstant, formatTable } from '../database/table.ts';

export const formatUsersTable = (users: readonly UserSummary[]): string =>
  formatTable(
    ['user', 'since', 'identities', 'active grants', 'last sign-in'],
    users.map(({ id, createdAt, identities, activeGrants, lastSignInAt }) => [
      ...[
        id,
        formatInstant(createdAt),
        String(identities),
        String(activeGrants),
        formatInstant(lastSignInAt),
      ],
    ]),
  );

export const formatGrantsTable = (grants: readonly GrantSummary[]): string =>
  formatTable(
    ['grant', 'client', 'code went to', 'scopes', 'provider', 'since', 'last used', 'state'],
    grants.map((grant) => [
      ...[grant.id, grant.clientId, formatHost(grant.redirectUri), grant.scopes.join(' '), grant.provider],
      ...[formatInstant(grant.createdAt), formatInstant(grant.lastUsedAt), formatGrantState(grant)],
    ]),
  );

export const formatNoUpstreamTokenTable = (identities: readonly IdentityWithoutUpstreamToken[]): string =>
  formatTable(
    ['provider', 'user', 'since', 'active grants', 'refreshable until'],
    identities.map(({ provider, userId, since, activeGrants, refreshableUntil }) => [
      ...[provider, userId, formatInstant(since), String(activeGrants), formatInstant(refreshableUntil)],
    ]),
  );

export const formatAuditTable = (rows: readonly AuditEntry[]): string =>
  formatTable(
    ['at', 'event', 'by', 'reason', 'user', 'client', 'provider'],
    rows.map(({ at, event, actor, reason = '-', userId = '-', clientId = '-', provider = '-' }) => [
      ...[formatInstant(at), event, actor, reason, userId, clientId, provider],
    ]),
  );

const formatHost = (redirectUri: string): string => URL.parse(redirectUri)?.host ?? redirectUri;

const formatGrantState = ({ state, reason }: GrantSummary): string =>
  reason === undefined ? state : `${state}: ${reason}`;
