/** Runs the commands of `admin`: queries the broker's database, revokes grants and deletes users. */
import { createInterface } from 'node:readline/promises';
import { accountStorage } from '../../storage/sqlite/account-methods.ts';
import type { AuditEntry, StorageAdmin } from '../../storage/sqlite/d1.ts';
import type { Program } from '../arguments.ts';
import { CommandError, type CommandOutput, escapeControls } from '../command.ts';
import { type Database, withDatabase } from '../database/database.ts';
import type { DatabaseLocation } from '../database/location.ts';
import type { AdminCommand, Arguments, Target } from './arguments.ts';
import {
  formatAuditEntries,
  formatFoundIdentities,
  formatGrants,
  formatIdentitiesWithoutUpstreamToken,
  formatProviders,
  formatStatistics,
  formatUsers,
} from './output.ts';

/**
 * @throws CommandError if the user does not exist, a revocation revoked nothing, a deletion was not
 * confirmed, or the database fails
 */
export const runAdminCommand = async (
  databaseLocation: DatabaseLocation,
  { adminCommand, page }: Pick<Arguments, 'adminCommand' | 'page'>,
  program: Pick<Program, 'command'>,
): Promise<CommandOutput> => {
  if (adminCommand.kind === 'delete' && !adminCommand.confirmed)
    await confirm(buildDeletionQuestion(adminCommand.userId), 'deletion');
  if (adminCommand.kind === 'revoke-all' && !adminCommand.confirmed)
    await confirm('Sign out all users of all clients? Type yes to confirm: ', 'revocation');
  return withDatabase(databaseLocation, (database) => runOnDatabase(database, adminCommand, page, program));
};

const runOnDatabase = async (
  { storage, storageAdmin }: Database,
  adminCommand: AdminCommand,
  page: Arguments['page'],
  { command }: Pick<Program, 'command'>,
): Promise<CommandOutput> => {
  const now = await storageAdmin.readClock();
  switch (adminCommand.kind) {
    case 'users':
      return formatUsers(await storageAdmin.listUsers(page, now));
    case 'grants':
      return formatGrants((await storageAdmin.listGrants(adminCommand.userId, now)) ?? rejectUnknownUser());
    case 'find':
      return formatFoundIdentities(await storageAdmin.findIdentities(adminCommand.text, page, now), page);
    case 'no-upstream-token':
      return formatIdentitiesWithoutUpstreamToken(
        await storageAdmin.listIdentitiesWithoutUpstreamToken(page, now),
      );
    case 'audit':
      return formatAuditEntries(await storageAdmin.listAuditEntries(page, adminCommand.userId));
    case 'providers':
      return formatProviders(await storageAdmin.listProviders());
    case 'stats':
      return formatStatistics(await storageAdmin.readStatistics(adminCommand.days, now), now);
    case 'accept':
      return acceptProvider(storageAdmin, adminCommand, now, command);
    case 'revoke': {
      const { target } = adminCommand;
      if (target.kind === 'provider') return revokeProvider(storageAdmin, target.id, now);
      const { kind, id } = target;
      await storage.revoke({ kind, id }, revocationReason, now, 'operator');
      const newestEntries = await storageAdmin
        .listAuditEntries({ limit: 100, skip: 0 })
        .catch((cause: unknown) => {
          throw new CommandError(
            `The revocation was sent, but the audit log could not be read. Run ${command} audit to check whether something was revoked.`,
            { cause },
          );
        });
      return verifyRevocation({ kind, id }, newestEntries, now);
    }
    case 'revoke-all':
      return revokeAll(storageAdmin, now);
    case 'delete': {
      const { userId } = adminCommand;
      const { kind } = await accountStorage(storage).deleteUser({ userId, actor: 'operator', now });
      if (kind === 'unknown') return rejectUnknownUser();
      return { json: { deleted: userId }, text: 'Deleted the user and everything stored about them.' };
    }
  }
};

const revokeAll = async (storageAdmin: StorageAdmin, now: number): Promise<CommandOutput> => {
  const grants = await storageAdmin.revokeAll(revocationReason, now);
  return {
    json: { revoked: { kind: 'all' }, grants },
    text: `Revoked ${grants} grants and sessions, and all access tokens that were issued until now. ${effect}`,
  };
};

const revokeProvider = async (
  storageAdmin: StorageAdmin,
  provider: string,
  now: number,
): Promise<CommandOutput> => {
  const { grants, upstreamTokens } = await storageAdmin.revokeProvider(provider, revocationReason, now);
  if (grants + upstreamTokens === 0)
    throw new CommandError(
      'Nothing was revoked. The provider ID is unknown, or all grants of the provider were already revoked.',
    );
  return {
    json: { revoked: { kind: 'provider', id: provider }, grants, upstreamTokens },
    text: `Revoked ${grants} grants and sessions of the provider ${escapeControls(provider)}, and deleted ${upstreamTokens} upstream tokens. ${effect}`,
  };
};

const acceptProvider = async (
  storageAdmin: StorageAdmin,
  { provider, subjectNamespace }: { readonly provider: string; readonly subjectNamespace: string },
  now: number,
  command: string,
): Promise<CommandOutput> => {
  const outcome = await storageAdmin.acceptProvider(provider, subjectNamespace, now);
  if (outcome === undefined)
    throw new CommandError(
      `Nothing was changed: this is not the namespace that was refused last for this provider. Run ${command} providers to see it.`,
    );
  const { previous, upstreamTokens } = outcome;
  return {
    json: { accepted: provider, from: previous, to: subjectNamespace, upstreamTokens },
    text: `The subjects of the provider ${escapeControls(provider)} now belong to ${escapeControls(subjectNamespace)}. Before, they belonged to ${escapeControls(previous)}. Deleted ${upstreamTokens} upstream tokens of the previous issuer.`,
  };
};

const rejectUnknownUser = (): never => {
  throw new CommandError('No user has this ID.');
};

const confirm = async (question: string, what: 'deletion' | 'revocation'): Promise<void> => {
  if (!process.stdin.isTTY)
    throw new CommandError(`In a non-interactive shell, pass --yes to confirm the ${what}.`);
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await terminal.question(question);
  terminal.close();
  if (answer.trim() !== 'yes') throw new CommandError('Canceled. Nothing was changed.');
};

/** A user ID can contain any character, for example one that overwrites the rest of the line. */
export const buildDeletionQuestion = (userId: string): string =>
  `Permanently delete the user ${escapeControls(userId)}? Type yes to confirm: `;

/** A target whose revocation is found in the audit log. */
type VerifiedTarget = Target & { readonly kind: Exclude<Target['kind'], 'provider'> };

/** When a revocation takes effect. */
const effect =
  'Refresh tokens and sessions stop working immediately, and access tokens within ten seconds, or within 60 while storage is unreachable.';

/** The reason in the audit log. */
export const revocationReason = 'revoked by the operator';

/**
 * Verifies that a revocation revoked something, because a mistyped ID must not look like a success. Looks for
 * the row of the revocation among the newest rows of the audit log.
 * @param now the time of the revocation
 * @throws CommandError if there is none
 */
export const verifyRevocation = (
  target: VerifiedTarget,
  newestEntries: readonly AuditEntry[],
  now: number,
): CommandOutput => {
  const isRevoked = newestEntries.some(
    (entry) =>
      entry.event === 'revoked' &&
      entry.at === now &&
      entry.reason === revocationReason &&
      matchesTarget(target, entry),
  );
  const { kind, id } = target;
  if (!isRevoked)
    throw new CommandError(
      kind === 'grant'
        ? 'Nothing was revoked. The grant ID is unknown, or the grant was already revoked.'
        : `Nothing was revoked. The ${kind} ID is unknown, or all grants of the ${kind} were already revoked.`,
    );
  return {
    json: { revoked: target },
    text: `Revoked ${kind === 'grant' ? 'the grant' : `all grants of the ${kind}`} ${escapeControls(id)}. ${effect}`,
  };
};

/** Audit rows contain no grant ID, so any row with a user and a client matches a grant. */
const matchesTarget = ({ kind, id }: VerifiedTarget, { userId, clientId }: AuditEntry): boolean => {
  switch (kind) {
    case 'user':
      return userId === id && clientId === undefined;
    case 'client':
      return clientId === id && userId === undefined;
    case 'grant':
      return userId !== undefined && clientId !== undefined;
  }
};
