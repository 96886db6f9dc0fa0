/** Logout tokens (OpenID Connect Back-Channel Logout 1.0 §2.4, §2.6): a person has signed out at the issuer. */

import type { SecurityEvent, SecurityEventTarget } from '../../oauth/security-event.ts';
import type { OidcIssuer } from '../issuer.ts';
import type { ProviderIo } from '../provider.ts';
import {
  isIdentifier,
  refuseIf,
  type SecurityEventTokenRules,
  type VerifiedEvent,
  verifySecurityEventToken,
} from './verify.ts';

/** Issuers send it at once; an hour leaves room for trying again. */
const rules: SecurityEventTokenRules = { type: 'logout+jwt', maxAge: 3600, expiry: 'enforced' };

const logoutEvent = 'http://schemas.openid.net/event/backchannel-logout';

/** @throws SecurityEventError for a token that is not to be believed, ProviderError when that cannot be told */
export const readLogoutToken = async (
  token: string,
  issuer: OidcIssuer,
  io: ProviderIo,
): Promise<SecurityEvent> => {
  const { claims, ...verified } = await verifySecurityEventToken(token, issuer, rules, io);
  const { events } = claims;
  const event: unknown = Object(events)[logoutEvent];
  refuseIf(typeof event !== 'object' || event === null, 'content', 'it tells of no logout');
  // An ID token may hold anything an issuer likes, but no logout token holds this (§2.4).
  refuseIf('nonce' in claims, 'content', 'it holds a nonce');
  const revocationScope = issuer.config.logoutEndsGrants ? 'grants' : 'online-grants';
  return {
    ...verified,
    type: 'logout',
    revocations: [{ target: parseTarget(claims), revocationScope: revocationScope }],
  };
};

const parseTarget = ({ sub: subject, sid }: VerifiedEvent['claims']): SecurityEventTarget => {
  const named = [subject, sid].filter((name) => name !== undefined);
  refuseIf(
    named.length === 0 || !named.every(isIdentifier),
    'content',
    'it names neither person nor session',
  );
  if (!isIdentifier(sid)) return { kind: 'identity', subject: String(subject) };
  return { kind: 'session', sid, ...(isIdentifier(subject) && { subject }) };
};
