/** How a row of `grants` becomes the facts that tokens are issued from. */
import type { GrantFacts, RefreshPolicy } from '@words-with-chat/broker';

/** What `factColumns` reads. */
export interface GrantRow {
  readonly user_id: string;
  /** JSON array. */
  readonly scopes: string;
  readonly resource: string;
  /** JSON object. */
  readonly claims: string;
  readonly refresh_policy: RefreshPolicy;
  readonly generation: number;
  readonly refresh_idle_expires_at: number;
  readonly refresh_absolute_expires_at: number;
}

export const factColumns = `user_id, scopes, resource, claims, refresh_policy, generation,
  refresh_idle_expires_at, refresh_absolute_expires_at`;

export const grantFacts = (row: GrantRow): GrantFacts => ({
  userId: row.user_id,
  scopes: JSON.parse(row.scopes),
  resource: row.resource,
  claims: JSON.parse(row.claims),
  refreshPolicy: row.refresh_policy,
  generation: row.generation,
  refreshIdleExpiresAt: row.refresh_idle_expires_at,
  refreshAbsoluteExpiresAt: row.refresh_absolute_expires_at,
});
