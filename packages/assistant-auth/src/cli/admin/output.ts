/** Formats what the command `admin` prints: as JSON, or as a table or a sentence. */
import type {
  AuditEntry,
  GrantSummary,
  IdentityWithoutUpstreamToken,
  ProviderSummary,
  UserSummary,
} from '../../storage/sqlite/d1.ts';
import { formatInstant, formatTable } from '../command.ts';

/** The output of a command. */
export interface CommandOutput {
  /** The output with `--json`. */
  readonly json: unknown;
  /** The output as readable text. */
  readonly text: string;
}

export const formatUsers = (users: readonly UserSummary[]): CommandOutput =>
  formatRows(
    users,
    ['user', 'created', 'identities', 'active grants', 'last sign-in'],
    ({ id, createdAt, identities, activeGrants, lastSignInAt }) => [
      ...[id, formatInstant(createdAt), String(identities), String(activeGrants)],
      formatInstant(lastSignInAt),
    ],
  );

export const formatGrants = (grants: readonly GrantSummary[]): CommandOutput =>
  formatRows(
    grants,
    ['grant', 'client', 'redirect host', 'scopes', 'provider', 'created', 'last used', 'state'],
    (grant) => [
      ...[grant.id, grant.clientId, formatHost(grant.redirectUri), grant.scopes.join(' '), grant.provider],
      ...[formatInstant(grant.createdAt), formatInstant(grant.lastUsedAt), formatGrantState(grant)],
    ],
  );

export const formatIdentitiesWithoutUpstreamToken = (
  identities: readonly IdentityWithoutUpstreamToken[],
): CommandOutput =>
  formatRows(
    identities,
    ['provider', 'user', 'last sign-in', 'active grants', 'refreshable until'],
    ({ provider, userId, since, activeGrants, refreshableUntil }) => [
      ...[provider, userId, formatInstant(since), String(activeGrants), formatInstant(refreshableUntil)],
    ],
  );

export const formatProviders = (providers: readonly ProviderSummary[]): CommandOutput =>
  formatRows(
    providers,
    ['provider', 'subjects of', 'identities', 'refused', 'refused since'],
    ({ id, subjectNamespace, identities, refusedNamespace = '-', refusedAt }) => [
      ...[id, subjectNamespace, String(identities), refusedNamespace, formatInstant(refusedAt)],
    ],
  );

export const formatAuditEntries = (entries: readonly AuditEntry[]): CommandOutput =>
  formatRows(
    entries,
    ['time', 'event', 'actor', 'reason', 'user', 'client', 'provider'],
    ({ at, event, actor, reason = '-', userId = '-', clientId = '-', provider = '-' }) => [
      ...[formatInstant(at), event, actor, reason, userId, clientId, provider],
    ],
  );

const formatRows = <Row>(
  rows: readonly Row[],
  headers: readonly string[],
  formatRow: (row: Row) => readonly string[],
): CommandOutput => ({
  json: rows,
  text: rows.length === 0 ? 'None.' : formatTable(headers, rows.map(formatRow)),
});

const formatHost = (redirectUri: string): string => URL.parse(redirectUri)?.host ?? redirectUri;

const formatGrantState = ({ state, reason }: GrantSummary): string =>
  reason === undefined ? state : `${state}: ${reason}`;
