/** Logout tokens (OpenID Connect Back-Channel Logout 1.0 §2.4, §2.6): a person has signed out at the issuer. */

import type { Signal, SignalTarget } from '../../oauth/security-event.ts';
import type { OidcIssuer } from '../issuer.ts';
import type { ProviderIo } from '../provider.ts';
import { isName, readSigned, refuseIf, type SaidByProvider, type TokenRules } from './verify.ts';

/** Issuers send it at once; an hour leaves room for trying again. */
const rules: TokenRules = { type: 'logout+jwt', oldest: 3600, expiry: 'heeded' };

const logoutEvent = 'http://schemas.openid.net/event/backchannel-logout';

/** @throws SignalError for a token that is not to be believed, ProviderError when that cannot be told */
export const readLogoutToken = async (token: string, issuer: OidcIssuer, io: ProviderIo): Promise<Signal> => {
  const { claims, ...said } = await readSigned(token, issuer, rules, io);
  const { events } = claims;
  const event: unknown = Object(events)[logoutEvent];
  refuseIf(typeof event !== 'object' || event === null, 'content', 'it tells of no logout');
  // An ID token may hold anything an issuer likes, but no logout token holds this (§2.4).
  refuseIf('nonce' in claims, 'content', 'it holds a nonce');
  const reach = issuer.party.logoutEndsGrants ? 'grants' : 'presence';
  return { ...said, name: 'logout', endings: [{ target: targetOf(claims), reach }] };
};

const targetOf = ({ sub: subject, sid }: SaidByProvider['claims']): SignalTarget => {
  const named = [subject, sid].filter((name) => name !== undefined);
  refuseIf(named.length === 0 || !named.every(isName), 'content', 'it names neither person nor session');
  if (!isName(sid)) return { kind: 'identity', subject: String(subject) };
  return { kind: 'session', sid, ...(isName(subject) && { subject }) };
};
