/** Formats what the command `admin` prints: as JSON, or as a table or a sentence. */
import type { RefusalCount } from '../../storage/broker-storage.ts';
import type {
  AuditEntry,
  FoundIdentity,
  GrantSummary,
  IdentityWithoutUpstreamToken,
  Pagination,
  ProviderSummary,
  Statistics,
  UserSummary,
} from '../../storage/sqlite/d1.ts';
import { type CommandOutput, formatInstant, formatTable } from '../command.ts';

export const formatUsers = (users: readonly UserSummary[]): CommandOutput =>
  formatRows(
    users,
    ['user', 'created', 'identities', 'active grants', 'last sign-in'],
    ({ id, createdAt, identities, activeGrants, lastSignInAt }) => [
      ...[id, formatInstant(createdAt), String(identities), String(activeGrants)],
      formatInstant(lastSignInAt),
    ],
  );

export const formatFoundIdentities = (
  identities: readonly FoundIdentity[],
  { skip }: Pagination,
): CommandOutput => {
  const found = formatRows(
    identities,
    ['user', 'provider', 'address or name', 'last sign-in', 'active grants'],
    ({ userId, provider, label, lastSignInAt, activeGrants }) => [
      ...[userId, provider, label, formatInstant(lastSignInAt), String(activeGrants)],
    ],
  );
  return identities.length === 0 && skip === 0 ? { ...found, text: nobodyFound } : found;
};

const nobodyFound = `No users found. These users can't be found by their email address:
- users of GitHub: search for their login
- users whose provider sent another address, such as a relay address of Apple, or no address: search for their name
- users whose provider sent neither an address nor a name: they can't be found by name, either`;

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

export const formatStatistics = (statistics: Statistics, now: number): CommandOutput => {
  const { users, activeGrants, activeClients, topClients, days } = statistics;
  const refusals = groupByReason(statistics.refusals);
  const otherClients = activeClients - topClients.length;
  const clients = formatTable(
    ['client', 'name', 'active grants'],
    topClients.map(({ clientId, name = '-', activeGrants: grants }) => [
      ...[shorten(clientId), shorten(name), String(grants)],
    ]),
  );
  const sections = [
    formatTable(
      ['users', 'active grants', 'clients with active grants'],
      [[String(users), String(activeGrants), String(activeClients)]],
    ),
    ...(topClients.length === 0 ? [] : [clients]),
    ...(otherClients === 0 ? [] : [`Other clients: ${otherClients}`]),
    formatTable(
      ['day (UTC)', 'sign-ins', 'refused requests'],
      days.map(({ day, signIns, refusals: refused }) => [day, String(signIns), String(refused)]),
    ),
    refusals.length === 0
      ? 'No refused requests were stored for these days.'
      : formatTable(
          ['reason of the refusal', 'requests'],
          refusals.map(({ reason, count }) => [reason, String(count)]),
        ),
  ];
  return { json: { at: now, ...statistics, refusals }, text: sections.join('\n\n') };
};

/** The requests that were refused for one reason. */
interface RefusalsByReason {
  readonly reason: string;
  /** Of all days. */
  readonly count: number;
  /** Days with such requests, newest first. */
  readonly days: readonly Pick<RefusalCount, 'day' | 'count'>[];
}

/** Returns the most frequent reason first. */
const groupByReason = (refusals: readonly RefusalCount[]): readonly RefusalsByReason[] =>
  [...Map.groupBy(refusals, ({ reason }) => reason)]
    .map(([reason, counts]) => ({
      reason,
      count: counts.reduce((sum, { count }) => sum + count, 0),
      days: counts.map(({ day, count }) => ({ day, count })),
    }))
    .sort((one, other) => other.count - one.count);

/** The ID of a client that registered itself is a sealed text. `--json` prints it in full. */
const shorten = (text: string): string => {
  const letters = [...text];
  return letters.length > maxCellLength ? `${letters.slice(0, maxCellLength - 1).join('')}…` : text;
};

const maxCellLength = 60;

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
