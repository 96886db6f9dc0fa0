/** The lists of `npm run admin`, for people's eyes. */
import type { AuditRow, GrantSummary, UnwatchedIdentity, UserSummary } from 'assistant-auth/d1';
import { instant, table } from '../database/table.ts';

export const usersTable = (users: readonly UserSummary[]): string =>
  table(
    ['user', 'since', 'identities', 'living grants', 'last sign-in'],
    users.map(({ id, createdAt, identities, livingGrants, lastSignInAt }) => [
      ...[id, instant(createdAt), String(identities), String(livingGrants), instant(lastSignInAt)],
    ]),
  );

export const grantsTable = (grants: readonly GrantSummary[]): string =>
  table(
    ['grant', 'client', 'code went to', 'scopes', 'provider', 'since', 'last used', 'state'],
    grants.map((grant) => [
      ...[grant.id, grant.clientId, hostOf(grant.redirectUri), grant.scopes.join(' '), grant.provider],
      ...[instant(grant.createdAt), instant(grant.lastUsedAt), stateOf(grant)],
    ]),
  );

export const unwatchedTable = (identities: readonly UnwatchedIdentity[]): string =>
  table(
    ['provider', 'user', 'since', 'living grants', 'refreshable until'],
    identities.map(({ provider, userId, since, livingGrants, refreshableUntil }) => [
      ...[provider, userId, instant(since), String(livingGrants), instant(refreshableUntil)],
    ]),
  );

export const auditTable = (rows: readonly AuditRow[]): string =>
  table(
    ['at', 'event', 'by', 'reason', 'user', 'client', 'provider'],
    rows.map(({ at, event, actor, reason = '-', userId = '-', clientId = '-', provider = '-' }) => [
      ...[instant(at), event, actor, reason, userId, clientId, provider],
    ]),
  );

const hostOf = (redirectUri: string): string => URL.parse(redirectUri)?.host ?? redirectUri;

const stateOf = ({ state, reason }: GrantSummary): string =>
  reason === undefined ? state : `${state}: ${reason}`;
