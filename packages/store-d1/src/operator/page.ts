/** A part of a long list, and what the lists of an operator call living. */

export interface Page {
  readonly limit: number;
  /** How many of the list come before. */
  readonly skip: number;
}

/**
 * The condition on a row of `grants` that a token of it may be used.
 * @param now the parameter for now, such as `?1`
 */
export const living = (now: string): string =>
  `(grants.revoked_at IS NULL AND (grants.access_dies_at > ${now}
    OR (grants.refresh_policy <> 'none' AND grants.refresh_idle_expires_at > ${now})))`;
