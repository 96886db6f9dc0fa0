/**
 * Reads Apple's server-to-server notifications: a user revoked consent for this app, deleted their Apple
 * account, or changed email forwarding.
 */

import type { RevocationScope, SecurityEvent } from '../../oauth/identifiers.ts';
import type { OidcIssuer } from '../issuer.ts';
import { isIdentifier, type ProviderIo, SecurityEventError } from '../provider.ts';
import { type SecurityEventTokenRules, verifySecurityEventToken } from './verify.ts';

const rules: SecurityEventTokenRules = { type: 'secevent+jwt', maxAge: 7 * 86_400, expiry: 'enforced' };

/** What each event revokes, if anything. Apple's documentation has two spellings of `account-deleted`. */
const scopeByEventType: ReadonlyMap<unknown, RevocationScope | undefined> = new Map([
  ['consent-revoked', 'identity'],
  ['account-delete', 'identity'],
  ['account-deleted', 'identity'],
  ['email-enabled', undefined],
  ['email-disabled', undefined],
]);

/**
 * Reads a notification.
 * @param body JSON with the token as its `payload`
 * @throws SecurityEventError if the token is not valid, ProviderError if it cannot be verified now
 * @see https://developer.apple.com/documentation/signinwithapple/processing-changes-for-sign-in-with-apple-accounts
 */
export const readAppleNotification = async (
  body: string,
  issuer: OidcIssuer,
  io: ProviderIo,
): Promise<SecurityEvent> => {
  const { payload } = Object(parse(body));
  if (typeof payload !== 'string') throw new SecurityEventError('unreadable', 'there is no payload');
  const { claims, ...verified } = await verifySecurityEventToken(payload, issuer, rules, io);
  const { events } = claims;
  // The claim is a JSON string.
  const { type, sub: subject } = Object(parse(events));
  const revocationScope = scopeByEventType.get(type);
  if (!isIdentifier(type) || (revocationScope !== undefined && !isIdentifier(subject)))
    throw new SecurityEventError('content', 'it has no event');
  return {
    ...verified,
    type: scopeByEventType.has(type) ? type : 'unknown',
    revocations:
      revocationScope === undefined ? [] : [{ target: { kind: 'identity', subject }, revocationScope }],
  };
};

const parse = (json: unknown): unknown => {
  try {
    return typeof json === 'string' ? JSON.parse(json) : undefined;
  } catch {
    return undefined;
  }
};
