/**
 * The namespaces that the subjects of providers belong to, in SQL. The first sign-in with a provider stores
 * its namespace. From then on, statements check with `buildChangeQuery` that it is still the same.
 */
import type { EpochSeconds } from '../../oauth/identifiers.ts';
import type { SqlDatabase, SqlStatement } from './statements.ts';

/**
 * Stores the namespace of a provider, or that another one was refused. Writes nothing if it did that before.
 */
export const storeNamespace = (
  db: SqlDatabase,
  provider: string,
  subjectNamespace: string,
  now: EpochSeconds,
): SqlStatement =>
  db
    .prepare(
      `INSERT INTO providers (id, subject_namespace) VALUES (?1, ?2)
      ON CONFLICT (id) DO UPDATE SET refused_namespace = ?2, refused_at = ?3
      WHERE subject_namespace <> ?2 AND refused_namespace IS NOT ?2`,
    )
    .bind(provider, subjectNamespace, now);

/**
 * Returns a query that finds a row if another namespace is stored.
 * @param provider the SQL parameter with the ID of the provider, such as `?1`
 * @param subjectNamespace the SQL parameter with its namespace
 */
export const buildChangeQuery = (provider: string, subjectNamespace: string): string =>
  `SELECT 1 AS changed FROM providers WHERE providers.id = ${provider} AND subject_namespace <> ${subjectNamespace}`;

/** The column `subject_namespace` of a query about `identities`. */
export const namespaceColumn =
  '(SELECT subject_namespace FROM providers WHERE providers.id = identities.provider) AS subject_namespace';
