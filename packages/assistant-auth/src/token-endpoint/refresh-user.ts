/**
 * Calls the option `refreshUser` before a grant is refreshed, so that a failure consumes nothing. It is
 * called only if the refresh would succeed: not for a replaced token, whose reuse storage detects. If the
 * hook refuses the user, revokes the grant, so that its access tokens stop working, too.
 */
import type { RefreshUserResult } from '../context.ts';
import type { UserClaims } from '../oauth/identifiers.ts';
import { tokenEndpointError } from '../oauth/protocol-error.ts';
import { isClaims } from '../sign-in/resolve-user.ts';
import type { PresentedRefreshToken } from '../storage/broker-storage.ts';
import type { GrantContext } from './grant-handler.ts';

/**
 * Asks the publisher whether the user can still refresh.
 * @returns the new claims of the grant, if they change; `undefined` if the publisher was not asked, because
 *   the refresh would not succeed
 * @throws ProtocolError `refresh-user.refused`, after the grant was revoked, or `refresh-user.failed`
 */
export const callRefreshUser = async (
  context: GrantContext,
  presented: PresentedRefreshToken,
): Promise<{ readonly claims?: UserClaims } | undefined> => {
  const { storage, refreshUser } = context;
  if (refreshUser === undefined) return {};
  const grant = await storage.readRefreshable(presented);
  if (grant === undefined) return undefined;
  const { grantId, clientId, now } = presented;
  const result = await parseResult(() => refreshUser({ ...grant, clientId }));
  if (result.kind === 'accepted') return { ...(result.claims && { claims: result.claims }) };
  await storage.revoke({ kind: 'grant', id: grantId }, 'refused by refreshUser', now, 'broker');
  throw tokenEndpointError('refresh-user.refused', { cause: result.reason });
};

/** No compiler checks the result if the publisher writes JavaScript. An unclear one must sign nobody out. */
const parseResult = async (call: () => Promise<RefreshUserResult>): Promise<RefreshUserResult> => {
  try {
    const result = await call();
    if (result.kind === 'refused') return result;
    const { kind, claims } = result;
    if (kind !== 'accepted' || !(claims === undefined || isClaims(claims)))
      throw new TypeError('refreshUser must return accepted, with valid claims if any, or refused');
    return result;
  } catch (cause) {
    throw tokenEndpointError('refresh-user.failed', { cause });
  }
};
